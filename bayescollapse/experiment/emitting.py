"""A reference that emits: what rows a posterior of real rows alone would have given."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from bayescollapse.experiment.jobs import reference_rows
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.weighting import Weighting

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["emitting_reference"]


def emitting_reference(experiment: Experiment, name: str) -> Experiment:
    """Experiment whose one scheme is a reference that emits rows and keeps them.

    References of a run emit nothing. This one has the same posteriors, since the rows that it emits
    have weight 0: bit for bit, unless they are sampled and ``keep_reference_draws`` gave those of
    the run random streams of their own.

    Parameters
    ----------
    experiment : Experiment
        Any experiment.
    name : {"real_only", "real_seen", "real_plus"}
        The reference.

    Returns
    -------
    Experiment
        With joint emission, the source's own covariates, no selection, no references of its own
        and no held-out rows. Running it costs what the reference cost.
    """
    supply, counts = reference_rows(name, experiment.n_real, experiment.n_synthetic)
    twin = copy.copy(experiment)
    twin.__dict__.pop("held_out_rows", None)
    twin.schemes = {
        name: Scheme(
            supply=supply,
            weighting=Weighting(real_share=1.0, total_weight="real"),
            emission="joint",
            name=name,
        )
    }
    twin.n_real, twin.references, twin.held_out = counts, (), None
    twin.record = replace(experiment.record, keep_draws=0, keep_rows="all")
    twin.plans = twin._plans()
    return twin
