"""A run built by hand that moves away from generation 0, step by step, in all that is measured."""

import json

import numpy as np
import xarray as xr

import bayescollapse as bc
from tests.measures.synthetic import LEAD, STATISTICS, summary

REPLICATES, GENERATIONS, REAL, EMITTED, DRAWS = 150, 5, 12, 40, 50
CHANCES = np.array([0.5, 0.25, 0.15, 0.07, 0.03, 0.0])
"""Of categories in generation 0; the last one is seen later only."""


def path_run(*, truths="prior", still=False, seed=1):
    """One scheme; posteriors drift, narrow and lose the truth; rows widen and lose a mode.

    With ``still=True`` every generation is a new draw of generation 0's law. `truths` are drawn
    from a standard normal prior (``"prior"``), or the same in all replicates (``"one"``).
    """
    rng = np.random.default_rng(seed)
    steps = np.zeros(GENERATIONS) if still else np.arange(GENERATIONS, dtype=float)
    groups = {name: {} for name in ("summary", "posterior", "truth", "real", "real_draws")}
    for name, own in (("mu", ()), ("beta", (2,))):
        _parameter(groups, rng, name, own, steps, truths, still)
    lead = {"replicate": np.arange(REPLICATES), "generation": np.arange(GENERATIONS)}
    alone = {"scheme": ["path"], **lead}
    statistic = {"statistic": STATISTICS}
    drawn = {"chain": [0, 1], "draw": np.arange(DRAWS)}
    rows = _rows(rng, steps)
    tree = {
        "summary": xr.Dataset(groups["summary"], coords=alone | statistic),
        "posterior": xr.Dataset(groups["posterior"], coords=alone | drawn),
        "truth": xr.Dataset(groups["truth"], coords={"replicate": lead["replicate"]}),
        "predictive": _predictive(rng, rows, steps, alone | statistic),
        "rows": rows,
    }
    # Held-out density of n real rows of a Gaussian mean, -log(1 + 1/n)/2 but for a constant.
    gain = np.log1p(1 / REAL) - np.log1p(1 / (REAL * np.arange(1, GENERATIONS + 1)))
    for name, more in (("real_only", 0.0 * gain), ("real_seen", 0.5 * gain)):
        place = f"reference/{name}"
        tree[place] = xr.Dataset(groups["real"], coords=lead | statistic)
        tree[f"{place}/posterior"] = xr.Dataset(groups["real_draws"], coords=lead | drawn)
        density = more + _density(rng, np.zeros(GENERATIONS))
        column = (("replicate", "generation"), density)
        tree[f"{place}/predictive"] = xr.Dataset({"held_out_log_density": column}, coords=lead)
    run = xr.DataTree.from_dict(tree)
    run.attrs["configuration"] = json.dumps(_configuration(truths))
    return run


def _parameter(groups, rng, name, own, steps, truths, still):
    dims = tuple(f"{name}_dim" for _ in own)
    wide = (slice(None), *(None for _ in own))
    truth = (
        rng.normal(size=(REPLICATES, *own))
        if truths == "prior"
        else np.full((REPLICATES, *own), 0.5)
    )
    size = (REPLICATES, GENERATIONS if still else 1, *own)
    start = truth[:, None] + 0.3 * rng.normal(size=size)
    drift = 0.3 * (1 + rng.normal(size=(REPLICATES, 1, *own)))
    mean = start + drift * steps[wide][None]
    sd = np.broadcast_to(0.3 * 0.8 ** steps[wide][None], mean.shape)
    # The same noise in all generations of a path, so that nothing but the path moves.
    shape = (REPLICATES, GENERATIONS if still else 1, 2, DRAWS, *own)
    noise = rng.normal(size=shape)
    draws = mean[:, :, None, None] + sd[:, :, None, None] * noise
    only = truth[:, None] + 0.3 * rng.normal(size=mean.shape)
    spread = np.full(mean.shape, 0.3)
    real = only[:, :, None, None] + 0.3 * rng.normal(size=(*mean.shape[:2], 2, DRAWS, *own))
    cell = ("replicate", "generation", "statistic", *dims)
    groups["summary"][name] = (("scheme", *cell), np.moveaxis(summary(mean, sd), -1, 2)[None])
    groups["posterior"][name] = ((*LEAD, "chain", "draw", *dims), draws[None])
    groups["truth"][name] = (("replicate", *dims), truth)
    groups["real"][name] = (cell, np.moveaxis(summary(only, spread), -1, 2))
    groups["real_draws"][name] = (("replicate", "generation", "chain", "draw", *dims), real)


