"""Jobs: one plan for one block of replicates, the unit of work and of storage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bayescollapse.lineage.plan import Plan, make_plan
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.weighting import Weighting

__all__ = ["REFERENCES", "Job", "block_sizes", "reference_plans", "reference_rows", "scheme_key"]

REFERENCES = ("real_only", "real_seen", "real_plus")
"""Fits to real rows alone: a generation's n, all seen so far, and n + m fresh ones."""


@dataclass(frozen=True)
class Job:
    """One block of replicates of one plan.

    Parameters
    ----------
    label : str
        Scheme label, or ``reference/real_only`` and its like.
    key : str
        Digest of the plan, by which shards are found.
    plan : Plan
        Counts and weights of every generation.
    block, replicates : int
        Block of replicates, and how many of it are kept.
    """

    label: str
    key: str
    plan: Plan
    block: int
    replicates: int

    @property
    def name(self) -> str:
        """Name of the job's shards."""
        return f"{self.key}-{self.block:05d}-{self.replicates}"


def block_sizes(replicates: int, block: int) -> list[int]:
    """Replicates that are kept of every block."""
    full, rest = divmod(replicates, block)
    return [block] * full + ([rest] if rest else [])


def scheme_key(plan: Plan) -> str:
    """Digest of a scheme and its counts' meaning; independent of labels, names and generations."""
    scheme = plan.scheme
    if storable(scheme):
        description = scheme.to_dict()
    else:
        # A lambda has no name: its place in memory tells it from others while the run lasts.
        functions = [id(scheme.selection), id(scheme.weighting)]
        description = {"repr": repr(scheme), "functions": functions}
    kept = {k: v for k, v in description.items() if k not in ("name", "citation")}
    text = json.dumps(kept, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def reference_plans(
    names: Sequence[str], n_real: Sequence[int], n_synthetic: Sequence[int]
) -> Mapping[str, Plan]:
    """Plans of the references: ordinary schemes without synthetic rows."""
    none = [0] * len(n_synthetic)
    plans = {}
    for name in names:
        supply, counts = reference_rows(name, n_real, n_synthetic)
        scheme = Scheme(supply=supply, weighting=Weighting(), emission="plug-in", name=name)
        plan = make_plan(f"reference/{name}", scheme, n_real=counts, n_synthetic=none)
        plans[name] = replace(plan, emitted=(0,) * len(n_real))
    return plans


def reference_rows(
    name: str, n_real: Sequence[int], n_synthetic: Sequence[int]
) -> tuple[str, tuple[int, ...]]:
    """Supply of a reference, and the real rows of its batches."""
    if name != "real_plus":
        return "stream" if name == "real_seen" else "fresh", tuple(n_real)
    more = [n + m for n, m in zip(n_real, n_synthetic, strict=False)]
    return "fresh", (n_real[0], *more[1:])


def storable(scheme: Scheme) -> bool:
    """Whether the scheme's own functions, if any, can be named; lambdas live in memory only."""
    try:
        scheme.to_dict()
    except ValueError:
        return False
    return True
