"""Any PyMC model by NUTS, here a logistic regression on simulated rows."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bayescollapse as bc
from bayescollapse.models import logistic_regression
from golden.settings import Settings

ROWS = 200
SHARES = (0.25, 0.5, 0.618, 0.8)


@dataclass(frozen=True)
class FewShares:
    """Error against real share where replicates are few; errors are sums over coefficients."""

    shares: NDArray[np.float64]
    error: NDArray[np.float64]
    mcse: NDArray[np.float64]
    real_only: float
    real_only_mcse: float
    run: Any


def simulated(settings: Settings, executor: Executor, columns: int) -> FewShares:
    """Logistic regression with a known truth, the same number of columns as the table of part 3."""
    beta = np.concatenate([[-0.5], np.resize([1.0, -0.5, 0.5], columns)])
    truth = bc.Truth(beta=beta, covariates=_Design(columns))
    estimator = logistic_regression.estimator(features=columns + 1)
    return few_shares("logistic-simulated", settings, executor, estimator, truth, SHARES, ROWS)


def few_shares(
    name: str,
    settings: Settings,
    executor: Executor,
    estimator: Any,
    source: Any,
    shares: tuple[float, ...],
    rows: int,
) -> FewShares:
    """Run a NUTS loop at a few shares under joint emission, with the gate's figures."""
    size, shares = settings.fits, shares[:: 2 if settings.quick else 1]
    run = settings.run(
        name,
        executor,
        size,
        estimator,
        source,
        {f"{share:g}": bc.schemes.weighted(share) for share in shares},
        n_real=rows,
        references=("real_only",),
        probabilities=(0.025, 0.25, 0.5, 0.75, 0.975),
    )
    truth = run["truth"]["beta"]
    error = ((run["summary"]["beta"].sel(statistic="mean") - truth) ** 2).sum("feature")
    reference = ((run["reference/real_only"]["beta"].sel(statistic="mean") - truth) ** 2).sum(
        "feature"
    )
    lineage = (
        error.transpose("scheme", "replicate", "generation")
        .to_numpy()[:, :, size.window]
        .mean(axis=2)
    )
    alone = reference.transpose("replicate", "generation").to_numpy()[:, size.window].mean(axis=1)
    return FewShares(
        np.array(shares),
        lineage.mean(axis=1),
        lineage.std(axis=1, ddof=1) / np.sqrt(size.replicates),
        float(alone.mean()),
        float(alone.std(ddof=1) / np.sqrt(size.replicates)),
        run,
    )


@dataclass(frozen=True)
class _Design:
    """The design as a value, so that a stored run can be told from another."""

    columns: int

    def block(
        self, replicates: int, m: int, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float64]]:
        """Designs of a block of replicates."""
        x = rng.standard_normal((replicates, m, self.columns + 1))
        x[..., 0] = 1.0
        return {"x": x}
