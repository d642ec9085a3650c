"""What happens over generations: drift and coverage of five loops on a Gaussian."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import bayescollapse as bc
from bayescollapse.models import gaussian
from golden.scenarios import ROWS
from golden.settings import Settings


def over_generations(settings: Settings, executor: Executor) -> Any:
    """Run five well-known loops on a Gaussian mean and variance, with references."""
    schemes = {
        "only synthetic": bc.schemes.replace(),
        "accumulate": bc.schemes.accumulate(),
        "pooled, fresh real rows": bc.schemes.pooled(),
        "optimal share": bc.schemes.optimal(),
        "optimal share, calibrated": bc.schemes.optimal(total_weight="calibrated"),
    }
    return settings.run(
        "loops-over-generations",
        executor,
        settings.exact,
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        schemes,
        n_real=ROWS,
        references=("real_only",),
        probabilities=(0.025, 0.25, 0.5, 0.75, 0.975),
    )
