"""Designs that repeat the directions of an orthonormal basis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import integer

__all__ = ["OrthonormalDesign"]


@dataclass(frozen=True)
class OrthonormalDesign:
    r"""Covariates that run through the vectors of an orthonormal basis, over and over.

    Row i is :math:`v_{i \bmod p}`. In m rows, a multiple of p, every direction occurs m/p times,
    and least squares treats the directions apart: the singular values of the design are all
    :math:`\sqrt{m/p}`.

    Parameters
    ----------
    features : int
        Number of columns p.
    basis : array_like, shape (features, features), optional
        One orthonormal vector per row; the unit vectors if not given.
    name : str, default "x"
        Name of the covariates in the model.

    Raises
    ------
    ValueError
        If the basis is not orthonormal.

    References
    ----------
    The synthetic covariates of Yi, Liu, Cheng and Xu 2025, arXiv:2510.16657.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.sources import OrthonormalDesign
    >>> OrthonormalDesign(2).block(1, 3, np.random.default_rng(0))["x"]
    array([[[1., 0.],
            [0., 1.],
            [1., 0.]]])
    """

    features: int
    basis: Any = None
    name: str = "x"

    def __post_init__(self) -> None:
        """Refuse a basis that is not orthonormal, and keep it as tuples."""
        integer("features", self.features)
        if self.basis is None:
            return
        basis = np.asarray(self.basis, dtype=np.float64)
        if basis.shape != (self.features, self.features):
            raise ValueError(
                f"basis must have shape {(self.features, self.features)}, one vector per row, got "
                f"{basis.shape}"
            )
        error = float(np.abs(basis @ basis.T - np.eye(self.features)).max())
        if not error < 1e-8:
            raise ValueError(
                f"basis must be orthonormal, but basis @ basis.T differs from the identity by "
                f"{error:.2g}: take the right singular vectors or a QR factor"
            )
        object.__setattr__(self, "basis", tuple(map(tuple, basis.tolist())))

    def block(self, replicates: int, m: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        """Covariates of shape (replicate, m, feature), the same in every replicate."""
        basis = np.eye(self.features) if self.basis is None else np.asarray(self.basis)
        x = basis[np.arange(m) % self.features]
        return {self.name: np.broadcast_to(x, (replicates, *x.shape))}
