"""Divergence of a predictive distribution from the truth, where its density is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from bayescollapse._checks import integer
from bayescollapse.estimator.hooks import EmittingEngine
from bayescollapse.experiment.describe import check_run
from bayescollapse.measures.layout import LEAD, group, has_group
from bayescollapse.measures.registry import LackingError, Measure, lacking
from bayescollapse.rows import ROW_DIM, concatenate_rows
from bayescollapse.sources.base import Place, stack_parameters
from bayescollapse.sources.truth import Truth
from bayescollapse.streams import Streams

if TYPE_CHECKING:
    from bayescollapse.estimator.engine import Engine
    from bayescollapse.experiment.experiment import Experiment
    from bayescollapse.rows import Values

__all__ = ["MEASURES", "held_out_truth", "log_mean_density", "truth_divergence"]

Floats = NDArray[np.float64]

BLOCK = 2**18
"""Densities that are computed at once: 2 MiB, which a processor's cache holds."""

LONG = 2**28
"""Densities from which on progress is shown; they take some seconds."""

MEASURES = (
    Measure(
        name="truth_divergence",
        question="predictive drift",
        meaning="Kullback-Leibler divergence of the predictive from the truth",
        units="nats per row",
        lowest=0.0,
        highest=float("inf"),
        symmetric=False,
        invariant=True,
        needs=("draws", "truth", "experiment"),
        null="about the number of parameters over twice the rows of a fit",
        bias="order 1 / draws squared; its estimate can lie below 0 by its error",
        source="Kullback and Leibler (1951), doi:10.1214/aoms/1177729694",
    ),
)


