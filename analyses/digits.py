"""Show whether a verifier keeps a model of digits sound that learns from its own digits.

A model of 500 real images makes images; the next generation is fitted to those alone. A verifier
that was trained on real digits may keep the best tenth of each digit. Fréchet distance, held-out
log density, legibility and pictures go to ``results/digits``. An interrupted run resumes.

    uv run analyses/digits.py
    uv run analyses/digits.py --quick
    uv run analyses/digits.py --data sklearn --lineages 10
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from digits_parts import findings, output
from digits_parts.data import CLASSES, SOURCES, load_digits
from digits_parts.loops import Settings, linear, nonlinear
from digits_parts.measures import measure
from rich.console import Console

from bayescollapse.experiment.executor import local_processes


def main() -> None:
    """Run the analysis."""
    settings, workers = parse()
    started = time.monotonic()
    console = Console()
    settings.out.mkdir(parents=True, exist_ok=True)
    neural = neural_measured = None
    with local_processes(workers) as executor:
        loop, best = linear(settings, executor)
        if settings.decoder_generations:
            neural = nonlinear(settings, executor)
    with console.status("measuring what every generation makes"):
        sizes = settings.source, settings.sample, settings.seed
        measured, best_measured = measure(loop, *sizes), measure(best, *sizes)
        if neural is not None:
            neural_measured = measure(neural, *sizes)
    rows = findings.generation_rows(measured, 4, ("frechet", "density"))
    output.print_table(console, "By generation, mean [95 %]", rows)
    console.print("\n" + "\n\n".join(findings.findings(measured)))
    output.write_csv(settings.out / "pca.csv", measured)
    if neural_measured is not None:
        console.print("\nDecoder. " + "\n\n".join(findings.findings(neural_measured)))
        output.write_csv(settings.out / "decoder.csv", neural_measured)
    path = output.write_page(settings, loop, measured, best_measured, neural, neural_measured)
    console.print(f"\nReport: {path}\nRuns, tables and pictures: {settings.out}")
    console.print(f"Took {time.monotonic() - started:.0f} s.")


def parse() -> tuple[Settings, int]:
    """Sizes of the analysis from the command line, and the number of processes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a small run, within 2 minutes")
    parser.add_argument("--data", choices=SOURCES, default="mnist")
    parser.add_argument("--images", type=positive, help="real images of generation 0")
    parser.add_argument("--made", type=positive, help="images a generation hands on")
    parser.add_argument("--factors", type=positive, help="factors of an image")
    parser.add_argument("--generations", type=positive, help="generations, at least 2")
    parser.add_argument("--lineages", type=positive, help="lineages of a loop, at least 2")
    parser.add_argument("--no-decoder", action="store_true", help="leave the neural network out")
    parser.add_argument("--seed", type=int, default=0, help="seed of the experiments")
    parser.add_argument("--out", type=Path, default=Path("results/digits"), help="where results go")
    parser.add_argument("--workers", type=positive, default=2, help="local processes")
    arguments = parser.parse_args()
    check(parser, arguments)
    quick = arguments.quick
    settings = Settings(
        source=arguments.data,
        images=arguments.images or (200 if quick else 500),
        made=arguments.made or (200 if quick else 1000),
        factors=arguments.factors or (3 if quick else 5),
        generations=arguments.generations or (5 if quick else 21),
        lineages=arguments.lineages or (2 if quick else 5),
        latent=2 if quick else 8,
        hidden=16 if quick else 64,
        decoder_images=100 if quick else 500,
        decoder_generations=0 if arguments.no_decoder else 2 if quick else 5,
        decoder_lineages=1 if quick else 2,
        sample=500 if quick else 2000,
        seed=arguments.seed,
        out=arguments.out,
    )
    return settings, arguments.workers


def check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Refuse sizes that make no loop, before anything is fitted."""
    most = load_digits(arguments.data).pool.sizes["obs"]
    for name in ("images", "made"):
        value = getattr(arguments, name)
        if value is not None and (value % CLASSES or value < 2 * CLASSES):
            parser.error(
                f"--{name} must be a multiple of {CLASSES} and at least {2 * CLASSES}, got "
                f"{value}: every digit has equally many images"
            )
    if arguments.images is not None and arguments.images > most // CLASSES * CLASSES:
        parser.error(f"--images must be at most {most}, the images of the pool")
    if arguments.generations == 1:
        parser.error("--generations must be at least 2: a loop needs a successor")
    if arguments.lineages == 1:
        parser.error("--lineages must be at least 2: an interval needs two")


def positive(text: str) -> int:
    """Read a positive whole number."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


if __name__ == "__main__":
    main()