def _rows(rng, steps):
    """Real rows of generation 0, and the rows that each generation emits for the next one."""
    parts = [_batch(rng, 0.0, REAL, generation=0, real=True)]
    for t in range(1, GENERATIONS):
        parts.append(_batch(rng, steps[t - 1], EMITTED, generation=t, real=False))
    return xr.concat(parts, "row").assign_coords(scheme=("row", ["path"] * _length(parts)))


def _length(parts):
    return sum(part.sizes["row"] for part in parts)


def _batch(rng, step, count, *, generation, real):
    """Rows of two modes, the farther of which vanishes, and of categories that lose the rare."""
    size = REPLICATES * count
    far = rng.random(size) < 0.3 * (1 - step / 4)
    y = np.where(far, 8 + rng.normal(size=size), (1 + step / 2) * rng.normal(size=size))
    chances = (1 - 0.2 * step) * CHANCES
    chances[0] += 0.18 * step
    chances[-1] += 0.02 * step
    k = rng.choice(len(chances), size=size, p=chances)
    columns = {
        "replicate": np.repeat(np.arange(REPLICATES), count),
        "generation": np.full(size, generation),
        "batch": np.full(size, 0 if real else generation - 1),
        "real": np.full(size, real),
    }
    data = {"y": ("row", y), "k": ("row", k), "weight": ("row", np.ones(size))}
    return xr.Dataset(data, coords={n: ("row", c) for n, c in columns.items()})


def _predictive(rng, rows, steps, coords):
    """Moments and quantiles of the emitted rows, of new ones for the last generation."""
    parts = [rows.isel(row=rows["batch"].to_numpy() == t) for t in range(GENERATIONS - 1)]
    parts[0] = parts[0].isel(row=~parts[0]["real"].to_numpy())
    parts.append(_batch(rng, steps[-1], EMITTED, generation=GENERATIONS, real=False))
    data = {}
    for name in ("y", "k"):
        values = np.stack([p[name].to_numpy().reshape(REPLICATES, EMITTED) for p in parts], 1)
        quantiles = np.quantile(values, [float(s[1:]) / 100 for s in STATISTICS[2:]], axis=-1)
        moments = [values.mean(-1), values.std(-1, ddof=1), *quantiles]
        data[name] = ((*LEAD, "statistic"), np.stack(moments, -1)[None])
    data["held_out_log_density"] = (LEAD, _density(rng, steps)[None])
    return xr.Dataset(data, coords=coords)


def _density(rng, steps):
    return -1.4 - 0.02 * steps**2 + 0.01 * rng.normal(size=(REPLICATES, 1))


def _configuration(truths):
    parameters = "prior" if truths == "prior" else {"mu": 0.5, "beta": [0.5, 0.5]}
    return {
        "estimator": "Estimator(by hand: parameters mu, beta; rows y, k)",
        "source": {"source": "Truth", "parameters": parameters, "estimator": None},
        "schemes": {"path": bc.schemes.replace().to_dict()},
        "n_real": [REAL] * GENERATIONS,
        "n_synthetic": [EMITTED] * GENERATIONS,
        "generations": GENERATIONS,
        "replicates": REPLICATES,
        "method": "exact",
        "draws": DRAWS,
        "chains": 2,
        "seed": 1,
    }
