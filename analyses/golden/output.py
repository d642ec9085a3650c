"""The page of the golden-ratio analysis, and its findings in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import bayescollapse as bc
from bayescollapse.reporting import Section
from golden import tables, words
from golden.figures import few_figure, growth_figure, ratio_figure, save, share_figure
from golden.growth import Growth
from golden.logistic import FewShares
from golden.ratios import Ratio
from golden.simulated import Sweep

GOLDEN = (np.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Results:
    """Everything that was measured.

    Parameters
    ----------
    sweeps, marginal : sequence of Sweep
        Error against real share, on simulated rows and for the columns of the real table.
    growths : sequence of Growth
        Loops without fresh real rows.
    ratios : sequence of Ratio
        Pooled rows against the best share.
    few : dict of str to FewShares
        The NUTS parts.
    loops : DataTree
        Five loops over generations.
    """

    sweeps: Sequence[Sweep]
    marginal: Sequence[Sweep]
    growths: Sequence[Growth]
    ratios: Sequence[Ratio]
    few: dict[str, FewShares]
    loops: Any

    @property
    def golden(self) -> list[Sweep]:
        """Sweeps at as many real as synthetic rows, plug-in emission."""
        return [s for s in self.sweeps if s.ratio == 1 and s.emission == "plug-in"]


def findings(results: Results) -> str:
    """State what was found, in figures of this run."""
    return "\n\n".join(
        [_golden(results), _posterior(results), _growth(results), _pooling(results), _laws(results)]
    )


def sections(results: Results, out: Path) -> list[Section]:
    """Sections of the page; every picture is also written as a PNG file."""
    drawn = [s for s in results.sweeps if s.ratio == 1 and s.emission != "plug-in"]
    other = [s for s in results.sweeps if s.ratio != 1]
    errors = tables.best_rows(results.sweeps)
    parts = [
        _shares("Rows made at a point estimate", words.SIX, results.golden, ("model",), out),
        _shares("Rows drawn from the posterior", words.DRAWN, drawn, ("model", "emission"), out),
        _shares("More or fewer real rows", words.OTHER, other, ("model", "k"), out),
        Section("Errors at the best share, and the laws", words.ERRORS, errors),
        Section(
            "Without fresh real rows",
            words.GROWTH,
            tables.growth_rows(results.growths),
            save(growth_figure(results.growths), out, "growth"),
            words.GROWTH_CAPTION,
        ),
        Section(
            "Few real rows: pool them, or weigh them?",
            words.RATIOS,
            tables.ratio_rows(results.ratios),
            save(ratio_figure(results.ratios), out, "few-real-rows"),
            words.RATIOS_CAPTION,
        ),
        _shares("Real table: shares of categories", words.TABLE, results.marginal, ("model",), out),
        Section("Real table: errors", words.TABLE_ERRORS, tables.best_rows(results.marginal)),
    ]
    for name, result in results.few.items():
        picture = save(few_figure(result), out, f"share-{name}")
        parts.append(Section(name, words.NUTS, tables.few_rows(result), picture, words.FEW))
    parts.append(
        Section("Did every fit pass its checks?", words.GATE, tables.gate_rows(results.few))
    )
    drift = bc.plot_drift(results.loops, measures=["squared_error", "kl_first"])
    coverage = bc.plot_information(results.loops, measures=["coverage", "certainty"])
    return [
        *parts,
        Section(
            "Drift over generations",
            words.LOOPS,
            figure=save(drift, out, "drift"),
            caption=words.DRIFT,
        ),
        Section(
            "Coverage over generations",
            figure=save(coverage, out, "coverage"),
            caption=words.COVERAGE,
        ),
        Section("Every error", words.EVERY),
    ]


def _shares(
    title: str, text: str, sweeps: Sequence[Sweep], facets: tuple[str, ...], out: Path
) -> Section:
    """Show where the smallest errors are."""
    picture = save(share_figure(sweeps, facets), out, f"share-{title}")
    return Section(title, text, tables.share_rows(sweeps), picture, words.SHARES)


def _golden(results: Results) -> str:
    inside = [s for s in results.golden if s.located.low <= GOLDEN <= s.located.high]
    places = [f"{s.located.share:.3f}" for s in results.golden]
    return (
        "Golden ratio. With as many real as synthetic rows, made at a point estimate, the smallest "
        f"error was found at a real share between {min(places)} and {max(places)} in "
        f"{len(places)} models; {GOLDEN:.3f} lies in the 95 % interval of {len(inside)} of them."
    )


def _posterior(results: Results) -> str:
    found = [
        s
        for s in results.sweeps
        if s.model == "Gaussian mean" and s.ratio == 1 and s.emission == "joint"
    ]
    sweep = found[0]
    low, high = sweep.located.low, sweep.located.high
    where = "inside" if low <= GOLDEN <= high else "outside"
    return (
        "Rows drawn from the posterior. If a posterior draw makes the rows, as a Bayesian would, "
        f"the best share for a Gaussian mean was found at {sweep.located.share:.3f} (95 % interval "
        f"{low:.3f} to {high:.3f}; theory {sweep.optimum:.3f}); {GOLDEN:.3f} lies {where}."
    )


def _growth(results: Results) -> str:
    last = results.growths[0]
    return (
        "Without fresh real rows the squared error of a Gaussian mean grew "
        f"{last.error[-1]:.0f}-fold (± {last.mcse[-1]:.1f}) in {len(last.error) - 1} generations; "
        f"theory says {last.law[-1]:.0f}-fold."
    )


def _pooling(results: Results) -> str:
    mean = [r for r in results.ratios if r.model == "Gaussian mean"]
    least = min(r.ratio for r in mean)
    pooled, best = (r for r in mean if r.ratio == least)
    return (
        f"Few real rows. With {1 / least:.0f} synthetic rows for a real one, pooling all rows gave "
        f"{pooled.error:.3f} ± {pooled.mcse:.3f} of the error of the real rows alone (theory "
        f"{pooled.law:.3f}), the best share {best.error:.3f} ± {best.mcse:.3f} (theory "
        f"{best.law:.3f}). In theory pooling never gets below one half, and the best share goes to "
        "zero."
    )


def _laws(results: Results) -> str:
    sweeps = [s for s in (*results.sweeps, *results.marginal) if s.kind == "exact"]
    ratios = [found.z for found in results.ratios if found.kind == "exact"]
    z = np.abs(np.concatenate([*(s.z_scores for s in sweeps), ratios]))
    return (
        f"Laws. Of {z.size} errors with fresh real rows and an exact law, {np.mean(z < 2):.0%} are "
        f"within two Monte Carlo standard errors of it (95 % by chance alone), and the largest "
        f"distance is {z.max():.1f} ({_expected_largest(z.size):.1f} by chance, if they were "
        "independent; errors of one model at several shares see the same random numbers)."
    )


def _expected_largest(count: int) -> float:
    """Median of the largest of some absolute standard normals."""
    from scipy.special import ndtri

    return float(-ndtri((1 - 0.5 ** (1 / count)) / 2))
