"""A verifier that believes in a centre and accepts what lies within a ball around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import integer, real_number
from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.base import RowSelection, Strata
from bayescollapse.schemes.selection.columns import (
    covariate_name,
    optional_name,
    plain_numbers,
    response_name,
)
from bayescollapse.schemes.selection.strata import common_rows, distinct_rows

__all__ = ["VerifierBall"]


@dataclass(frozen=True, repr=False)
class VerifierBall(RowSelection):
    r"""Accept the rows whose residual against a verifier's centre is small.

    .. math:: |y - x^\top \theta_c| \le r \lVert x \rVert + s

    Parameters
    ----------
    radius : float
        Radius r of the verifier's ball, 0 or more, in units of the coefficients.
    slack : float
        Residual s allowed on top, 0 or more, in units of the response. The authors' code uses the
        mean absolute noise, ``sigma * sqrt(2 / pi)``. Radius and slack must not both be 0.
    centre : float or array_like, shape (feature,), optional
        The coefficients theta_c that the verifier believes in; one number stands for all of them.
        If not given, the truth plus `bias`: the selection then reads the oracle.
    bias : float or array_like, shape (feature,), default 0
        Verifier minus truth, where no centre is given. One number is added to every coefficient, so
        that the distance is ``bias * sqrt(features)``.
    per : {"direction", None}, default None
        ``direction``: every distinct row of covariates is a stratum of its own, and all strata are
        filled equally: m/p accepted rows along each of p directions, as in the authors' code. The
        proposals must then hold all directions in equal number, which
        :class:`~bayescollapse.sources.orthonormal.OrthonormalDesign` provides.
    response, covariates, parameter : str, optional
        Names of y, x and the true coefficients; found where only one variable fits.
    max_proposals : int, default 100
        Proposals per wanted row after which a lineage is marked and goes on.

    Raises
    ------
    ValueError
        If a value is out of range, or a centre comes with a bias.

    Notes
    -----
    Without covariates x = 1: the verifier of a Gaussian mean. A response of several numbers,
    without covariates, is accepted within the Euclidean distance ``radius + slack`` of the centre.

    Rows pull the next posterior towards the centre, whatever the truth: with growing batches
    theta_t tends to theta_c. Laws: :func:`bayescollapse.theory.verified_step` (one generation),
    :func:`~bayescollapse.theory.verified_path` and
    :func:`~bayescollapse.theory.verified_error_bound` (many, plug-in emission, one direction per
    stratum), :func:`~bayescollapse.theory.contraction_rate`.

    References
    ----------
    Yi, Liu, Cheng and Xu 2025, arXiv:2510.16657.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.schemes import Context
    >>> from bayescollapse.schemes.selection.verifier import VerifierBall
    >>> ball = VerifierBall(radius=0.1, slack=0.8, centre=(1.0, 0.0))
    >>> rows = {"y": np.array([[1.5, 3.0]]), "x": np.array([[[1.0, 0.0], [1.0, 1.0]]])}
    >>> ball.select(rows, Context(1, 0, 2, np.random.default_rng(0)))
    array([[ True, False]])
    """

    radius: float
    slack: float
    centre: Any = None
    bias: Any = 0.0
    per: str | None = None
    response: str | None = None
    covariates: str | None = None
    parameter: str | None = None
    max_proposals: int = 100

    def __post_init__(self) -> None:
        """Refuse values out of range, and turn arrays into tuples."""
        for name in ("radius", "slack"):
            if real_number(name, getattr(self, name)) < 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)!r}")
        if self.radius + self.slack <= 0:
            raise ValueError(
                "radius + slack must be positive, got 0: a verifier that allows no residual keeps "
                "no row; pass a larger radius or slack"
            )
        object.__setattr__(self, "bias", plain_numbers("bias", self.bias))
        if self.centre is not None:
            object.__setattr__(self, "centre", plain_numbers("centre", self.centre))
            if np.any(self.bias):
                raise ValueError(
                    f"bias={self.bias!r} is counted from the truth, but centre={self.centre!r} is "
                    "given: pass one of them"
                )
        if self.per not in (None, "direction"):
            raise ValueError(f"per must be 'direction' or None, got {self.per!r}")
        for name in ("response", "covariates", "parameter"):
            optional_name(name, getattr(self, name))
        integer("max_proposals", self.max_proposals)

    @property
    def reads_oracle(self) -> bool:  # type: ignore[override]
        """Whether the centre is counted from the truth."""
        return self.centre is None

    def select(self, rows: Values, context: Context) -> NDArray[np.bool_]:
        """Whether each row is accepted, shape (replicate, obs)."""
        response = response_name(rows, self.response)
        name = covariate_name(rows, self.covariates, response)
        y = rows[response]
        if name is None:
            return np.asarray(self._distance(y, context) <= self.radius + self.slack)
        if y.ndim != 2:
            raise ValueError(
                f"VerifierBall judges one number per row where there are covariates {name!r}, but "
                f"{response!r} has {y.shape[2:]} per row: pass response="
            )
        x = common_rows(rows[name])
        predicted = _times(x, self._centre(x.shape[2:], context))
        allowed = self.radius * np.sqrt(np.einsum("rmp,rmp->rm", x, x)) + self.slack
        return np.asarray(np.abs(y - predicted) <= allowed)

    def strata(self, rows: Values, context: Context) -> Strata | None:
        """Directions of the covariates, where `per` asks for them."""
        if self.per is None:
            return None
        name = covariate_name(rows, self.covariates, response_name(rows, self.response))
        if name is None:
            return None
        codes, count = distinct_rows(rows[name], f"covariates {name!r}")
        wanted = context.n_synthetic
        if count > 1 and (wanted % count or 2 * count > wanted):
            raise ValueError(
                f"per='direction' needs a number of synthetic rows that the directions divide, at "
                f"least 2 each, but {wanted} are wanted and the covariates {name!r} have {count} "
                "distinct rows: use OrthonormalDesign, change n_synthetic, or leave out per="
            )
        return codes, count

    def _distance(self, y: Floats, context: Context) -> Floats:
        away = y - self._centre(y.shape[2:], context)
        return np.abs(away) if y.ndim == 2 else np.sqrt(np.einsum("rmd,rmd->rm", away, away))

    def _centre(self, shape: tuple[int, ...], context: Context) -> Floats:
        """Centre that broadcasts with (replicate, obs, *shape)."""
        if self.centre is not None:
            return _fitted("centre", self.centre, shape)
        truth = self._truth(shape, context)
        return truth[:, None] + _fitted("bias", self.bias, shape)

    def _truth(self, shape: tuple[int, ...], context: Context) -> Floats:
        if context.oracle is None:
            raise ValueError(
                "centre is counted from the truth, which this run does not know: pass centre="
            )
        known = {str(name): variable.values for name, variable in context.oracle.data_vars.items()}
        fitting = [name for name, value in known.items() if value.shape[1:] == shape]
        if self.parameter is not None and self.parameter not in known:
            raise ValueError(
                f"parameter names {self.parameter!r}, but the truth has {sorted(known)}: use one "
                "of these names"
            )
        if self.parameter is None and len(fitting) != 1:
            raise ValueError(
                f"parameter must be named: {fitting} of the true parameters {sorted(known)} have "
                f"the shape {shape} of the coefficients; pass parameter="
            )
        return known[self.parameter or fitting[0]]


def _fitted(argument: str, value: Any, shape: tuple[int, ...]) -> Floats:
    array: Floats = np.asarray(value, dtype=np.float64)
    if array.ndim and array.shape != shape and array.size != 1:
        raise ValueError(
            f"{argument} has shape {array.shape}, but the rows need {shape}: pass one number per "
            "coefficient, or a single one"
        )
    return array if array.shape == shape else np.full(shape, float(array.item()))


def _times(x: Floats, centre: Floats) -> Floats:
    """Linear predictor (replicate or 1, obs) of a common centre, or of one per replicate."""
    if centre.ndim == 1:
        return np.asarray(x @ centre)
    return np.asarray(np.matmul(x, centre[:, 0, :, None])[..., 0])
