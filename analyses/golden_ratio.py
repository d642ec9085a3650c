"""Measure how much a generation should trust fresh real data over synthetic data.

The six scenarios of He, Xu and Cheng (arXiv:2502.18049) beside their laws: error against real share
for rows made at a point estimate or drawn from the posterior; errors without fresh real rows; few
real rows, pooled or weighed. Then any PyMC model by NUTS, here a logistic regression, and a real
table. Results go to ``results/golden_ratio``; an interrupted run resumes.

    uv run analyses/golden_ratio.py
    uv run analyses/golden_ratio.py --quick
    uv run analyses/golden_ratio.py --data FILE.csv --columns age,income,city --response bought
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from concurrent.futures import Executor
from pathlib import Path

from golden import glm, growth, logistic, loops, output, ratios, simulated, table, tables
from golden.scenarios import Scenario, exact_scenarios
from golden.settings import Settings, Size
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

UNTOLD = ("law", "generations")
"""Columns of the page that a terminal has no room for."""


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
    """Run every part, print its tables, and write the report."""
    scenarios = [*exact_scenarios(), *glm.linear_scenarios()]
    sweeps = run_shares(settings, executor, scenarios, console)
    grown = beside_covariance(
        growth.growths(settings, executor, scenarios), growth.apart_growth(settings)
    )
    tables.print_table(console, "2. No fresh real rows: error", tables.growth_rows(grown))
    weighed = list(ratios.ratios(settings, executor, scenarios))
    rows = tables.ratio_rows(weighed)
    tables.print_table(console, "3. Few real rows: pooled or best share", rows, without=UNTOLD)
    marginal = list(table.marginals(settings, executor, real))
    print_shares(console, f"4. {real.name}", marginal)
    few = run_nuts(settings, executor, real, console)
    over = loops.over_generations(settings, executor)
    results = output.Results(sweeps, marginal, grown, weighed, few, over)
    for name, rows in {
        "errors": tables.error_rows([*sweeps, *marginal]),
        "growth": tables.growth_errors(grown),
        "ratios": tables.ratio_errors(weighed),
    }.items():
        tables.write_csv(settings.out / f"{name}.csv", rows)
    found = output.findings(results)
    console.print("\n" + found)
    parts = output.sections(results, settings.out)
    return page(TITLE, f"{LEAD}\n\n{found}", parts, settings.out / "report.html")


def run_shares(
    settings: Settings, executor: Executor, scenarios: list[Scenario], console: Console
) -> list[simulated.Sweep]:
    """Sweep real shares, and print what was found."""
    found = beside_covariance(
        simulated.sweeps(settings, executor, scenarios), simulated.apart_sweep(settings)
    )
    print_shares(console, "1. Simulated rows", found)
    return found


def beside_covariance[Found: simulated.Sweep | growth.Growth](
    found: Iterable[Found], apart: Found
) -> list[Found]:
    """Put the paper's own update of a covariance after the first fit of the model's."""
    results = list(found)
    place = [result.model for result in results].index("Gaussian covariance") + 1
    return [*results[:place], apart, *results[place:]]


def run_nuts(
    settings: Settings, executor: Executor, real: table.RealTable, console: Console
) -> dict[str, logistic.FewShares]:
    """Run the parts whose posteriors are drawn by NUTS."""
    few = {
        "Logistic regression, simulated rows": logistic.simulated(
            settings, executor, len(real.columns)
        ),
        f"Logistic regression of {real.response}": table.regression(settings, executor, real),
    }
    for name, result in few.items():
        tables.print_table(console, f"5. {name}, NUTS", tables.few_rows(result))
    tables.print_table(console, "Gate", tables.gate_rows(few))
    return few


def print_shares(console: Console, title: str, sweeps: list[simulated.Sweep]) -> None:
    """Print where the smallest errors are, and how large they are."""
    tables.print_table(console, f"{title}: best real share", tables.share_rows(sweeps))
    rows = tables.best_rows(sweeps)
    tables.print_table(console, f"{title}: error there", rows, without=UNTOLD)


def make_settings(arguments: argparse.Namespace) -> Settings:
    """Sizes of the default or the quick analysis, with what the command line changes."""
    quick = arguments.quick
    replicates = arguments.replicates or (128 if quick else 512)
    generations = arguments.generations or (30 if quick else 60)
    few = min(replicates, 128 if quick else 256)
    return Settings(
        exact=Size(replicates, generations),
        laplace=Size(few, min(generations, 12 if quick else 24)),
        growth=Size(4 * replicates, 1 + (arguments.generations or 40)),
        growth_laplace=Size(few, 1 + min(generations, 8 if quick else 10)),
        weighed=min(replicates, 128 if quick else 384),
        smallest=0.2 if quick else 0.01,
        quick=quick,
        wide=9 if quick else 15,
        narrow=7 if quick else 9,
        fits=Size(2, 3) if quick else Size(4, 8),
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
