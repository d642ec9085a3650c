"""Worth in real rows: how many of them alone would do as well, and how many are claimed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from bayescollapse.measures.kernels import mean_and_error, ratio_and_error
from bayescollapse.measures.layout import LEAD, group, has_group, real_rows
from bayescollapse.measures.references import reference_counts, reference_moments, seen_rows
from bayescollapse.measures.registry import KNOWING, REAL, Measure, lacking

__all__ = ["MEASURES", "density_worth", "paired_ratio", "row_worth", "rows_of_density"]

Floats = NDArray[np.float64]

LIBRARY = (
    "defined by this library; relative efficiency of Fisher (1922), doi:10.1098/rsta.1922.0009"
)
RATIO = "ratio of means, order 1 / replicates"
ROWS = "equivalent real rows"


def _measure(
    name: str, meaning: str, units: str, needs: tuple[str, ...], null: float | str
) -> Measure:
    density = name == "rows_worth_density"
    return Measure(
        name=name,
        question="accuracy against claim",
        meaning=meaning,
        units=units,
        lowest=0.0,
        highest=float("inf"),
        symmetric=False,
        invariant=True if density else "affine",
        needs=needs,
        references=() if density else KNOWING,
        null=null,
        bias=RATIO,
        source=LIBRARY,
    )


MEASURES = (
    _measure(
        "rows_worth",
        "size of a real sample with the same squared error",
        ROWS,
        ("truth", "real_only"),
        "n_real",
    ),
    _measure(
        "rows_claimed",
        "size of a real sample with the same posterior variance",
        ROWS,
        ("real_only",),
        "n_real",
    ),
    _measure("certainty", "rows claimed over rows worth", "1", ("truth", "real_only"), 1.0),
    _measure(
        "rows_worth_density",
        "size of a real sample with the same held-out log density",
        ROWS,
        ("held-out rows", "real_only", "real_seen"),
        "n_real",
    ),
)


def row_worth(
    run: xr.DataTree,
    mean: xr.DataArray,
    sd: xr.DataArray,
    truth: xr.DataArray | None,
    missing: list[str],
    *,
    reference: str = "real_only",
) -> dict[str, xr.DataArray]:
    """Rows worth by error, rows claimed by the posterior variance, and their ratio.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    mean, sd : DataArray
        Posterior means and sds on (scheme, replicate, generation, parameter).
    truth : DataArray, optional
        Truths on (replicate, parameter).
    missing : list of str
        Gains a line for everything that the run cannot give.
    reference : str, default "real_only"
        Posterior of real rows that gives the scale.
    """
    moments = reference_moments(run, reference, mean, sd)
    if moments is None:
        missing.append(lacking(("rows_worth", "rows_claimed", "certainty"), reference))
        return {}
    mean_real, sd_real = moments
    generations = mean["generation"].values.tolist()
    counts = reference_counts(run, reference, generations)
    variance, variance_real = sd**2, sd_real**2
    out = {"n_real": real_rows(run, generations)}
    out |= paired_ratio("rows_claimed", [variance_real], [variance], counts)
    if truth is None:
        missing.append(lacking(("rows_worth", "certainty"), "truth"))
        return out
    error, error_real = (mean - truth) ** 2, (mean_real - truth) ** 2
    out |= paired_ratio("rows_worth", [error_real], [error], counts)
    return out | paired_ratio("certainty", [variance_real, error], [variance, error_real])


def paired_ratio(
    name: str,
    tops: Sequence[xr.DataArray],
    bottoms: Sequence[xr.DataArray],
    counts: xr.DataArray | None = None,
) -> dict[str, xr.DataArray]:
    """Product of means over a product of means, times real rows if they are given.

    Parameters
    ----------
    name : str
        Name of the measure; its Monte Carlo standard error is ``<name>_mcse``.
    tops, bottoms : sequence of DataArray
        Quantities of every replicate, on any of (scheme, replicate, generation, parameter).
    counts : DataArray, optional
        Real rows of the generations.
    """
    order = (*LEAD, "parameter")
    arrays = [a.transpose(*order) for a in xr.broadcast(*tops, *bottoms)]
    split = len(tops)
    value, error = ratio_and_error(
        [a.to_numpy() for a in arrays[:split]], [a.to_numpy() for a in arrays[split:]], 1
    )
    like = arrays[0].isel(replicate=0, drop=True)
    scale = xr.ones_like(like) if counts is None else counts
    parts = {name: value, f"{name}_mcse": np.asarray(error)}
    return {
        label: (like.copy(data=part) * scale).transpose(*like.dims) for label, part in parts.items()
    }


def rows_of_density(
    density: ArrayLike, curve: ArrayLike, sizes: ArrayLike
) -> tuple[Floats, Floats]:
    r"""Size of a real-only sample with the same held-out log density.

    The mean density of real-only samples is taken to be a quadratic in
    :math:`z = \log(1 + 1/n)` (a line with two sizes), fitted by least squares, and continued
    beyond the given sizes by its tangent.

    Parameters
    ----------
    density : array_like, shape (…, replicate)
        Held-out log density of every replicate.
    curve : array_like, shape (size, replicate)
        That of real-only samples of the same replicates.
    sizes : array_like, shape (size,)
        Their numbers of rows, two different ones or more.

    Returns
    -------
    tuple of ndarray, shape (…)
        Rows, inf where the density is above that of any number of rows, missing where the fitted
        curve does not rise with the number of rows; and the Monte Carlo standard error, from the
        paired first-order effect of every replicate.

    Raises
    ------
    ValueError
        If there are fewer than two different sizes.

    Notes
    -----
    For a Gaussian mean with known variance and a flat prior the density is exactly a line in z; for
    regular models the curve is right to order 1/n. Within the range of the sizes the bias is
    that of the fit; outside it, that of the straight continuation.

    References
    ----------
    .. [1] Watanabe (2010), arXiv:1004.2316, for the loss of order 1/n.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.measures import rows_of_density
    >>> sizes = np.array([10, 20, 30])
    >>> curve = -0.5 * np.log1p(1 / sizes)[:, None] * np.ones(4)
    >>> rows, _ = rows_of_density(-0.5 * np.log1p(1 / np.full(4, 15.0)), curve, sizes)
    >>> round(float(rows), 6)
    15.0
    """
    n = np.asarray(sizes, dtype=np.float64)
    if np.unique(n).size < 2:
        raise ValueError(
            f"sizes must hold two different numbers of real rows or more, got {n.tolist()}: add "
            "'real_only' and 'real_seen' to references= of the experiment"
        )
    # One memory layout, so that a stored run gives the same bits.
    z, target = np.log1p(1 / n), np.ascontiguousarray(density, dtype=np.float64)
    degree = min(2, np.unique(n).size - 1)
    fits = np.polynomial.polynomial.polyfit(
        z, np.ascontiguousarray(curve, dtype=np.float64), degree
    )
    coefficients = np.zeros((3, fits.shape[1]))
    coefficients[: degree + 1] = fits
    whole, ends = coefficients.mean(axis=1), (z.min(), z.max())
    root = _invert(target.mean(axis=-1), whole, ends)
    inside = np.clip(root, *ends)
    slope = whole[1] + 2 * whole[2] * inside
    line = coefficients[0] + coefficients[1] * inside[..., None]
    line = line + coefficients[2] * inside[..., None] ** 2
    line = (
        line
        + (coefficients[1] + 2 * coefficients[2] * inside[..., None]) * (root - inside)[..., None]
    )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        _, error = mean_and_error((target - line) / slope[..., None], -1)
        rows = np.where(root > 0, 1 / np.expm1(root), np.inf)
        rows = np.where(np.isfinite(root), rows, np.nan)
        return rows, np.where(root > 0, error * rows**2 * np.exp(root), np.nan)


def density_worth(run: xr.DataTree, missing: list[str]) -> dict[str, xr.DataArray]:
    """Rows worth by held-out log density, on (scheme, generation).

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    missing : list of str
        Gains a line if the run cannot give it, or gives no value: the variables are there then.
    """
    name = "rows_worth_density"
    if not (has_group(run, "predictive") and "held_out_log_density" in run["predictive"]):
        missing.append(lacking(name, "held-out rows"))
        return {}
    curve, sizes = _real_curve(run)
    if sizes.size < 2:
        missing.append(_too_few_sizes(run, sizes))
        return {}
    predictive = group(run, "predictive", needed_for=name)
    density = predictive["held_out_log_density"].transpose("scheme", "generation", "replicate")
    rows, error = rows_of_density(density.to_numpy(), curve, sizes)
    if np.isnan(rows).all():
        missing.append(
            f"{name}: the fitted held-out density of real samples does not rise with their size "
            "(run the experiment with more replicates, and more rows in held_out=)"
        )
    like = density.isel(replicate=0, drop=True)
    attrs = {"sizes": sorted({int(n) for n in sizes})}
    parts = {name: rows, f"{name}_mcse": error}
    return {label: like.copy(data=part).assign_attrs(attrs) for label, part in parts.items()}


def _too_few_sizes(run: xr.DataTree, sizes: Floats) -> str:
    name, because = "rows_worth_density", "it takes real samples of two sizes"
    if sizes.size:
        because += f", and the run has those of {sizes[0]:g} alone"
    if has_group(run, "reference/real_seen/predictive"):
        return f"{name}: {because} (run the experiment with more generations)"
    return lacking(name, "real_seen", because=because)


def _real_curve(run: xr.DataTree) -> tuple[Floats, Floats]:
    """Held-out density (size, replicate) of references by their number of real rows."""
    found: dict[int, list[Floats]] = {}
    rows = seen_rows(run)
    for reference in REAL:
        place = f"reference/{reference}/predictive"
        if not has_group(run, place):
            continue
        density = group(run, place, needed_for="rows_worth_density")["held_out_log_density"]
        for values, count in zip(
            density.transpose("generation", ...).to_numpy(), rows[reference], strict=True
        ):
            found.setdefault(count, []).append(values)
    sizes = sorted(found)
    return np.array([np.mean(found[n], axis=0) for n in sizes]), np.array(sizes, dtype=np.float64)


def _invert(level: Floats, coefficients: Floats, ends: tuple[float, float]) -> Floats:
    """Where a falling quadratic, continued by its tangents, has a level."""
    a, b, c = coefficients
    low, high = ends
    slopes = b + 2 * c * low, b + 2 * c * high
    if not max(slopes) < 0:
        return np.full(np.shape(level), np.nan)
    values = [a + b * z + c * z * z for z in ends]
    with np.errstate(invalid="ignore"):
        # The form of the root that does not cancel, and is right for c = 0 too.
        inside = 2 * (a - level) / (-b + np.sqrt(np.maximum(b * b - 4 * c * (a - level), 0.0)))
    below = low + (level - values[0]) / slopes[0]
    above = high + (level - values[1]) / slopes[1]
    return np.asarray(
        np.where(level > values[0], below, np.where(level < values[1], above, inside))
    )