def log_mean_density(log_density: ArrayLike, *, axis: int = -2) -> Floats:
    r"""Log of a mean of densities over draws, corrected for the curvature of the logarithm.

    .. math:: \log \bar p + \frac{\widehat{\mathrm{Var}}(p)}{2 S \bar p^2}

    Parameters
    ----------
    log_density : array_like, shape (…, draw, obs)
        Log density of every row at S draws.
    axis : int, default -2
        Axis of the draws.

    Returns
    -------
    ndarray, shape (…, obs)
        Log predictive density in nats.

    Notes
    -----
    The log of a mean is biased downwards by half the relative variance of the mean; that much is
    added. What remains is of order one over the square of the number of draws, while the densities
    of single draws differ by less than the number of draws; beyond that no finite sample helps.

    Examples
    --------
    >>> import numpy as np
    >>> float(np.exp(log_mean_density(np.log([[1.0], [1.0]])))[0])
    1.0
    """
    logs = np.asarray(log_density, dtype=np.float64)
    count = logs.shape[axis]
    highest = logs.max(axis=axis, keepdims=True)
    highest = np.where(np.isfinite(highest), highest, 0.0)
    density = np.exp(logs - highest)
    mean = density.mean(axis=axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = np.log(mean) + np.squeeze(highest, axis=axis)
        if count < 2:
            return np.asarray(plain)
        density -= np.expand_dims(mean, axis)
        variance = np.square(density, out=density).sum(axis=axis) / (count - 1)
        correction = variance / (2 * count * mean**2)
    return np.asarray(plain + np.where(mean > 0, correction, 0.0))


def truth_divergence(
    run: xr.DataTree, experiment: Experiment, *, rows: int = 500, progress: bool = True
) -> xr.Dataset:
    r"""Kullback-Leibler divergence of every cell's predictive distribution from the truth.

    .. math:: \mathbb E_{y \sim p^*} [\log p^*(y) - \log p_t(y)]

    with :math:`p_t` the posterior predictive density of generation t: the mean over its kept draws.
    For regressions both densities are given the covariates, and the mean is over these too.

    Parameters
    ----------
    run : DataTree
        Result of an experiment that kept draws.
    experiment : Experiment
        The experiment of the run; its source must be a :class:`~bayescollapse.Truth`.
    rows : int, default 500
        Rows from the truth, the same for all schemes and generations, at least 2; where the truth
        has one design, as many of its repeats as hold that many rows. They come from the stream of
        held-out rows, which no fit has seen.
    progress : bool, default True
        Whether a long computation shows how far it is.

    Returns
    -------
    Dataset
        ``truth_divergence`` (scheme, replicate, generation) in nats per row, and
        ``truth_divergence_error``, the standard error that comes from the finite number of rows: it
        is shared by schemes and generations, so that their differences are more precise.

    Raises
    ------
    LackingError
        If the run has no draws, or the truth's density is not known.
    ValueError
        If `rows` is too small, or `experiment` is another one's.

    References
    ----------
    .. [1] Kullback and Leibler (1951), doi:10.1214/aoms/1177729694.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> experiment = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.replace(),
    ...     n_real=20, generations=3, replicates=4)
    >>> run = experiment.run(progress=False)
    >>> bool((truth_divergence(run, experiment)["truth_divergence"] > -0.01).all())
    True
    """
    from bayescollapse.experiment.progress import show_progress

    integer("rows", rows, minimum=2)
    group(run, "summary", needed_for="truth_divergence")
    check_run(experiment, run)
    if not has_group(run, "posterior"):
        raise LackingError(lacking("truth_divergence", "draws"))
    engine, block = _learner(experiment)
    posterior = group(run, "posterior", needed_for="truth_divergence")
    draws = {str(n): _draws(v) for n, v in posterior.data_vars.items()}
    shape = next(iter(draws.values())).shape[:4]
    out = np.empty((2, *shape[:3]))
    starts = range(0, shape[1], block)
    shown = progress and int(np.prod(shape)) * rows > LONG
    with show_progress(len(starts) * shape[0], title="divergence", shown=shown) as bar:
        for start in starts:
            of_block = slice(start, min(start + block, shape[1]))
            drawn, true = _truth_rows(experiment, start // block, block, rows)
            for s, label in enumerate(posterior["scheme"].values.tolist()):
                chosen = {name: value[s, of_block] for name, value in draws.items()}
                out[:, s, of_block] = _divergences(engine, chosen, drawn, true)
                bar.advance(str(label))
    coords = {d: posterior[d].to_numpy() for d in LEAD}
    attrs = {"units": "nats per row"}
    names = ("truth_divergence", "truth_divergence_error")
    return xr.Dataset(
        {name: (LEAD, value, attrs) for name, value in zip(names, out, strict=True)}, coords=coords
    )


def held_out_truth(experiment: Experiment) -> Floats:
    """Mean log density of the held-out rows under the truth, nats per row.

    Parameters
    ----------
    experiment : Experiment
        Any experiment with held-out rows, whose source is a :class:`~bayescollapse.Truth`.

    Returns
    -------
    ndarray, shape (replicate,)
        What no posterior can exceed on average.

    Raises
    ------
    LackingError
        If the truth's density is not known.
    """
    source = _known_truth(experiment, "held_out_loss from the truth", "choose another reference")
    size = experiment.estimator.engine(experiment.method).block
    parts = []
    for start in range(0, experiment.replicates, size):
        rows = experiment.held_out_of(start // size)
        assert rows is not None
        place = Place(Streams(experiment.seed), start // size, 0, size, "held_out")
        density = _truth_density(experiment, source, place, rows).mean(axis=1)
        parts.append(np.broadcast_to(density, (size,)))
    return np.concatenate(parts)[: experiment.replicates]


INSTEAD = "use held_out_loss of bc.drift, which needs held-out rows alone"


def _known_truth(experiment: Experiment, what: str, instead: str = INSTEAD) -> Truth:
    source: object = experiment.source
    if not isinstance(source, Truth) or (source.prior and source.estimator is not None):
        raise LackingError(
            f"{what}: the density of the truth is known for bc.Truth only, with given "
            f"parameters or the learner's own prior, got {source!r}: {instead}"
        )
    return source


def _learner(experiment: Experiment) -> tuple[Engine, int]:
    engine = experiment.estimator.engine(experiment.method)
    _known_truth(experiment, "truth_divergence")
    if isinstance(engine, EmittingEngine):
        raise LackingError(
            f"truth_divergence: posterior draws of {experiment.estimator!r} have no density of "
            f"their own: {INSTEAD}"
        )
    return engine, engine.block


def _draws(values: xr.DataArray) -> Floats:
    """Draws with shape (scheme, replicate, generation, draw, …), over all chains."""
    array = values.transpose(*LEAD, "chain", "draw", ...).to_numpy()
    return array.reshape(*array.shape[:3], -1, *array.shape[5:])


def _truth_rows(
    experiment: Experiment, block: int, size: int, rows: int
) -> tuple[Values, NDArray[np.float64]]:
    """Rows from the truth of a block (1 or replicate, obs, …), and their log density there."""
    source = _known_truth(experiment, "truth_divergence")
    # One truth for all replicates has one set of rows, whatever the block.
    where = (block, size) if source.prior else (0, 1)
    place = Place(Streams(experiment.seed), where[0], 0, where[1], "held_out")
    design = source.covariates
    if not isinstance(design, xr.Dataset):
        drawn = experiment.bound.real(rows, place)
    else:
        size = design.sizes[ROW_DIM]
        places = [replace(place, attempt=i) for i in range(-(-rows // size))]
        drawn = concatenate_rows([experiment.bound.real(size, each) for each in places])
    return drawn, _truth_density(experiment, source, place, drawn)


def _truth_density(experiment: Experiment, source: Truth, place: Place, rows: Values) -> Floats:
    """Log density of rows at the truth, shape (1 or replicate, obs)."""
    model = source.estimator or experiment.estimator
    if source.prior:
        stacked = experiment.bound.truth(place)
        assert stacked is not None
    else:
        stacked = stack_parameters(source.parameters, model.schema)[None]
    parameters = model.schema.unpack(stacked[:, None])
    return model.engine().log_density(parameters, rows)[:, 0]


def _divergences(
    engine: Engine, draws: dict[str, Floats], rows: Values, true: Floats
) -> NDArray[np.float64]:
    """Mean log ratio and its standard error, shape (2, replicate, generation)."""
    replicates, generations, count = next(iter(draws.values())).shape[:3]
    obs, cells = true.shape[1], replicates * generations
    out = np.empty((2, cells))
    flat = {name: value.reshape(cells, *value.shape[2:]) for name, value in draws.items()}
    step = max(BLOCK // (count * obs), 1)
    for start in range(0, cells, step):
        part = slice(start, min(start + step, cells))
        replicate = np.arange(part.start, part.stop) // generations
        at = {name: value[part] for name, value in flat.items()}
        wide = {name: _wide(value, replicate) for name, value in rows.items()}
        density = log_mean_density(engine.log_density(at, wide))
        with np.errstate(invalid="ignore"):
            ratio = _wide(true, replicate) - density
            out[0, part] = ratio.mean(axis=-1)
            out[1, part] = ratio.std(axis=-1, ddof=1) / np.sqrt(obs)
    return out.reshape(2, replicates, generations)


def _wide(values: NDArray[Any], index: NDArray[np.int64]) -> NDArray[Any]:
    """Rows of every cell; one set for all is not copied."""
    if values.shape[0] == 1:
        return np.broadcast_to(values, (index.size, *values.shape[1:]))
    return values[index]
