"""Estimators that are not PyMC models: a posterior of its own kind behind the same face."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse._checks import integer
from bayescollapse.estimator.emission import Emission, parse_emission
from bayescollapse.estimator.engine import Engine, Fit, FitSettings, Group
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.hooks import EmittingEngine, emit_rows, refuse_unplain
from bayescollapse.estimator.inputs import (
    checked_covariates,
    checked_weights,
    entropy,
    training_rows,
)
from bayescollapse.estimator.trees import fit_tree
from bayescollapse.rows import ROW_DIM, RowSchema, Values
from bayescollapse.streams import Streams

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["DirectEngine", "DirectEstimator"]


class DirectEngine:
    """Base of engines without a PyMC model: rows are read whole, parameters are functionals.

    A subclass is a frozen dataclass of its settings (its ``repr`` is part of a run's identity) with
    ``method``, ``block``, ``schema``, ``condition`` and ``emit``
    (:class:`~bayescollapse.estimator.hooks.EmittingEngine`), and ``log_predictive`` if it has a
    density (:class:`~bayescollapse.estimator.hooks.DensityEngine`).
    """

    no_density: str | None = None
    """Why there is no predictive density; None where there is one."""

    repeatable = False
    """Whether ``emit`` finds its posterior draws again from `parameters_rng` in the same state."""

    def check_emission(self, emission: Emission) -> None:
        """Refuse what ``emit`` does not honour: all but the four kinds as they are."""
        refuse_unplain(self, emission)

    def digest(self, rows: Values) -> Any:
        """Nothing: conditioning reads the rows."""
        return None

    def join(self, digests: Sequence[Any]) -> Any:
        """Nothing to join."""
        return None

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Refuse: the parameters are functionals, which do not determine the rows' law."""
        self._refuse("rows cannot be drawn from its parameters; emit them from a fit instead")

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Refuse: the parameters are functionals, which do not determine the rows' law."""
        self._refuse("densities cannot be computed from its parameters")

    def log_predictive(self, fit: Any, rows: Values, rng: np.random.Generator) -> Floats:
        """Refuse, with the reason why there is no density."""
        self._refuse(self.no_density or "it gives no density")

    def _refuse(self, what: str) -> NoReturn:
        raise ValueError(f"{type(self).__name__} is not a parametric model: {what}")


class DirectEstimator:
    """A learner that is not a PyMC model, with the methods of :class:`bayescollapse.Estimator`.

    Its posterior is drawn by an engine of its own: a random distribution on the rows, a grid, a
    sparse table. The parameters that a run records are *functionals* of that posterior, worth
    tracking but too few to rebuild it from, so rows are emitted by the engine itself.

    Parameters
    ----------
    engine : Engine
        Draws posteriors and emits rows (:class:`DirectEngine` says what it must have). Its ``repr``
        must show every setting.
    model : callable, optional
        ``f() -> pymc.Model``, the same posterior as a PyMC model, where a small one exists;
        :meth:`pymc_model` returns it.

    Raises
    ------
    TypeError
        If the engine emits no rows by itself.

    Notes
    -----
    It works wherever an estimator does, with these limits, each refused with its reason: a
    ``bc.Truth`` cannot draw rows from it (give the truth an estimator of its own); held-out
    densities need an engine that has a density; ``bc.cell(…, experiment=…)`` gives rows and draws,
    but neither pointwise log-likelihoods nor replicated data sets.

    Examples
    --------
    >>> from bayescollapse.models import empirical
    >>> empirical.estimator()
    DirectEstimator(EmpiricalEngine: parameters mu, sigma; rows y)
    """

    def __init__(self, engine: Engine, *, model: Callable[[], pm.Model] | None = None) -> None:
        if not isinstance(engine, EmittingEngine):
            raise TypeError(
                f"engine must have its own emit(…), got {type(engine).__name__}: derive it from "
                "bayescollapse.estimator.direct.DirectEngine, or give bc.Estimator a PyMC model"
            )
        self._engine = engine
        self._model = model

    def __repr__(self) -> str:
        """Name the engine, its parameters and its rows."""
        parameters = ", ".join(p.name for p in self.schema.parameters)
        rows = ", ".join(v.name for v in self.schema.variables)
        kind = type(self._engine).__name__
        return f"DirectEstimator({kind}: parameters {parameters}; rows {rows})"

    @property
    def schema(self) -> RowSchema:
        """Responses, covariates and the functionals that are tracked."""
        return self._engine.schema

    @property
    def no_density(self) -> str | None:
        """Why there is no predictive density; None where there is one."""
        return getattr(self._engine, "no_density", None)

    @property
    def row_model(self) -> NoReturn:
        """Refuse: there is no PyMC model with exchangeable rows."""
        raise TypeError(
            f"{self!r} is not a PyMC model, and draws neither truths nor rows from a prior: use a "
            "bc.Estimator there, for example bc.Truth(…, estimator=gaussian.estimator())"
        )

    def pymc_model(self) -> pm.Model:
        """Return the same posterior as a PyMC model, where there is one.

        Raises
        ------
        TypeError
            If this is not a PyMC model.
        """
        if self._model is None:
            raise TypeError(
                f"{self!r} is not a PyMC model: its posterior is drawn by "
                f"{type(self._engine).__name__} (method {self._engine.method!r})"
            )
        return self._model()

    def fingerprint(self) -> str:
        """Digest of the engine: its settings and the source of its class."""
        kind = type(self._engine)
        parts = (kind.__module__, kind.__qualname__, inspect.getsource(kind), repr(self._engine))
        return hashlib.sha256(repr((*parts, self.schema)).encode()).hexdigest()[:16]

    def resolve(self, method: str) -> str:
        """Name the method that ``method`` stands for.

        Raises
        ------
        ValueError
            If it is neither ``auto`` nor the engine's own.
        """
        own = self._engine.method
        if method not in ("auto", own):
            raise ValueError(
                f"method must be 'auto' or {own!r}, got {method!r}: {self!r} is not a PyMC model"
            )
        return own

    def engine(self, method: str = "auto") -> Engine:
        """Engine that draws the posterior."""
        self.resolve(method)
        return self._engine

    def fit(
        self,
        rows: xr.Dataset,
        weights: Any = None,
        *,
        method: str = "auto",
        draws: int = 500,
        tune: int | None = None,
        chains: int = 2,
        seed: int | None = None,
    ) -> xr.DataTree:
        """Posterior given weighted rows.

        Parameters
        ----------
        rows : Dataset
            Rows on ``obs``.
        weights : array_like, shape (obs,), optional
            Weight of every row, finite and not negative; 1 if not given.
        method : str, default "auto"
            ``auto``, or the method's own name.
        draws, chains : int
            Independent draws of the functionals a chain, and chains.
        tune : int, optional
            Not used: nothing is adapted.
        seed : int, optional
            Seed; a fresh one if not given.

        Returns
        -------
        DataTree
            Groups ``posterior`` (draws of the functionals), ``sample_stats``, ``observed_data`` and
            ``constant_data`` (covariates and weights).

        Raises
        ------
        ValueError
            If rows or weights are bad, or the posterior is improper.
        """
        integer("draws", draws)
        integer("chains", chains)
        values = self.schema.values(rows)
        checked = checked_weights(weights, rows.sizes[ROW_DIM])
        streams = Streams(entropy(seed))
        engine = self.engine(method)
        fit = self._condition(values, checked, streams)
        rng = streams.generator("keep", block=0, generation=0)
        kept = {name: value[0] for name, value in fit.keep(draws * chains, chains, rng).items()}
        return fit_tree(self.schema, kept, fit.figures, values, checked, method=engine.method)

    def emit(
        self,
        posterior: xr.DataTree,
        m: int,
        *,
        emission: str | Emission = "joint",
        covariates: xr.Dataset | None = None,
        seed: int | None = None,
    ) -> xr.Dataset:
        """Synthetic rows from a posterior.

        Parameters
        ----------
        posterior : DataTree
            As :meth:`fit` or ``bc.cell`` returns; its rows and weights are conditioned on anew,
            because the functionals in its ``posterior`` group do not determine the rows' law.
        m : int
            Number of rows.
        emission : {"joint", "plug-in", "predictive", "ensemble(K)"}
            How rows come from the posterior; see :class:`~bayescollapse.estimator.Emission`.
        covariates : Dataset, optional
            Covariates of the m rows; needed where the rows have any.
        seed : int, optional
            Seed; a fresh one if not given.

        Returns
        -------
        Dataset
            Responses and covariates on ``obs``.

        Raises
        ------
        ValueError
            If the tree holds no rows and weights, or covariates are missing.
        """
        integer("m", m)
        chosen = parse_emission(emission)
        x = checked_covariates(self.schema, covariates, m)
        streams = Streams(entropy(seed))
        fit = self._condition(*training_rows(self.schema, posterior), streams)
        rng = streams.generator("parameters", block=0, generation=0)
        noise = streams.generator("synthetic", block=0, generation=0)
        rows, _ = emit_rows(self._engine, fit, chosen, m, x, rng, noise)
        return self.schema.dataset({**rows, **x}, replicate=0, origin=np.full(m, chosen.label))

    def _condition(self, values: Values, weights: Floats, streams: Streams) -> Fit:
        group = Group((values,), self._engine.digest(values), len(weights), True, (0,))
        settings = FitSettings(
            1,
            1,
            None,
            lambda attempt: streams.integer("sampler", block=0, generation=0, attempt=attempt),
        )
        return self._engine.condition([group], [weights[None]], settings)
