"""Hold every training loop of the literature against its law.

Every preset of ``bc.schemes`` that has a law runs through ``bc.Experiment`` on a model for which
the law is known, and the means are compared with ``bc.theory`` in Monte Carlo standard errors. If
all laws hold, the table fails with a probability of at most 0.001. Results go to ``results/atlas``;
an interrupted run resumes.

    uv run analyses/atlas.py
    uv run analyses/atlas.py --quick
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import Executor
from pathlib import Path

from atlas_parts import categories, chosen, gaussians, means, output, regressions
from atlas_parts.part import Outcome, Part, Settings
from rich.console import Console

from bayescollapse.experiment.executor import local_processes

QUICK = 0.1
"""Lineages of the quick atlas, as a part of the whole."""


def main() -> None:
    """Run the analysis."""
    arguments = parse()
    started = time.monotonic()
    console = Console()
    scale = QUICK if arguments.quick else 1.0
    settings = Settings(scale, arguments.seed, arguments.out)
    arguments.out.mkdir(parents=True, exist_ok=True)
    with local_processes(arguments.workers) as executor:
        outcomes = run(settings, executor)
    output.print_table(console, outcomes)
    console.print("\n" + output.answer(outcomes))
    path = output.report(outcomes, arguments.out)
    console.print(f"\nReport: {path}\nRuns, table and figure: {arguments.out}")
    console.print(f"Took {time.monotonic() - started:.0f} s.")
    if not all(output.passed(outcomes)):
        raise SystemExit("A law is not obeyed: see the rows marked NO.")


def parts() -> list[Part]:
    """List all experiments."""
    topics = (means, gaussians, categories, regressions, chosen)
    return [part for topic in topics for part in topic.parts()]


def run(settings: Settings, executor: Executor | None = None) -> list[Outcome]:
    """Run all experiments, and hold them against their laws."""
    return [outcome for part in parts() for outcome in part.run(settings, executor)]


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the lineages")
    parser.add_argument("--seed", type=int, default=0, help="seed of every experiment")
    parser.add_argument("--out", type=Path, default=Path("results/atlas"), help="results")
    parser.add_argument("--workers", type=positive, default=2, help="local processes")
    return parser.parse_args()


def positive(text: str) -> int:
    """Read a positive whole number."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


if __name__ == "__main__":
    main()
