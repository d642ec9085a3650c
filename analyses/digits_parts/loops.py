"""Loops of the digits analysis: models, schemes and experiments."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

import bayescollapse as bc
from bayescollapse.models import decoder, factor_analysis
from bayescollapse.schemes.selection.score import TopShare
from digits_parts.data import CLASSES, balanced, load_digits, real_rows
from digits_parts.verifiers import Legible, Lifelike

__all__ = ["KEEP", "LEGIBLE", "LIFELIKE", "UNVERIFIED", "Loop", "Settings", "linear", "nonlinear"]

UNVERIFIED = "unverified"
LIFELIKE = "verified as lifelike"
LEGIBLE = "verified as legible"
KEEP = 0.1
"""Share of the proposals of a digit that a verifier keeps."""


@dataclass(frozen=True)
class Settings:
    """How large the analysis is.

    Parameters
    ----------
    source : {"mnist", "sklearn"}
        Which real digits.
    images : int
        Real images of generation 0.
    made : int
        Images that a generation hands on, after selection.
    factors : int
        Factors of the linear model.
    generations, lineages : int
        Of the linear model.
    latent, hidden : int
        Latent variables and hidden units of the decoder.
    decoder_images, decoder_generations, decoder_lineages : int
        Of the decoder; no generations leave it out.
    sample : int
        Images per generation and lineage that are measured.
    seed : int
        Seed of the experiments.
    out : Path
        Where results go.
    """

    source: str
    images: int
    made: int
    factors: int
    generations: int
    lineages: int
    latent: int
    hidden: int
    decoder_images: int
    decoder_generations: int
    decoder_lineages: int
    sample: int
    seed: int
    out: Path

    def store(self, name: str) -> Path:
        """Folder of a run; every setting that a run may not change is in its name."""
        sizes = f"{self.source}-{self.images}-{self.made}-{self.factors}"
        if name.startswith("decoder"):
            sizes = f"{self.source}-{self.decoder_images}-{self.latent}-{self.hidden}"
        return self.out / "runs" / f"{name}-{sizes}-seed{self.seed}"


@dataclass(frozen=True)
class Loop:
    """A finished run, and what is needed to measure it.

    Parameters
    ----------
    run : DataTree
        The run.
    estimator : Estimator
        Its model, which makes images.
    binary : bool
        Whether pixels are 0 and 1.
    held_out : int
        Real images of its held-out log density.
    """

    run: xr.DataTree
    estimator: bc.Estimator
    binary: bool
    held_out: int


def linear(settings: Settings, executor: Executor) -> tuple[Loop, Loop]:
    """Probabilistic PCA: the loops, and one model of all real images that are not held out."""
    digits = load_digits(settings.source)
    estimator = factor_analysis.estimator(
        features=digits.features,
        factors=settings.factors,
        classes=CLASSES,
        triangular=False,
        mean_sd=0.5,
        loading_sd=0.15,
        noise_scale=0.2,
    )
    schemes = {
        UNVERIFIED: _replace(None),
        LIFELIKE: _replace(Lifelike(settings.source, settings.images, settings.factors)),
        LEGIBLE: _replace(Legible(settings.source)),
    }
    common: dict[str, Any] = {**_common(settings), "method": "map", "draws": 1}
    held_out = digits.held_out
    loops = bc.Experiment(
        estimator,
        bc.Simulator(real_rows(digits.pool)),
        schemes,
        n_real=settings.images,
        n_synthetic=settings.made,
        generations=settings.generations,
        replicates=settings.lineages,
        held_out=held_out,
        **common,
    ).run(settings.store("loops"), executor=executor, title="probabilistic PCA")
    known = digits.known
    best = bc.Experiment(
        estimator,
        bc.Simulator(real_rows(known)),
        _replace(None),
        n_real=known.sizes["obs"] // CLASSES * CLASSES,
        n_synthetic=0,
        generations=1,
        replicates=1,
        held_out=held_out,
        **common,
    ).run(settings.store("all-real"), executor=executor, title="all real images")
    count = held_out.sizes["obs"]
    return Loop(loops, estimator, False, count), Loop(best, estimator, False, count)


def nonlinear(settings: Settings, executor: Executor) -> Loop:
    """Neural network with latent variables and binary pixels, by mean-field ADVI."""
    digits = load_digits(settings.source, binary=True)
    estimator = decoder.estimator(
        features=digits.features,
        classes=CLASSES,
        latent=settings.latent,
        hidden=settings.hidden,
    )
    schemes = {
        UNVERIFIED: _replace(None),
        LEGIBLE: _replace(Legible(settings.source, binary=True)),
    }
    held_out = balanced(digits.held_out, min(100, digits.held_out.sizes["obs"]))
    run = bc.Experiment(
        estimator,
        bc.Simulator(real_rows(digits.pool)),
        schemes,
        n_real=settings.decoder_images,
        generations=settings.decoder_generations,
        replicates=settings.decoder_lineages,
        method="advi",
        draws=20,
        held_out=held_out,
        **_common(settings),
    ).run(settings.store("decoder"), executor=executor, title="decoder")
    return Loop(run, estimator, True, held_out.sizes["obs"])


def _replace(score: Any) -> bc.Scheme:
    """Only the last generation's images, made at a point estimate; all of them or the best."""
    if score is None:
        return bc.schemes.replace(emission="plug-in")
    best = TopShare(score, keep=KEEP, per="label", categories=CLASSES)
    return bc.schemes.replace(emission="plug-in", selection=best)


def _common(settings: Settings) -> dict[str, Any]:
    return {
        "chains": 1,
        "keep_draws": 0,
        "keep_rows": "none",
        "references": (),
        "probabilities": (),
        "seed": settings.seed,
    }
