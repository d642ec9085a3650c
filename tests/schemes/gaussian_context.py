"""Contexts made by hand: the emitting generation has closed densities."""

import numpy as np

from bayescollapse.models.gaussian_mean import GaussianMeanSampler
from bayescollapse.schemes.context import Context, Previous

SAMPLER = GaussianMeanSampler()


def gaussian_context(centre=0.0, posterior_sd=0.1, replicates=3, *, seed=1, generation=1, **more):
    """Rows N(mu, 1), posterior N(centre, posterior_sd^2) in every replicate."""
    centre = np.broadcast_to(np.asarray(centre, dtype=float), (replicates,))
    rng = np.random.default_rng(seed)

    def log_predictive(rows):
        variance = 1 + posterior_sd**2
        z = (rows["y"] - centre[:, None]) ** 2 / variance
        return -0.5 * z - 0.5 * np.log(2 * np.pi * variance)

    def log_likelihood(*rows, draws=100):
        noise = np.random.default_rng(seed).standard_normal((replicates, draws))
        mu = {"mu": centre[:, None] + posterior_sd * noise}
        return tuple(SAMPLER.log_density(mu, {"y": np.asarray(r["y"])}) for r in rows)

    previous = Previous(None, None, None, log_likelihood, log_predictive)
    return Context(generation, 0, more.pop("n_synthetic", 0), rng, previous=previous, **more)


def categorical_context(probabilities, *, generation=1, **more):
    """Rows with the given category probabilities, shape (replicate, category)."""
    p = np.asarray(probabilities, dtype=float)

    def log_predictive(rows):
        with np.errstate(divide="ignore"):
            return np.log(np.take_along_axis(p, rows["y"], axis=1))

    previous = Previous(None, None, None, None, log_predictive)
    return Context(generation, 0, 0, np.random.default_rng(1), previous=previous, **more)
