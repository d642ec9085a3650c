"""Measure how much a generation should trust fresh real data over synthetic data.

Three parts, each printed as a table and drawn in one report: simulated rows with exact posteriors
beside the laws; any PyMC model by NUTS, here a logistic regression; and a real table. Results go to
``results/golden_ratio``.

    uv run analyses/golden_ratio.py
    uv run analyses/golden_ratio.py --quick
    uv run analyses/golden_ratio.py --data FILE.csv --columns age,income,city --response bought
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import Executor
from pathlib import Path

from golden import glm, logistic, loops, output, simulated, table
from golden.settings import Settings
from rich.console import Console

from bayescollapse.experiment.executor import local_processes
from bayescollapse.reporting import page

TITLE = "How much should a generation trust fresh real data?"
LEAD = """A model is fitted, generation after generation, to fresh real rows and to rows that its
predecessor made up. How much weight should the real rows have? Too little, and errors pass on for
ever; all of it, and the synthetic rows are wasted. With as many real as synthetic rows the best
real share is known to be 0.618, the inverse golden ratio, when rows are made up at a point
estimate. This page measures it, and shows that drawing rows from the posterior, as a Bayesian does,
moves it."""


def main() -> None:
    """Run the analysis."""
    arguments = parse()
    started = time.monotonic()
    console = Console()
    real = table.load_table(arguments.data, arguments.columns, arguments.response)
    settings = make_settings(arguments)
    settings.out.mkdir(parents=True, exist_ok=True)
    with local_processes(arguments.workers) as executor:
        path = run(settings, executor, real, console)
    console.print(f"\nReport: {path}\nRuns, tables and figures: {settings.out}")
    console.print(f"Took {time.monotonic() - started:.0f} s.")


def run(settings: Settings, executor: Executor, real: table.RealTable, console: Console) -> Path:
    """Run the three parts and write the report."""
    exact = list(simulated.sweeps(settings, executor, simulated.families()))
    output.print_table(console, "1. Simulated rows, exact posteriors", output.minima_rows(exact))
    linear = list(simulated.sweeps(settings, executor, glm.families()))
    output.print_table(console, "1. Simulated rows, Laplace posteriors", output.minima_rows(linear))
    sweeps = [*exact, *linear]
    few = {
        "Logistic regression, simulated rows": logistic.simulated(
            settings, executor, len(real.columns)
        )
    }
    for name, result in few.items():
        output.print_table(console, f"2. {name}, NUTS", output.few_rows(result))
    marginal = list(table.marginals(settings, executor, real))
    output.print_table(console, f"3. {real.name}", output.minima_rows(marginal))
    name = f"Logistic regression of {real.response}"
    few[name] = table.regression(settings, executor, real)
    output.print_table(console, f"3. {name}, NUTS", output.few_rows(few[name]))
    output.print_table(console, "Gate", output.gate_rows(few))
    over = loops.over_generations(settings, executor)
    output.write_csv(settings.out / "errors.csv", output.error_rows([*sweeps, *marginal]))
    finding = output.answer(sweeps)
    console.print("\n" + finding)
    parts = output.sections(sweeps, marginal, few, over, settings.out)
    return page(TITLE, f"{LEAD}\n\n{finding}", parts, settings.out / "report.html")


def make_settings(arguments: argparse.Namespace) -> Settings:
    """Sizes of the default or the quick analysis, with what the command line changes."""
    quick = arguments.quick
    return Settings(
        replicates=arguments.replicates or (128 if quick else 512),
        generations=arguments.generations or (30 if quick else 60),
        wide=9 if quick else 21,
        narrow=7 if quick else 9,
        fits=(2, 4) if quick else (4, 10),
        seed=arguments.seed,
        out=arguments.out,
    )


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a small run, within a minute")
    parser.add_argument("--replicates", type=positive, help="lineages of the exact sweeps")
    parser.add_argument("--generations", type=positive, help="generations of the exact sweeps")
    parser.add_argument("--seed", type=int, default=0, help="seed of every experiment")
    parser.add_argument(
        "--out", type=Path, default=Path("results/golden_ratio"), help="where results go"
    )
    parser.add_argument("--workers", type=positive, default=2, help="local processes")
    parser.add_argument("--data", type=Path, help="a CSV file instead of the survey")
    parser.add_argument("--columns", help="columns of the file, separated by commas")
    parser.add_argument("--response", help="column of the file with two values")
    return parser.parse_args()


def positive(text: str) -> int:
    """Read a positive whole number."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


if __name__ == "__main__":
    main()
