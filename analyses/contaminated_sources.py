"""Follow models that learn from rows of unknown source, some real and some made by a model.

Three parts: error of category frequencies over generations beside the recursion of Bakshi and
Chakraborty (2026, arXiv:2602.10531); where loops recover and where they collapse; next-word models
on Python's own reference text. Tables, pictures and a report in ``results/contaminated_sources``.
An interrupted run resumes.

    uv run analyses/contaminated_sources.py
    uv run analyses/contaminated_sources.py --quick
    uv run analyses/contaminated_sources.py --replicates 1024 --texts 16 --seed 1
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import Executor
from pathlib import Path

from contamination_parts import exponents, frequencies, output, text, words
from contamination_parts.settings import Settings
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
        path = run(settings, executor, console)
    console.print(f"\nReport: {path}\nRuns, tables and figures: {settings.out}")
    console.print(f"Took {time.monotonic() - started:.0f} s.")


def run(settings: Settings, executor: Executor, console: Console) -> Path:
    """Run the three parts and write the report."""
    curves = frequencies.curves(settings, executor)
    rows = output.path_rows(curves)
    output.print_table(console, "1. Frequencies: error over first error", rows, ["long run"])
    atlas = exponents.atlas(settings, executor)
    output.print_table(console, "2. Cells of the exponents", output.shown_cells(atlas))
    texts = text.texts(settings, executor)
    output.print_table(console, "3. Real text: worth in real rows", output.text_rows(texts))
    console.print("\n" + "\n\n".join(words.findings(curves, atlas, texts)))
    every = output.every_path([*curves, *atlas.measured])
    output.write_csv(settings.out / "errors.csv", every)
    output.write_csv(settings.out / "losses.csv", output.every_loss(texts))
    return output.write_page(settings, curves, atlas, texts)


def make_settings(arguments: argparse.Namespace) -> Settings:
    """Sizes of the default or the quick analysis, with what the command line changes."""
    quick = arguments.quick
    return Settings(
        replicates=arguments.replicates or (128 if quick else 512),
        texts=arguments.texts or (3 if quick else 8),
        length=arguments.length or (0.6 if quick else 1.0),
        seed=arguments.seed,
        out=arguments.out,
    )


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a small run, within a minute")
    parser.add_argument("--replicates", type=several, help="lineages of the frequencies")
    parser.add_argument("--texts", type=several, help="lineages of the texts")
    parser.add_argument("--length", type=factor, help="generations, in multiples of the full run")
    parser.add_argument("--seed", type=int, default=0, help="seed of every experiment")
    parser.add_argument(
        "--out", type=Path, default=Path("results/contaminated_sources"), help="where results go"
    )
    parser.add_argument("--workers", type=positive, default=2, help="local processes")
    return parser.parse_args()


def positive(text: str) -> int:
    """Read a positive whole number."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def several(text: str) -> int:
    """Read a whole number of lineages that has a standard error."""
    value = int(text)
    if value < 2:
        raise argparse.ArgumentTypeError(f"must be at least 2, got {value}: one has no spread")
    return value


def factor(text: str) -> float:
    """Read a positive number."""
    value = float(text)
    if not 0 < value <= 10:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most 10, got {value:g}")
    return value


if __name__ == "__main__":
    main()
