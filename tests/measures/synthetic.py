"""A run built by hand, with known answers."""

import json

import numpy as np
import xarray as xr

import bayescollapse as bc

LEAD = ("scheme", "replicate", "generation")
STATISTICS = ["mean", "sd", "q2.5", "q25", "q50", "q75", "q97.5"]
QUANTILES = np.array([-1.959964, -0.674490, 0.0, 0.674490, 1.959964])
SCHEMES = {"honest": 1.0, "proud": 0.5}


def summary(mean, sd, statistics=STATISTICS):
    """Gaussian summaries on a trailing statistic axis, in front of the parameter's own axes."""
    quantiles = [mean + z * sd for z in QUANTILES]
    values = dict(zip(STATISTICS, [mean, sd, *quantiles], strict=True))
    return np.stack([values[s] for s in statistics], axis=-1)


def make_run(
    replicates=40,
    generations=5,
    *,
    truth=True,
    reference=True,
    statistics=STATISTICS,
    draws=0,
    seed=1,
):
    """Two schemes with the same errors; after generation 0 ``proud`` claims half its true sd.

    Errors of generation t have variance (1 + t) / 10 around the truth for both parameters, beta
    with two entries; n is 10, so that generation t is worth 10 / (1 + t) rows.
    """
    rng = np.random.default_rng(seed)
    times = np.arange(generations)
    size = (len(SCHEMES), replicates, generations)
    lead = {"scheme": list(SCHEMES), "replicate": np.arange(replicates), "generation": times}
    scale = np.sqrt((1 + times) / 10)
    claim = np.stack([np.where(times > 0, c, 1.0) * scale for c in SCHEMES.values()])[:, None, :]
    groups = {"summary": xr.Dataset(coords=lead | {"statistic": list(statistics)})}
    groups["truth"] = xr.Dataset(coords={"replicate": lead["replicate"]})
    real = {k: lead[k] for k in ("replicate", "generation")} | {"statistic": list(statistics)}
    groups["reference/real_only"] = xr.Dataset(coords=real)
    draw = np.arange(draws)
    groups["posterior"] = xr.Dataset(coords=lead | {"chain": [0, 1], "draw": draw})
    for name, own in (("mu", ()), ("beta", (2,))):
        dims = tuple(f"{name}_dim" for _ in own)
        centre = rng.normal(size=(replicates, *own))
        noise = rng.normal(size=(replicates, generations, *own))
        if replicates > 1:
            noise = (noise - noise.mean(axis=0)) / noise.std(axis=0)
        extra = (None,) * len(own)
        error = noise * scale[(None, slice(None), *extra)]
        mean = np.broadcast_to(centre[:, None] + error, (*size, *own)).copy()
        sd = np.broadcast_to(claim[(..., *extra)], mean.shape).copy()
        stats = np.moveaxis(summary(mean, sd, statistics), -1, 3)
        groups["summary"][name] = ((*LEAD, "statistic", *dims), stats)
        groups["truth"][name] = (("replicate", *dims), centre)
        ten = np.full_like(noise, np.sqrt(0.1))
        only = np.moveaxis(summary(centre[:, None] + noise * ten, ten, statistics), -1, 2)
        cell = ("replicate", "generation", "statistic", *dims)
        groups["reference/real_only"][name] = (cell, only)
        if draws:
            z = rng.normal(size=(*size, 2, draws, *own))
            values = mean[:, :, :, None, None] + sd[:, :, :, None, None] * z
            groups["posterior"][name] = ((*LEAD, "chain", "draw", *dims), values)
    groups["sample_stats"] = sample_stats(size, lead)
    groups["training"] = training(size, lead)
    drop = [g for g, keep in (("truth", truth), ("reference/real_only", reference)) if not keep]
    drop += [] if draws else ["posterior"]
    run = xr.DataTree.from_dict({k: v for k, v in groups.items() if k not in drop})
    run.attrs.update(attributes(replicates, generations))
    return run


def sample_stats(size, lead):
    """One fit of the last scheme fails in generation 1, another is retried."""
    passed, attempts = np.ones(size, bool), np.ones(size, int)
    if size[2] > 1:
        passed[-1, 0, 1], attempts[-1, :2, 1] = False, 2
    rhat = np.full(size, 1.001)
    rhat[-1, 0, -1] = 1.05
    data = {"rhat": rhat, "ess_bulk": np.full(size, 800.0), "ess_tail": np.full(size, 700.0)}
    data |= {"divergences": (~passed).astype(int), "attempts": attempts, "passed": passed}
    stats = xr.Dataset({k: (LEAD, v) for k, v in data.items()}, coords=lead)
    return stats.assign_attrs(method="nuts")


def training(size, lead):
    """Ten real rows and ten synthetic ones after generation 0."""
    later = np.broadcast_to(np.arange(size[2]) > 0, size)
    data = {"emitted": np.full(size, 10.0), "real_rows": np.full(size, 10.0)}
    data |= {"synthetic_rows": 10.0 * later, "total_weight": 10.0 + 10.0 * later}
    data |= {"real_share": np.where(later, 0.5, 1.0), "kish": 10.0 + 10.0 * later}
    return xr.Dataset({k: (LEAD, v) for k, v in data.items()}, coords=lead)


def attributes(replicates, generations):
    """Root attributes of a run."""
    scheme = bc.schemes.pooled().to_dict()
    configuration = {
        "estimator": "Estimator(by hand: parameters mu, beta; rows y)",
        "source": {"source": "Truth"},
        "schemes": {label: scheme for label in SCHEMES},
        "n_real": [10] * generations,
        "n_synthetic": [10] * generations,
        "generations": generations,
        "replicates": replicates,
        "method": "nuts",
        "draws": 500,
        "chains": 2,
        "seed": 1,
    }
    return {
        "configuration": json.dumps(configuration),
        "method": "nuts",
        "seed": 1,
        "versions": json.dumps({"bayescollapse": "0"}),
        "wall_seconds": 1.5,
        "failed_fits": 1,
        "retried_fits": 2,
    }
