"""Show what a model of handwritten digits becomes when it learns from its own digits.

A class-conditional image model is fitted to 500 real digits, makes 500 digits, and the next
generation is fitted to those: alone ("replace"), or beside the real ones ("keep real"). Pictures,
tables and a page go to ``results/digits``. Posteriors are approximate, as the page says.

    uv run analyses/digits.py
    uv run analyses/digits.py --quick
    uv run analyses/digits.py --data sklearn --generations 10
    uv run analyses/digits.py --model decoder --generations 3
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path
from typing import Any

import xarray as xr
from digits_parts import pictures, results
from digits_parts.data import Digits, load_digits
from rich.console import Console
from rich.table import Table

import bayescollapse as bc
from bayescollapse.experiment.executor import local_processes
from bayescollapse.models import decoder, factor_analysis
from bayescollapse.reporting import Section, page

REPLACE, KEEP = "replace", "keep real"
TITLE = "What becomes of handwritten digits when a model learns from its own?"
METHODS = {"map": "posterior modes (map), one point each", "advi": "mean-field ADVI"}
UNITS = {"factor_analysis": "log density of grey values", "decoder": "log probability of pixels"}


def main() -> None:
    """Run the analysis."""
    arguments, console = parse(), Console()
    started = time.monotonic()
    binary = arguments.model == "decoder"
    digits = load_digits(arguments.data, arguments.held_out, arguments.seed, binary=binary)
    if arguments.images > digits.pool.sizes["obs"]:
        raise SystemExit(
            f"--images must be at most {digits.pool.sizes['obs']}, the images that are not held "
            f"out, got {arguments.images}"
        )
    arguments.out.mkdir(parents=True, exist_ok=True)
    with local_processes(arguments.workers) as executor:
        run = experiment(arguments, digits).run(executor=executor, title="digits")
    rows = results.density_rows(run, digits)
    show(console, rows)
    write_csv(arguments.out / "digits.csv", rows)
    found = results.finding(rows)
    console.print("\n" + found)
    path = report(arguments, digits, run, rows, found)
    console.print(f"\nReport: {path}\nPictures and table: {arguments.out}")
    console.print(f"Took {time.monotonic() - started:.0f} s.")


def experiment(arguments: argparse.Namespace, digits: Digits) -> bc.Experiment:
    """Set up the lineages: one scheme without real images after the start, one that keeps them."""
    frame, variables = digits.frame()
    schemes = {REPLACE: bc.schemes.replace(), KEEP: bc.schemes.pooled(supply="fixed")}
    return bc.Experiment(
        make_estimator(arguments, digits),
        bc.Table(frame, variables=variables),
        schemes,
        n_real=arguments.images,
        generations=arguments.generations,
        replicates=1,
        method=arguments.method,
        draws=100,
        chains=1,
        keep_draws=0,
        held_out=digits.held_out,
        seed=arguments.seed,
        references=(),
        probabilities=(),
    )


def make_estimator(arguments: argparse.Namespace, digits: Digits) -> bc.Estimator:
    """Class-conditional model of an image."""
    if arguments.model == "decoder":
        return decoder.estimator(
            features=digits.features, classes=10, latent=arguments.factors, hidden=64
        )
    return factor_analysis.estimator(
        features=digits.features,
        factors=arguments.factors,
        classes=10,
        triangular=False,
        mean_sd=0.5,
        loading_sd=0.15,
        noise_scale=0.2,
    )


def report(
    arguments: argparse.Namespace, digits: Digits, run: xr.DataTree, rows: Any, found: str
) -> Path:
    """Write the page; every picture is also a PNG file."""
    lead = LEAD.format(count=arguments.images, name=digits.name, method=METHODS[arguments.method])
    parts = []
    for scheme in (REPLACE, KEEP):
        figure = save(pictures.grid(run, scheme, digits), arguments.out / f"digits-{scheme}.png")
        parts.append(Section(f"Digits under “{scheme}”", GRIDS[scheme], None, figure, GRID))
    unit = UNITS[arguments.model]
    figure = save(
        pictures.curve(rows, "nats per image", f"held-out {unit}\n(nats per image)"),
        arguments.out / "density.png",
    )
    text = DENSITY.format(held_out=arguments.held_out, unit=unit, pixels=digits.features)
    parts.append(Section("How well generations predict real digits", text, rows, figure, CURVE))
    figure = save(
        pictures.curve(rows, "variety of what it makes", "variety, real images = 1", 1.0),
        arguments.out / "variety.png",
    )
    parts.append(Section("How much digits of one kind differ", VARIETY, None, figure, SPREAD))
    parts.append(Section("The model and its posterior", ABOUT[arguments.model]))
    return page(TITLE, f"{lead}\n\n{found}", parts, arguments.out / "report.html")


def save(figure: Any, path: Path) -> Path:
    """Write a figure as PNG; spaces in the name become hyphens."""
    path = path.with_name(path.name.replace(" ", "-"))
    figure.savefig(path, dpi=150, facecolor="white")
    return path


def show(console: Console, rows: Any) -> None:
    """Print the table."""
    names = ["scheme", "generation", "nats per image", "nats per pixel", "change", "converged"]
    table = Table(title="\nHeld-out log density", title_justify="left", box=None, pad_edge=False)
    for name in names:
        table.add_column(name)
    for row in rows:
        cells = [row[name] for name in names]
        table.add_row(*(f"{c:.4g}" if isinstance(c, float) else str(c) for c in cells))
    console.print(table)


def write_csv(path: Path, rows: Any) -> None:
    """Write rows as a CSV file."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a small run, within 90 seconds")
    parser.add_argument("--data", choices=("mnist", "sklearn"), default="mnist")
    parser.add_argument("--model", choices=tuple(UNITS), default="factor_analysis")
    parser.add_argument(
        "--method", choices=tuple(METHODS), help="map, or advi (several times slower)"
    )
    parser.add_argument("--images", type=positive, help="real images, and made ones; 500, or 250")
    parser.add_argument("--held-out", type=positive, help="real images set aside")
    parser.add_argument("--factors", type=positive, help="factors of an image, 5; 8 in a decoder")
    parser.add_argument("--generations", type=positive, help="generations, 8; 3 with --quick")
    parser.add_argument("--seed", type=int, default=0, help="seed of the experiment")
    parser.add_argument("--out", type=Path, default=Path("results/digits"), help="where results go")
    parser.add_argument("--workers", type=positive, default=2, help="local processes")
    arguments = parser.parse_args()
    latent = arguments.model == "decoder"
    if latent and arguments.method == "map":
        parser.error("--method map cannot fit the decoder's local variables: use advi")
    arguments.method = arguments.method or ("advi" if latent else "map")
    arguments.factors = arguments.factors or (8 if latent else 3 if arguments.quick else 5)
    arguments.generations = arguments.generations or (3 if arguments.quick or latent else 8)
    arguments.images = arguments.images or (250 if arguments.quick else 500)
    arguments.held_out = arguments.held_out or (200 if latent else 500)
    return arguments


