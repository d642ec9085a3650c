r"""Mean-field Gaussian approximation of a density, fitted by stochastic gradients.

For an unconstrained vector :math:`x` with log density :math:`\log p(x)`, the approximation
:math:`q(x) = \prod_j \mathrm{Normal}(m_j, s_j^2)` maximises the evidence lower bound
:math:`\mathrm{E}_q[\log p(x) - \log q(x)]` [1]_. Its sds are too small where the posterior is
correlated: for a Gaussian posterior with precision matrix :math:`H` they are
:math:`H_{jj}^{-1/2}`, the conditional sds.

The gradient is that of :math:`\log p(x) - \log q(x)` along the path :math:`x = m + s \epsilon`
alone [2]_, which has no noise at the optimum when the posterior is Gaussian and independent. Adam
[3]_ climbs in stages of decreasing steps; a stage ends when the bound stops rising, and the result
is the average over a few hundred more steps [4]_. What remains is an error of the means of up to
about a tenth of a posterior sd.

.. [1] Kucukelbir, Tran, Ranganath, Gelman and Blei (2017). Automatic differentiation variational
   inference. JMLR 18(14). arXiv:1603.00788
.. [2] Roeder, Wu and Duvenaud (2017). Sticking the landing. arXiv:1703.09194
.. [3] Kingma and Ba (2015). Adam. arXiv:1412.6980
.. [4] Dhaka, Catalina, Andersen, Magnusson, Huggins and Vehtari (2020). Robust, accurate stochastic
   optimization for variational inference. arXiv:2009.00666
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_STEPS", "POLISH", "WINDOW", "MeanField", "fit_mean_field"]

Floats = NDArray[np.float64]

WINDOW = 100
"""Steps between two looks at the bound."""

POLISH = 500
"""Last steps of a fit that has converged, whose states are averaged."""

MAX_STEPS = 20_000
"""Steps after which a fit has not converged."""

STEPS = (0.1, 0.03, 0.01)
"""Step sizes of the stages. In the first stage they are absolute, or in units of a variable's sd
where this exceeds 1; in the others in units of the sd."""

TOLERANCE = 0.003
"""A rise of the bound by less than this many nats a window, times the root of the number of
variables, is none; nor is one below two standard errors."""

_START_SD = 0.1
_FAILURES = 50
_HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True, eq=False)
class MeanField:
    """A fitted approximation.

    Parameters
    ----------
    mean, log_sd : ndarray, shape (variable,)
        Of every variable, on the unconstrained scale.
    elbo : float
        Evidence lower bound, averaged over the last steps, in nats. The density need not be
        normalised; an improper prior shifts the bound by an arbitrary constant.
    iterations : int
        Steps taken.
    converged : bool
        Whether every stage ended before the steps ran out.
    """

    mean: Floats
    log_sd: Floats
    elbo: float
    iterations: int
    converged: bool

    def draw(self, count: int, rng: np.random.Generator, which: slice = slice(None)) -> Floats:
        """Independent draws of some variables, shape (count, variable)."""
        mean, sd = self.mean[which], np.exp(self.log_sd[which])
        return np.asarray(mean + sd * rng.standard_normal((count, len(mean))))


def fit_mean_field(
    density: Callable[[Floats], tuple[float, Floats]],
    start: Floats,
    rng: np.random.Generator,
    *,
    counts: Floats | None = None,
    max_steps: int = MAX_STEPS,
) -> MeanField:
    """Fit a mean-field Gaussian to a log density.

    Parameters
    ----------
    density : callable
        Log density and its gradient at a point of shape (variable,).
    start : ndarray, shape (variable,)
        Means to start from; sds start at 0.1.
    rng : Generator
        Source of randomness; the same state gives the same bits.
    counts : ndarray, shape (variable,), optional
        How often the entropy of a variable counts; once if not given.
    max_steps : int
        Steps after which the fit ends without convergence.

    Returns
    -------
    MeanField

    Raises
    ------
    ValueError
        If the density is not finite at 50 draws in a row.

    Examples
    --------
    A normal density with mean 3 and sd 2:

    >>> import numpy as np
    >>> from bayescollapse.estimator.mean_field import fit_mean_field
    >>> fit = fit_mean_field(
    ...     lambda x: (-0.5 * ((x - 3) ** 2).sum() / 4, -(x - 3) / 4), np.zeros(1),
    ...     np.random.default_rng(1))
    >>> [round(float(v), 2) for v in (fit.mean[0], np.exp(fit.log_sd[0]))], fit.converged
    ([3.0, 2.0], True)
    """
    climb = _Climb(density, start, rng, np.ones_like(start) if counts is None else counts)
    for number, step in enumerate(STEPS):
        climb.forget()
        before: Floats | None = None
        while climb.taken < max_steps:
            bounds = climb.window(min(WINDOW, max_steps - climb.taken), step, first=number == 0)
            if before is not None and not _rises(before, bounds, len(start)):
                break
            before = bounds
        else:
            return climb.result(float(bounds.mean()), converged=False)
    bounds = climb.window(POLISH, STEPS[-1], first=False)
    return climb.result(float(bounds.mean()), converged=True)


class _Climb:
    """Means, log sds and the moments of Adam while the bound is climbed."""

    def __init__(
        self,
        density: Callable[[Floats], tuple[float, Floats]],
        start: Floats,
        rng: np.random.Generator,
        counts: Floats,
    ) -> None:
        self._density, self._rng, self._counts = density, rng, counts
        self._state = np.stack([start, np.full_like(start, np.log(_START_SD))])
        self._average = self._state.copy()
        self.taken = 0
        self.forget()

    def forget(self) -> None:
        """Start a stage: Adam forgets its moments."""
        self._first, self._second = np.zeros((2, *self._state.shape))
        self._age = 0

    def window(self, length: int, step: float, *, first: bool) -> Floats:
        """Take some steps; return the bound at each, and keep the average of the states."""
        bounds, failed = np.empty(length), 0
        self._average = np.zeros_like(self._state)
        for i in range(length):
            bounds[i], gradient = self._sample()
            while not (np.isfinite(bounds[i]) and np.isfinite(gradient).all()):
                if (failed := failed + 1) > _FAILURES:
                    raise ValueError(
                        f"the log density is not finite at {_FAILURES} draws in a row: check that "
                        "the rows lie in the support of the likelihood, and give free variables an "
                        "initval where their starting point is impossible"
                    )
                bounds[i], gradient = self._sample()
            failed = 0
            self._move(gradient, step, first)
            self._average += self._state / length
        self.taken += length
        return bounds

    def result(self, elbo: float, *, converged: bool) -> MeanField:
        """Average over the last window."""
        mean, log_sd = self._average
        return MeanField(mean, log_sd, elbo, self.taken, converged)

    def _sample(self) -> tuple[float, Floats]:
        mean, log_sd = self._state
        sd, noise = np.exp(log_sd), self._rng.standard_normal(len(mean))
        value, gradient = self._density(mean + sd * noise)
        path = gradient + self._counts * noise / sd
        entropy = self._counts @ (log_sd + 0.5 * noise**2 + _HALF_LOG_2PI)
        return value + float(entropy), np.stack([path, path * sd * noise])

    def _move(self, gradient: Floats, step: float, first: bool) -> None:
        self._age += 1
        self._first += 0.1 * (gradient - self._first)
        self._second += 0.001 * (gradient**2 - self._second)
        direction = self._first / (1 - 0.9**self._age)
        direction /= np.sqrt(self._second / (1 - 0.999**self._age)) + 1e-12
        sd = np.exp(self._state[1])
        self._state[0] += step * direction[0] * (np.maximum(sd, 1.0) if first else sd)
        self._state[1] += step * direction[1]


def _rises(before: Floats, after: Floats, size: int) -> bool:
    rise = after.mean() - before.mean()
    error = np.sqrt((before.var() + after.var()) / len(after))
    return bool(rise > max(2 * error, TOLERANCE * np.sqrt(size)))
