"""The gate that every sampled posterior has to pass.

With short chains, the usual R-hat limit of 1.01 fails many perfect fits, so a larger R-hat is
accepted where converged chains of the same effective size would show it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri

from bayescollapse.estimator.diagnostics import Figures, diagnose

__all__ = ["Gate", "GateFigures", "gate", "rhat_limit"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GateFigures:
    """What the gate found of one fit.

    Parameters
    ----------
    rhat : float
        Largest rank-normalised split R-hat; NaN if a parameter never moves.
    ess_bulk, ess_tail : float
        Smallest effective sample sizes, in draws.
    divergences : int
        Number of divergent transitions.
    passed : bool
        Whether the fit passed.
    reason : str
        What failed; empty if it passed.
    """

    rhat: float
    ess_bulk: float
    ess_tail: float
    divergences: int
    passed: bool
    reason: str = ""


def rhat_limit(
    ess: ArrayLike, *, chains: int, draws: int, parameters: int, false_alarm: float = 0.001
) -> Floats:
    r"""R-hat that converged chains of the same effective size exceed with a given probability.

    Split in halves, c chains are M = 2c chains of N = ``draws // 2`` draws. If they all sample the
    same distribution, the variance of their means has a chi-squared distribution, and with S
    effective draws in all

    .. math:: \hat R^2 - 1 \approx \frac{M}{(M - 1) S} \chi^2_{M-1} - \frac{1}{N}.

    The probability is shared by all parameters and by the bulk and the folded figure of each
    (Bonferroni), which makes the true rate smaller: at most 1 in 4,000 simulated fits, for one and
    five parameters, two and four chains of 500 draws, and autocorrelations from -0.5 to 0.3. At
    the default probability of 0.001 per fit, two chains of 500 draws:

    ============== ====== ====== ====== ====== ======
    parameters     S=200  S=300  S=450  S=700  S=1000
    ============== ====== ====== ====== ====== ======
    1              1.0556 1.0367 1.0240 1.0148 1.0098
    5              1.0662 1.0439 1.0289 1.0179 1.0120
    20             1.0752 1.0501 1.0330 1.0206 1.0139
    ============== ====== ====== ====== ====== ======

    Parameters
    ----------
    ess : array_like
        Effective sample size S, in draws over all chains.
    chains, draws : int
        Chains, and draws a chain.
    parameters : int
        Number of scalar parameters of the fit.
    false_alarm : float
        Probability that converged chains exceed it in any parameter.

    Returns
    -------
    ndarray
        Limit of R-hat, of the shape of `ess`.
    """
    halves, length = 2 * chains, draws // 2
    quantile = chdtri(halves - 1, false_alarm / (2 * parameters))
    with np.errstate(divide="ignore"):
        excess = halves * quantile / ((halves - 1) * np.asarray(ess, dtype=np.float64))
    limit: Floats = np.sqrt(1.0 + np.maximum(excess - 1.0 / length, 0.0))
    return limit


@dataclass(frozen=True)
class Gate:
    """Limits of a fit.

    A fit passes if every parameter has R-hat at most `rhat`, or at most :func:`rhat_limit` at its
    own effective size (the smaller of bulk and folded, and at least the required one), if bulk and
    tail effective sizes are at least `ess_per_chain` a chain, and if no transition diverged. A
    parameter that never moves, or is not finite, fails.

    Converged chains fail because of R-hat with probability at most about `false_alarm` per fit.

    Parameters
    ----------
    rhat : float, default 1.01
        R-hat that always passes.
    ess_per_chain : float, default 100
        Smallest bulk and tail effective sample size, times the number of chains.
    false_alarm : float, default 0.001
        Probability behind the alternative limit of R-hat.
    """

    rhat: float = 1.01
    ess_per_chain: float = 100.0
    false_alarm: float = 0.001

    def __call__(self, draws: Floats, divergences: int | NDArray[np.bool_] = 0) -> GateFigures:
        """Judge one fit.

        Parameters
        ----------
        draws : ndarray, shape (chain, draw, parameter)
            Draws after adaptation.
        divergences : int or ndarray of bool
            Number of divergent transitions, or a flag per draw.

        Returns
        -------
        GateFigures
        """
        chains, length, _ = draws.shape
        figures, diverged = diagnose(draws), int(np.sum(divergences))
        reasons = self._reasons(figures, chains, length)
        if diverged:
            reasons.append(f"{diverged} divergent transitions")
        return GateFigures(
            rhat=float(figures.rhat.max()),
            ess_bulk=float(figures.ess_bulk.min()),
            ess_tail=float(figures.ess_tail.min()),
            divergences=diverged,
            passed=not reasons,
            reason="; ".join(reasons),
        )

    def converged(
        self, figures: Figures, *, chains: int, draws: int, parameters: int
    ) -> NDArray[np.bool_]:
        """Which parameters pass the rule of R-hat.

        Parameters
        ----------
        figures : Figures
            Diagnostics of the parameters.
        chains, draws : int
            Chains, and draws a chain.
        parameters : int
            Number of scalar parameters of the fit.

        Returns
        -------
        ndarray, shape (parameter,)
        """
        # Disagreeing chains have a small effective size, which must not excuse their R-hat.
        smaller = np.minimum(figures.ess_bulk, figures.ess_folded)
        smaller = np.fmax(smaller, self.ess_per_chain * chains)
        limit = rhat_limit(
            smaller, chains=chains, draws=draws, parameters=parameters, false_alarm=self.false_alarm
        )
        return figures.rhat <= np.fmax(self.rhat, limit)

    def _reasons(self, figures: Figures, chains: int, draws: int) -> list[str]:
        reasons, needed = [], self.ess_per_chain * chains
        rhat_passed = self.converged(
            figures, chains=chains, draws=draws, parameters=len(figures.rhat)
        )
        if not rhat_passed.all():
            reasons.append(
                f"R-hat {figures.rhat[~rhat_passed].max():.3f} of {(~rhat_passed).sum()} parameters"
            )
        for name, ess in (("bulk", figures.ess_bulk), ("tail", figures.ess_tail)):
            if not (ess >= needed).all():
                reasons.append(f"{name} ESS {ess.min():.0f} below {needed:.0f}")
        return reasons


gate = Gate()
"""The gate of every fit."""