def positive(text: str) -> int:
    """Read a positive whole number."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


LEAD = """A model is fitted to {count} real images of handwritten digits ({name}) and then makes as
many images itself, of the same digits. The next generation is fitted to what the one before it
made: alone (“replace”), or beside the real images (“keep real”, where half of the images are
real). One lineage of each is shown; both start from the same real images. Posteriors are
approximate: {method}."""
GRIDS = {
    REPLACE: "Each generation is fitted only to images that the generation before it made.",
    KEEP: "Each generation is fitted to the same real images and to as many made ones.",
}
GRID = """Top block: real images that generation 0 was fitted to. Below: what later generations
made, which is what the generation after was fitted to. Three examples of each digit, 0 to 9 from
left to right; they are the first ones, not chosen."""
DENSITY = """{held_out} real images were set aside and never fitted. The table gives the mean
{unit} that each generation's predictive distribution assigns to them: larger is better, and only
differences mean something. An image has {pixels} pixels. “change” is relative to generation 0."""
CURVE = "Dots: one generation each. A falling line: the generation has forgotten real digits."
VARIETY = """The root mean squared distance of images from the mean image of their digit, pixel
noise included, in units of the same for the real images of generation 0."""
SPREAD = """At 1, made images of a digit differ as much as real ones; below 1 they look alike. The
last generation makes no images that are kept, so it has no dot."""
ABOUT = {
    "factor_analysis": """Images of a digit are normal: a mean image, a few factors (strokes that
vary together) with loadings per digit, and pixel noise of one size; the factors are integrated out
exactly. A posterior mode has no spread, so joint emission draws every image at this one point.
Normal pixels can be lighter than white or darker than black: the pictures cut them off, the model
does not.""",
    "decoder": """Each pixel is black or white, with log odds from a neural network with one hidden
layer that reads the digit and a few latent variables of the image. Held-out log probabilities
integrate these out by importance sampling and are too low on average, never too high.""",
}


if __name__ == "__main__":
    main()
