"""Follow a loop whose synthetic rows must pass a verifier, which may itself be wrong.

Three parts, each with tables of theory beside measurement, on one page: one round over the
verifier's bias and radius; many rounds with growing batches; and what becomes of credible regions.
Results go to ``results/verification``; an interrupted run resumes.

    uv run analyses/verification.py
    uv run analyses/verification.py --quick
    uv run analyses/verification.py --replicates 2048 --seed 1
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import Executor
from pathlib import Path

import xarray as xr
from rich.console import Console
from verification_parts import loops, one_round, output
from verification_parts.figures import Results
from verification_parts.report import write_page
from verification_parts.settings import Settings

from bayescollapse.experiment.executor import local_processes


def main() -> None:
    """Run the analysis."""
    arguments = parse()
    started = time.monotonic()
    console = Console()
    settings = make_settings(arguments)
    settings.out.mkdir(parents=True, exist_ok=True)
    with local_processes(arguments.workers) as executor:
        path = run(settings, executor, console)
    console.print(f"\nReport: {path}\nRuns, tables and figures: {settings.out}")
    console.print(f"Took {time.monotonic() - started:.0f} s.")


def run(settings: Settings, executor: Executor, console: Console) -> Path:
    """Run the parts, print their tables and write the page."""
    cells = one_round.measure(settings, executor)
    even = output.break_even_rows(cells)
    output.print_table(console, "1. One round: distance at which gain turns into loss", even)
    rates = follow(settings, executor, loops.rates(settings))
    contraction = output.contraction_rows(rates)
    output.print_table(console, "2. Many rounds: contraction towards the centre", contraction)
    reversal = follow(settings, executor, loops.reversals(settings))
    shown = (0, settings.generations // 6, settings.generations - 1)
    covered = [r for r in output.coverage_rows(reversal) if r["holds"] == "truth"]
    few = output.rounded(output.at(covered, shown, drop=("radius", "holds")), shares=True)
    output.print_table(console, "3. Share of 95 % regions that hold the truth", few)
    parts = comparisons(cells, rates, reversal)
    agreement = output.agreement_rows(parts)
    output.print_table(console, "4. Agreement with theory", agreement)
    marked = output.marked_rows(
        cells, settings.replicates, {"Many rounds": rates, "Reversal and coverage": reversal}
    )
    output.print_table(console, "5. Lineages short of accepted rows", marked)
    console.print("\n" + "\n\n".join(output.findings(cells, rates, reversal)))
    for name, rows in parts.items():
        output.write_csv(
            settings.out / f"{name.lower().replace(',', '').replace(' ', '-')}.csv", rows
        )
    return write_page(settings, cells, rates, reversal, agreement, marked)


def follow(settings: Settings, executor: Executor, study: loops.Study) -> Results:
    """Run the loops of a study, and put their laws beside them."""
    return output.follow_all(study, loops.run(settings, executor, study))


def comparisons(cells: xr.Dataset, rates: Results, reversal: Results) -> dict[str, output.Rows]:
    """Every figure that is compared with theory, by part."""
    return {
        "One round": output.cell_rows(cells),
        "Break-even distance": output.break_even_rows(cells),
        "Many rounds, distances": output.error_rows(rates),
        "Many rounds, acceptance": output.acceptance_rows(rates),
        "Many rounds, contraction": output.contraction_rows(rates),
        "Many rounds, coverage": output.coverage_rows(rates),
        "Reversal, distances": output.error_rows(reversal),
        "Reversal, acceptance": output.acceptance_rows(reversal),
        "Reversal, coverage": output.coverage_rows(reversal),
    }


def make_settings(arguments: argparse.Namespace) -> Settings:
    """Sizes of the default or the quick analysis, with what the command line changes."""
    quick = arguments.quick
    return Settings(
        replicates=arguments.replicates or (256 if quick else 1024),
        generations=arguments.generations or (21 if quick else 31),
        distances=8 if quick else 15,
        radii=6 if quick else 11,
        seed=arguments.seed,
        out=arguments.out,
    )


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a small run, within a minute")
    parser.add_argument("--replicates", type=positive, help="lineages of every scheme, at least 2")
    parser.add_argument("--generations", type=positive, help="generations of loops, at least 3")
    parser.add_argument("--seed", type=int, default=0, help="seed of every experiment")
    parser.add_argument(
        "--out", type=Path, default=Path("results/verification"), help="where results go"
    )
    parser.add_argument("--workers", type=positive, default=2, help="local processes")
    arguments = parser.parse_args()
    if arguments.replicates == 1:
        parser.error("--replicates must be at least 2: one lineage has no standard error")
    if arguments.generations in (1, 2):
        parser.error("--generations must be at least 3: contraction is measured after the first")
    return arguments


def positive(text: str) -> int:
    """Read a positive whole number."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


if __name__ == "__main__":
    main()
