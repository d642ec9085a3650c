r"""Density ratio: weigh synthetic rows by how much more likely they are among real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse._checks import integer, positive
from bayescollapse.estimator.exact import Floats
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.row_features import polynomials, row_features
from bayescollapse.schemes.value import Value

__all__ = ["DensityRatio"]

CLASSIFIERS = ("logistic",)


@dataclass(frozen=True, repr=False)
class DensityRatio(Value):
    r"""Weight 1 for real rows, an estimated density ratio for synthetic ones.

    A probabilistic classifier learns to tell the n real rows at hand from the m synthetic ones, and
    its odds estimate the ratio of the two laws:

    .. math:: r(x) = \frac{p_\mathrm{real}(x)}{p_\mathrm{syn}(x)}
        \approx \frac{m}{n}\,\frac{P(\mathrm{real} \mid x)}{1 - P(\mathrm{real} \mid x)}

    It is clipped from above and, if `normalise`, divided by its mean over the synthetic rows of the
    lineage.

    Parameters
    ----------
    classifier : "logistic" or callable, default "logistic"
        ``logistic`` is scikit-learn's logistic regression (its default penalty) on polynomials of
        the standardised features. A function without arguments returns any scikit-learn classifier
        with ``predict_proba``, which is given the standardised features themselves; where a store
        or an executor is used it must be importable by name.
    degree : int, default 2
        Degree of the polynomials: 1 is right for two Gaussians of one covariance, 2 for any two.
        Unused with a classifier of your own.
    clip : float, default 10
        Largest ratio, above 0. It bounds the variance that single rows add; the weighted law is
        then biased towards the synthetic one where the true ratio is larger.
    normalise : bool, default True
        Whether the mean weight of the synthetic rows is 1.
    folds : int, default 1
        1 judges rows by a classifier that has seen them, fit for a logistic regression with few
        columns. From 2, rows are judged by a classifier trained on the other folds, which a
        flexible classifier needs: it would know its training rows by heart.
    levels : int, default 20
        A discrete variable with at most this many distinct values in the block of lineages is
        coded by one indicator per value, another one by its value.

    Raises
    ------
    ValueError
        If an argument is out of range; in a run, if a lineage has no real or no synthetic rows, or
        fewer of either than folds.
    ModuleNotFoundError
        If scikit-learn is not installed.

    Notes
    -----
    In a weighted likelihood the synthetic rows stand for real ones in expectation: the mean of
    r(x) f(x) over synthetic rows is the mean of f over real ones, and the mean of r is 1. Dividing
    by the mean removes a random and badly estimated factor (the odds' level depends on the
    classifier's penalty and on clipping) for a bias of order 1/m, and keeps the total weight at the
    number of rows, so that lineages and schemes claim alike. Turn it off where the synthetic law
    may miss a part of the real one: the true mean of r is then below 1, and weights that are not
    normalised pass this on as a smaller claim. The Kish size that the run records falls with the
    spread of the weights.

    The weights use the real rows twice, once in the classifier: they carry no information that the
    real rows do not have, and the posterior's claim ignores this. One classifier is fitted per
    lineage and generation, which costs milliseconds.

    References
    ----------
    After Song et al. 2020, Improving Maximum Likelihood Training for Text Generation with Density
    Ratio Estimation, arXiv 2007.06018; read here as a weighting.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.schemes.density_ratio import DensityRatio
    >>> bc.Scheme(weighting=DensityRatio(clip=5.0)).weighting
    DensityRatio(clip=5.0)
    """

    classifier: str | Callable[[], Any] = "logistic"
    degree: int = 2
    clip: float = 10.0
    normalise: bool = True
    folds: int = 1
    levels: int = 20

    def __post_init__(self) -> None:
        """Refuse unknown classifiers and values out of range."""
        if isinstance(self.classifier, str):
            if self.classifier not in CLASSIFIERS:
                raise ValueError(
                    f"classifier must be one of {CLASSIFIERS} or a function that returns a "
                    f"scikit-learn classifier, got {self.classifier!r}"
                )
        elif not callable(self.classifier):
            raise ValueError(
                "classifier must be a name or a function that returns a scikit-learn classifier, "
                f"got {self.classifier!r}"
            )
        integer("degree", self.degree)
        positive("clip", self.clip)
        if not isinstance(self.normalise, bool):
            raise ValueError(f"normalise must be True or False, got {self.normalise!r}")
        integer("folds", self.folds)
        integer("levels", self.levels, minimum=2)

    def __call__(self, rows: xr.Dataset, context: Context) -> Floats:
        """Weigh rows.

        Parameters
        ----------
        rows : Dataset
            Rows (replicate, obs) with the coordinate ``real``.
        context : Context
            Its stream shuffles folds and seeds classifiers that are random.

        Returns
        -------
        ndarray, shape (replicate, obs)
        """
        _require_sklearn()
        features = row_features(rows, self.levels)
        if isinstance(self.classifier, str):
            features = polynomials(features, self.degree)
        real = np.broadcast_to(rows["real"].to_numpy(), features.shape[:2])
        _check_counts(real, self.folds)
        lineages = zip(features, real, strict=True)
        return np.stack([self._weigh(x, flag, context.rng) for x, flag in lineages])

    def _weigh(self, x: Floats, real: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
        chance = self._chance(x, real, int(rng.integers(2**31)))[~real]
        odds = np.divide(chance, 1 - chance, out=np.full_like(chance, np.inf), where=chance < 1)
        ratio = np.minimum(odds * (len(chance) / real.sum()), self.clip)
        if self.normalise:
            ratio = _normalised(ratio)
        weights = np.ones(real.shape)
        weights[~real] = ratio
        return weights

    def _chance(self, x: Floats, real: NDArray[np.bool_], seed: int) -> Floats:
        """Probability that a row is real, by a classifier trained on all rows or other folds."""
        if self.folds == 1:
            return _chance_of_real(self._new(seed).fit(x, real), x)
        from sklearn.model_selection import StratifiedKFold

        chance = np.empty(len(x))
        split = StratifiedKFold(self.folds, shuffle=True, random_state=seed)
        for train, test in split.split(x, real):
            chance[test] = _chance_of_real(self._new(seed).fit(x[train], real[train]), x[test])
        return chance

    def _new(self, seed: int) -> Any:
        """Make an unfitted classifier."""
        if isinstance(self.classifier, str):
            from sklearn.linear_model import LogisticRegression

            return LogisticRegression(max_iter=1000)
        own = self.classifier()
        if not hasattr(own, "predict_proba"):
            raise ValueError(
                f"classifier must return a scikit-learn classifier with predict_proba, got {own!r}"
            )
        if own.get_params().get("random_state", seed) is None:
            own.set_params(random_state=seed)
        return own


def _chance_of_real(fitted: Any, x: Floats) -> Floats:
    column = list(fitted.classes_).index(True)
    return np.asarray(fitted.predict_proba(x)[:, column], dtype=np.float64)


def _normalised(ratio: Floats) -> Floats:
    mean = ratio.mean()
    if mean == 0:
        raise ValueError(
            "the classifier is sure that every synthetic row of a lineage is synthetic, so that "
            "none has a weight: use folds=5, a simpler classifier, or normalise=False"
        )
    return np.asarray(ratio / mean)


def _check_counts(real: NDArray[np.bool_], folds: int) -> None:
    """Refuse lineages that have nothing to tell apart."""
    n = real.sum(axis=1)
    fewest = int(min(n.min(), (real.shape[1] - n).min()))
    if fewest < folds:
        raise ValueError(
            f"DensityRatio compares real with synthetic rows and needs at least {folds} of each in "
            f"every lineage (one per fold), got {fewest}: use a supply with real rows in every "
            "generation, more rows, or fewer folds"
        )


def _require_sklearn() -> None:
    from importlib.util import find_spec

    if find_spec("sklearn") is None:
        raise ModuleNotFoundError(
            "DensityRatio needs scikit-learn: install it with pip install "
            "'bayescollapse[density-ratio]'"
        )
