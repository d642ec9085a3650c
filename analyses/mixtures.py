"""Follow a rare mode of a Gaussian mixture through generations of a model's own output.

Four loops (only synthetic rows, from posterior draws and from a point estimate; the first real rows
kept; fresh real rows each generation), NUTS posteriors, tables, pictures and a report in
``results/mixtures``. An interrupted run resumes.

    uv run analyses/mixtures.py
    uv run analyses/mixtures.py --quick
    uv run analyses/mixtures.py --replicates 12 --generations 16 --seed 1
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from modes import output
from modes.measures import measure
from modes.settings import Settings, run
from rich.console import Console

from bayescollapse.experiment.executor import local_processes


def main() -> None:
    """Run the analysis."""
    arguments = parse()
    started = time.monotonic()
    console = Console()
    settings = make_settings(arguments)
    settings.out.mkdir(parents=True, exist_ok=True)
    with local_processes(arguments.workers) as executor:
        tree = run(settings, executor)
    measured = measure(tree)
    output.print_table(console, "1. Is the rare mode still there?", output.loss_rows(measured))
    rows = output.generation_rows(measured, settings.shown)
    output.print_table(console, "2. Beside the truth: mean [95 %]", rows)
    output.print_table(console, "3. Gate", output.gate_rows(measured))
    console.print("\n" + "\n\n".join(output.findings(measured)))
    output.write_csv(settings.out / "fits.csv", measured)
    path = output.write_page(settings, tree, measured)
    console.print(f"\nReport: {path}\nRuns, tables and figures: {settings.out}")
    console.print(f"Took {time.monotonic() - started:.0f} s.")


def make_settings(arguments: argparse.Namespace) -> Settings:
    """Sizes of the default or the quick analysis, with what the command line changes."""
    quick = arguments.quick
    return Settings(
        replicates=arguments.replicates or (2 if quick else 5),
        generations=arguments.generations or (5 if quick else 11),
        draws=500 if quick else 1000,
        seed=arguments.seed,
        out=arguments.out,
    )


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a small run, within a minute")
    parser.add_argument("--replicates", type=positive, help="lineages a scheme")
    parser.add_argument("--generations", type=positive, help="generations, at least 2")
    parser.add_argument("--seed", type=int, default=0, help="seed of the experiment")
    parser.add_argument(
        "--out", type=Path, default=Path("results/mixtures"), help="where results go"
    )
    parser.add_argument("--workers", type=positive, default=2, help="local processes")
    arguments = parser.parse_args()
    if arguments.generations == 1:
        parser.error("--generations must be at least 2: a loop needs a successor")
    return arguments


def positive(text: str) -> int:
    """Read a positive whole number."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


if __name__ == "__main__":
    main()
