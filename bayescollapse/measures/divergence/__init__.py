"""Divergences between posteriors: closed forms, estimates from draws, and their uncertainty.

Samples are arrays (…, draw) on the line and (…, draw, parameter) jointly; leading axes broadcast.
Every estimate is unchanged by the order of draws and chains. Errors and null distributions are not:
they take neighbouring draws together, because draws of one chain may be related.
"""

from bayescollapse._lazy import attach

_HOME = "bayescollapse.measures.divergence"

_NAMES = {
    "autocorrelated_size": f"{_HOME}.sizes",
    "distinct_size": f"{_HOME}.sizes",
    "energy_distance": f"{_HOME}.joint",
    "gaussian_hellinger": f"{_HOME}.univariate",
    "have_atoms": f"{_HOME}.sizes",
    "hellinger": f"{_HOME}.binned",
    "jackknife_error": f"{_HOME}.null",
    "jackknife_interval": f"{_HOME}.null",
    "kl_moments": f"{_HOME}.kl",
    "kl_neighbours": f"{_HOME}.neighbours",
    "maximum_mean_discrepancy": f"{_HOME}.joint",
    "median_distance": f"{_HOME}.joint",
    "normal_energy": f"{_HOME}.gaussian",
    "normal_hellinger": f"{_HOME}.gaussian",
    "normal_kl": f"{_HOME}.gaussian",
    "normal_wasserstein": f"{_HOME}.gaussian",
    "null_point": f"{_HOME}.null",
    "permutation_null": f"{_HOME}.null",
    "sd_ratio": f"{_HOME}.univariate",
    "shift_sds": f"{_HOME}.univariate",
    "slice_directions": f"{_HOME}.sliced",
    "sliced_wasserstein": f"{_HOME}.sliced",
    "squared_hellinger": f"{_HOME}.binned",
}

__all__ = list(_NAMES)  # noqa: PLE0605

__getattr__, __dir__ = attach(__name__, _NAMES)
