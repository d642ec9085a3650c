"""Every measure of posterior drift as one function of two joint samples (…, draw, parameter)."""

import numpy as np

from bayescollapse.measures import divergence, gaussian_kl, gaussian_wasserstein, wasserstein_1d

MOMENTS = {
    "shift_sds": lambda m, s, mr, sr: divergence.shift_sds(m, mr, sr),
    "sd_ratio": lambda m, s, mr, sr: divergence.sd_ratio(s, sr),
    "gaussian_kl": gaussian_kl,
    "gaussian_hellinger": divergence.gaussian_hellinger,
    "gaussian_wasserstein": gaussian_wasserstein,
}
LINE = {
    "wasserstein": lambda x, y: wasserstein_1d(x, y, order=2),
    "squared_hellinger": divergence.squared_hellinger,
}
JOINT = {
    "sliced_wasserstein": divergence.sliced_wasserstein,
    "energy_distance": divergence.energy_distance,
    "maximum_mean_discrepancy": divergence.maximum_mean_discrepancy,
    "kl_moments": divergence.kl_moments,
    "kl_neighbours": divergence.kl_neighbours,
}


def of_moments(kernel):
    """Compare the first parameter of two samples by mean and sd."""

    def measure(x, y):
        moments = [(a[..., 0].mean(-1), a[..., 0].std(-1, ddof=1)) for a in (x, y)]
        return kernel(*moments[0], *moments[1])

    return measure


def of_line(kernel):
    """Compare the first parameter of two samples."""
    return lambda x, y: kernel(x[..., 0], y[..., 0])


CASES = {name: of_moments(kernel) for name, kernel in MOMENTS.items()}
CASES |= {name: of_line(kernel) for name, kernel in LINE.items()}
CASES |= JOINT


def rotation(dim, seed=3):
    """Random orthogonal matrix."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))[0]


def covariance(dim, seed):
    """Random covariance with eigenvalues between 0.5 and 2."""
    turn = rotation(dim, seed)
    return turn * np.linspace(0.5, 2.0, dim) @ turn.T


def draw(rng, mean, cov, *size):
    """Gaussian draws, shape (*size, parameter)."""
    mean = np.asarray(mean, dtype=float)
    return mean + rng.normal(size=(*size, mean.size)) @ np.linalg.cholesky(cov).T


def repeat_some(rng, x, share=0.05):
    """Repeat a share of the draws, each in the place of the one behind it."""
    out = x.copy()
    places = np.sort(rng.choice(np.arange(1, len(x)), round(share * len(x)), replace=False))
    for place in places:
        out[place] = out[place - 1]
    return out


def close(values, exact, bias=0.0):
    """Mean over repeats within 4 standard errors and a stated bias."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - exact) < 4 * error + bias, (values.mean(), exact, error)
