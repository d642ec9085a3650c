"""Priors of a linear regression: of the noise variance, and precisions of the coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse._checks import positive
from bayescollapse.estimator.exact import Floats

__all__ = ["InverseGamma", "PriorPrecision", "g_prior"]


@dataclass(frozen=True)
class InverseGamma:
    """Inverse-gamma prior of a noise variance.

    Parameters
    ----------
    shape, scale : float
        Shape and scale of the law of ``sigma**2``, positive. The prior is worth ``2 * shape`` rows
        whose mean squared residual is ``scale / shape``.
    """

    shape: float = 2.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        positive("shape", self.shape)
        positive("scale", self.scale)


@dataclass(frozen=True)
class PriorPrecision:
    """Prior precision matrix of regression coefficients, in units of one over the noise variance.

    Parameters
    ----------
    matrix : array_like, shape (feature, feature)
        Symmetric and positive definite; kept as nested tuples, so that equal priors are equal.

    Raises
    ------
    ValueError
        If the matrix is not symmetric and positive definite.
    """

    matrix: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        """Check the matrix."""
        matrix = np.asarray(self.matrix, dtype=np.float64)
        square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
        if not square or not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T):
            raise ValueError(
                "prior_precision must be a finite symmetric matrix (feature, feature), got an "
                f"array of shape {matrix.shape}: check it, or build it with g_prior(design)"
            )
        values = np.linalg.eigvalsh(matrix)
        if values[0] <= 1e-12 * values[-1]:
            raise ValueError(
                "prior_precision must be positive definite, got a matrix with eigenvalues from "
                f"{values[0]:.3g} to {values[-1]:.3g}: the prior would be improper; use a design "
                "with more rows and no collinear columns, or prior_sd"
            )
        object.__setattr__(self, "matrix", tuple(map(tuple, matrix.tolist())))

    def array(self) -> Floats:
        """Return the matrix, shape (feature, feature)."""
        return np.array(self.matrix)


def g_prior(design: ArrayLike, g: float | None = None) -> PriorPrecision:
    r"""Zellner's g-prior of a fixed reference design.

    .. math:: \beta \mid \sigma \sim \mathrm{Normal}(0, g\, \sigma^2 (X_0^\top X_0)^{-1})

    Parameters
    ----------
    design : array_like, shape (obs, feature)
        Reference design :math:`X_0`, for example the covariates of the first real rows. It stays
        the same in every generation: a prior that read the rows would change with them.
    g : float, optional
        Positive; the prior is worth ``1 / g`` copies of the design, so the number of its rows, the
        default, makes it worth one row (unit information).

    Returns
    -------
    PriorPrecision
        For the argument ``prior_precision`` of :func:`estimator`.

    Raises
    ------
    ValueError
        If the design has collinear columns, fewer rows than columns, or `g` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.models.linear_regression import g_prior
    >>> g_prior(np.array([[1.0, 0.0], [0.0, 2.0]]), g=4).array()
    array([[0.25, 0.  ],
           [0.  , 1.  ]])
    """
    x = np.asarray(design, dtype=np.float64)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise ValueError(
            f"design must be a finite array (obs, feature), got shape {x.shape}: pass rows['x']"
        )
    g = float(len(x)) if g is None else positive("g", g)
    return PriorPrecision(matrix=x.T @ x / g)  # type: ignore[arg-type]
