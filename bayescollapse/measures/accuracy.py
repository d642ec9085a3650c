"""Accuracy against claim: how wrong posteriors are, beside how wrong they say they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from bayescollapse.measures.coverage import chosen_intervals, interval_coverage
from bayescollapse.measures.kernels import mean_and_error
from bayescollapse.measures.labels import compared_with, labelled, words_of
from bayescollapse.measures.layout import LEAD, cells_of, truth_of
from bayescollapse.measures.references import check_reference
from bayescollapse.measures.registry import KNOWING, Measure, lacking
from bayescollapse.measures.worth import MEASURES as WORTH
from bayescollapse.measures.worth import density_worth, row_worth

__all__ = [
    "MEASURES",
    "posterior_accuracy",
    "root_mean_square",
    "variance_and_error",
]

Floats = NDArray[np.float64]

SQUARED = "squared units of the parameter"
DECOMPOSITION = "mean squared error = squared bias + variance (decomposition of Gauss)"


def _measure(
    name: str,
    meaning: str,
    units: str,
    lowest: float,
    null: float | str,
    *,
    highest: float = float("inf"),
    invariant: bool | str = "translation",
    needs: tuple[str, ...] = ("truth",),
    bias: str = "none known",
    source: str = DECOMPOSITION,
) -> Measure:
    return Measure(
        name=name,
        question="accuracy against claim",
        meaning=meaning,
        units=units,
        lowest=lowest,
        highest=highest,
        symmetric=False,
        invariant=invariant,
        needs=needs,
        null=null,
        bias=bias,
        source=source,
    )


MEASURES = (
    _measure(
        "claimed_sd",
        "posterior sd",
        "units of the parameter",
        0.0,
        "that of generation 0",
        needs=("summary",),
        source="mean posterior standard deviation",
    ),
    _measure("bias", "posterior mean minus truth", "units of the parameter", -float("inf"), 0.0),
    _measure(
        "squared_error", "squared error of the posterior mean", SQUARED, 0.0, "that of generation 0"
    ),
    _measure(
        "error_variance", "variance of the posterior mean", SQUARED, 0.0, "that of generation 0"
    ),
    _measure(
        "rms_z",
        "root mean square of the error in posterior sds",
        "1",
        0.0,
        1.0,
        invariant="affine",
        bias="root of an unbiased mean: down by order 1 / replicates",
        source="root of the mean squared standardised error",
    ),
    _measure(
        "coverage",
        "share of replicates whose interval holds the truth",
        "1",
        0.0,
        "nominal probability",
        highest=1.0,
        invariant="increasing changes of scale",
        source="Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404",
    ),
)


def variance_and_error(x: ArrayLike, axis: int) -> tuple[Floats, Floats]:
    r"""Variance over independent replicates, unbiased, and its Monte Carlo standard error.

    .. math:: \widehat{\mathrm{Var}}(s^2) = \frac{2n s^4 + (n-1) k_4}{n(n+1)}

    with n replicates and Fisher's k-statistic :math:`k_4`; not less than
    :math:`2s^4/(n(n-1))`, the smallest that a law of this variance can have.

    Parameters
    ----------
    x : array_like
        Values; missing ones make both missing.
    axis : int
        Axis of the replicates.

    Returns
    -------
    tuple of ndarray
        Variance with divisor replicates - 1, missing with a single replicate; and its standard
        error, missing with fewer than 4; in squared units of `x`.

    Notes
    -----
    The square of the error is unbiased but for the bound. It varies, and so the mean error of
    normal replicates is .82 of the standard deviation of the variance with 4 replicates, .86 with
    10, and .97 with 50.

    References
    ----------
    .. [1] Fisher (1930), doi:10.1112/plms/s2-30.1.199.

    Examples
    --------
    >>> from bayescollapse.measures import variance_and_error
    >>> variance, error = variance_and_error([0.0, 1.0, 2.0, 3.0, 4.0], 0)
    >>> float(variance), round(float(error), 3)
    (2.5, 1.041)
    """
    values = np.asarray(x, dtype=np.float64)
    count = values.shape[axis]
    with np.errstate(invalid="ignore", over="ignore"):
        squares = (values - values.mean(axis=axis, keepdims=True)) ** 2
        total, fourth = squares.sum(axis=axis), (squares**2).sum(axis=axis)
        missing = np.full(total.shape, np.nan)
        if count < 4:
            return total / (count - 1) if count > 1 else missing, missing.copy()
        square = (total / (count - 1)) ** 2
        cumulant = count * (count + 1) * fourth / (count - 1) - 3 * total**2
        cumulant = cumulant / ((count - 2) * (count - 3))
        unbiased = (2 * count * square + (count - 1) * cumulant) / (count * (count + 1))
        smallest = 2 * square / (count * (count - 1))
        return total / (count - 1), np.sqrt(np.maximum(unbiased, smallest))


def root_mean_square(x: ArrayLike, axis: int) -> tuple[Floats, Floats]:
    """Root of the mean square over independent replicates, and its Monte Carlo standard error.

    Parameters
    ----------
    x : array_like
        Values; missing ones make both missing.
    axis : int
        Axis of the replicates.

    Returns
    -------
    tuple of ndarray
        Root mean square, 0 or more, and its first-order standard error, in units of `x`.

    Examples
    --------
    >>> from bayescollapse.measures import root_mean_square
    >>> value, error = root_mean_square([3.0, -3.0], 0)
    >>> float(value), float(error)
    (3.0, 0.0)
    """
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        mean, error = mean_and_error(np.asarray(x, dtype=np.float64) ** 2, axis)
        root = np.sqrt(mean)
        return root, np.where(root > 0, error / (2 * root), 0.0 * root)


def posterior_accuracy(
    run: xr.DataTree,
    *,
    var_names: str | Sequence[str] | None = None,
    probability: float | None = None,
    reference: str = "real_only",
) -> xr.Dataset:
    r"""Measure how wrong posteriors are over replicates, and how wrong they claim to be.

    ================== ===========================================================================
    variable           meaning; m and s are posterior mean and sd, :math:`\theta` the truth
    ================== ===========================================================================
    claimed_sd         mean of s (and ``_median``)
    bias               mean of :math:`m - \theta`
    squared_error      mean of :math:`(m - \theta)^2`: squared bias plus variance
    error_variance     variance of :math:`m - \theta` over replicates
    rms_z              root of the mean of :math:`((m - \theta)/s)^2`: 1 if the posterior's sd is
                       what its error is, above 1 overconfident
    coverage           share of replicates whose central interval holds the truth, with exact
                       binomial 95 % limits ``coverage_low`` and ``coverage_high``
    rows_worth         size of a real-only sample with the same error,
                       :math:`n_{ref} E_{ref} / E_t`
    rows_worth_density size of a real-only sample with the same held-out log density, on
                       (scheme, generation)
    rows_claimed       size that the posterior variance claims,
                       :math:`n_{ref} \bar V_{ref} / \bar V_t`
    certainty          rows_claimed / rows_worth: 1 honest, above 1 overconfident
    n_real             real rows of the generation
    ================== ===========================================================================

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries such as ``"beta[0]"``; all if not given.
    probability : float, optional
        Central interval whose coverage is measured, above 0 and below 1; every one that the run's
        quantiles allow if not given (``probabilities=`` of the experiment).
    reference : {"real_only", "real_seen", "real_plus", "first"}, default "real_only"
        Posterior of real rows whose error :math:`E_{ref}`, variance :math:`V_{ref}` and number of
        rows :math:`n_{ref}` scale rows worth and claimed: that of the generation's own real rows,
        of all seen so far, of n + m fresh ones, or of generation 0.

    Returns
    -------
    Dataset
        On (scheme, generation, parameter), coverage with ``interval`` (its nominal probability).
        Standard errors over replicates end in ``_mcse``; those of ratios pair the replicates.
        ``attrs["missing"]`` says which measures the run cannot give, and why.

    Raises
    ------
    TypeError
        If `run` is no DataTree.
    ValueError
        If a parameter or reference is unknown, or `probability` is no interval of the run's
        quantiles.

    Notes
    -----
    Rows by error assume that it falls as one over the number of rows, exact for a mean with a flat
    prior; with an informative prior the scale is compressed. Rows by density compare with the
    densities of the references themselves, and need two sizes of real samples (``real_only`` with
    ``real_seen``) and held-out rows; see :func:`~bayescollapse.measures.rows_of_density`. The two
    differ where the posterior's spread is wrong: error judges its mean alone.

    References
    ----------
    .. [1] Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.measures import posterior_accuracy
    >>> from bayescollapse.models import gaussian_mean
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.accumulate(),
    ...     n_real=20, generations=40, replicates=100,
    ... ).run(progress=False)
    >>> late = posterior_accuracy(run, probability=0.95).isel(generation=-1)
    >>> bool(late["coverage"] < 0.5), bool(late["rms_z"] > 3)
    (True, True)
    """
    check_reference(reference, KNOWING)
    figures = (cells_of(run, name, var_names) for name in ("mean", "sd"))
    mean, sd = (figure.transpose(*LEAD, "parameter") for figure in figures)
    truth = truth_of(run, mean)
    missing: list[str] = []
    out = _claimed(sd)
    if truth is None:
        missing.append(lacking(("bias", "squared_error", "error_variance", "rms_z"), "truth"))
    else:
        out |= _errors(mean, sd, truth)
    intervals = chosen_intervals(run, probability)
    out |= interval_coverage(run, var_names, truth, intervals, missing)
    out |= row_worth(run, mean, sd, truth, missing, reference=reference)
    out |= density_worth(run, missing)
    words = {"n_real": ("real rows of the generation", "real rows")}
    found = labelled(xr.Dataset(out), words | words_of((*MEASURES, *WORTH)))
    chosen = {measure.name: reference for measure in WORTH if measure.references}
    right = dict.fromkeys(("bias", "squared_error", "rms_z", "coverage"), "truth")
    found = compared_with(found, chosen | right)
    return found.assign_attrs(missing="; ".join(missing), reference=reference)


def _claimed(sd: xr.DataArray) -> dict[str, xr.DataArray]:
    mean, error = mean_and_error(sd.to_numpy(), sd.dims.index("replicate"))
    median = sd.median("replicate", skipna=False)
    values = {"claimed_sd": mean, "claimed_sd_mcse": error, "claimed_sd_median": median.to_numpy()}
    return {name: median.copy(data=value) for name, value in values.items()}


def _errors(mean: xr.DataArray, sd: xr.DataArray, truth: xr.DataArray) -> dict[str, xr.DataArray]:
    error = (mean - truth).transpose(*mean.dims)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (error / sd).to_numpy()
    values, like = error.to_numpy(), error.isel(replicate=0, drop=True)
    found = {
        "bias": mean_and_error(values, 1),
        "squared_error": mean_and_error(values**2, 1),
        "error_variance": variance_and_error(values, 1),
        "rms_z": root_mean_square(z, 1),
    }
    return {
        name + end: like.copy(data=part)
        for name, pair in found.items()
        for end, part in zip(("", "_mcse"), pair, strict=True)
    }
