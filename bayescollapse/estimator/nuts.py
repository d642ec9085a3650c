"""NUTS posteriors of a weighted row model: compiled once per process, rows exchanged per fit."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.gate import Gate, GateFigures, gate
from bayescollapse.estimator.graph import RowModel
from bayescollapse.estimator.probe import impossible_rows
from bayescollapse.estimator.tilt import neutral_rows, weighted_model, weights_name

if TYPE_CHECKING:
    from nutpie.compile_pymc import CompiledPyMCModel

__all__ = ["TUNE", "NutsFit", "NutsSampler"]

Floats = NDArray[np.float64]

TUNE = 400
"""Default number of adaptation steps: nutpie's own, enough for its diagonal adaptation."""


class _Attempt(NamedTuple):
    draws: int
    tune: int
    target_accept: float


_ATTEMPTS = (_Attempt(1, 1, 0.8), _Attempt(2, 1, 0.8), _Attempt(2, 2, 0.95))
"""Factors of draws and adaptation, and acceptance target. Most failures only need more draws."""


@dataclass(frozen=True, eq=False)
class NutsFit:
    """Posterior draws of one fit.

    Parameters
    ----------
    parameters : mapping of str to ndarray, shape (chain, draw, …)
        Free variables on their own scale.
    figures : GateFigures
        Gate figures of the last attempt.
    attempts : int
        Number of attempts; a fit with ``figures.passed`` false failed them all.
    seeds : tuple of int
        Seed of every attempt.
    divergent : ndarray of bool, shape (chain, draw)
        Which transitions diverged.
    """

    parameters: Mapping[str, Floats]
    figures: GateFigures
    attempts: int
    seeds: tuple[int, ...]
    divergent: NDArray[np.bool_]


class NutsSampler:
    """Sample the posterior of weighted rows with NUTS.

    Parameters
    ----------
    built : RowModel
        The row model.
    gate : Gate, optional
        What a fit has to pass. It judges the draws on the unconstrained scale, where no entry of a
        parameter is constant by construction.

    Raises
    ------
    ValueError
        If the model has discrete free variables.
    """

    def __init__(self, built: RowModel, gate: Gate = gate) -> None:
        self._built = built
        self._gate = gate
        discrete = [v.name for v in built.schema.parameters if not v.dtype.startswith("float")]
        if discrete:
            raise ValueError(
                f"free variables {discrete} are discrete, and NUTS needs continuous ones: sum them "
                "out of the model (for example pm.Mixture instead of a categorical label)"
            )

    def compile(self) -> CompiledPyMCModel:
        """Compile the weighted model, once per process: some 1 to 60 s. A later call returns it."""
        return self._compiled

    def fit(
        self,
        values: Mapping[str, NDArray[Any]],
        weights: Floats,
        *,
        draws: int = 500,
        tune: int | None = None,
        chains: int = 2,
        seeds: Callable[[int], int],
        cores: int = 1,
    ) -> NutsFit:
        """Fit weighted rows.

        A fit that fails the gate is repeated with twice the draws, and then also with twice the
        adaptation and an acceptance target of 0.95. One that fails again is returned, marked.

        Parameters
        ----------
        values : mapping of str to ndarray, shape (obs, …)
            Responses and covariates of any number of rows.
        weights : ndarray, shape (obs,)
            Weights of the rows, not negative.
        draws, chains : int
            Draws a chain of the first attempt, and chains.
        tune : int, optional
            Adaptation steps of the first attempt, by default 400.
        seeds : callable
            ``seeds(attempt)`` is the integer seed of an attempt.
        cores : int
            Chains that run at a time; it does not change the draws.

        Returns
        -------
        NutsFit

        Raises
        ------
        ValueError
            If rows or weights do not match the model or each other.
        RuntimeError
            If no chain found a starting point.
        """
        rows = neutral_rows(*self._checked(values, weights))
        compiled = self._with_rows(rows, np.asarray(weights, dtype=np.float64))
        used: list[int] = []
        for number, factor in enumerate(_ATTEMPTS):
            used.append(int(seeds(number)))
            settings = dict(
                draws=draws * factor.draws,
                tune=(TUNE if tune is None else tune) * factor.tune,
                chains=chains,
                cores=cores,
                seed=used[-1],
                target_accept=factor.target_accept,
            )
            trace = self._sample(compiled, settings, rows, weights)
            figures = self._gate(trace.unconstrained, trace.divergent)
            if figures.passed:
                break
        return NutsFit(trace.parameters, figures, len(used), tuple(used), trace.divergent)

    @cached_property
    def _compiled(self) -> CompiledPyMCModel:
        import nutpie

        model = weighted_model(self._built)
        model.deterministics.clear()  # their rows would fix the number of rows of the trace
        count = len(next(iter(self._built.template.values())))
        model._coords.update({d: tuple(range(count)) for d in self._built.row_dims})
        names = [v.name for v in self._built.schema.parameters]
        with warnings.catch_warnings():
            # PyMC compiles the starting point with the C linker, which looks for a BLAS that
            # nothing here uses: https://pytensor.readthedocs.io/en/latest/troubleshooting.html
            warnings.filterwarnings("ignore", message="PyTensor could not link to a BLAS")
            return nutpie.compile_pymc_model(model, freeze_model=False, var_names=names)

    def _with_rows(self, rows: Mapping[str, NDArray[Any]], weights: Floats) -> CompiledPyMCModel:
        compiled = self.compile()
        data = {self._built.shared[name]: value for name, value in rows.items()}
        data[weights_name(self._built)] = weights
        known = {shared.name for shared in compiled.shared_var_keys}
        return compiled.with_data(**{name: v for name, v in data.items() if name in known})

    def _sample(
        self,
        compiled: CompiledPyMCModel,
        settings: Mapping[str, Any],
        rows: Mapping[str, NDArray[Any]],
        weights: Floats,
    ) -> _Trace:
        import nutpie

        try:
            raw = nutpie.sample(
                compiled, save_warmup=False, progress_bar=False, return_raw_trace=True, **settings
            )
        except RuntimeError as error:
            raise RuntimeError(self._failure(rows, weights, error)) from error
        return self._read(*raw.get_arrow_trace())

    def _read(self, batches: list[Any], stats: list[Any]) -> _Trace:
        keep = [~np.asarray(_column(stat, "tuning"), dtype=bool)[:, 0] for stat in stats]
        parts = list(zip(batches, keep, strict=True))
        parameters = {
            v.name: np.stack([_column(batch, v.name)[k] for batch, k in parts]).reshape(
                len(parts), -1, *v.shape
            )
            for v in self._built.schema.parameters
        }
        model = self._built.model
        values = [model.rvs_to_values[rv].name for rv in model.free_RVs]
        return _Trace(
            parameters=parameters,
            unconstrained=np.stack(
                [np.concatenate([_column(b, n) for n in values], axis=1)[k] for b, k in parts]
            ),
            divergent=np.stack(
                [
                    np.asarray(_column(s, "diverging"), dtype=bool)[k, 0]
                    for s, k in zip(stats, keep, strict=True)
                ]
            ),
        )

    def _checked(
        self, values: Mapping[str, NDArray[Any]], weights: Floats
    ) -> tuple[dict[str, NDArray[Any]], Floats]:
        weights = np.asarray(weights)
        if weights.ndim != 1 or weights.dtype.kind not in "fiub":
            raise ValueError(
                f"weights has shape {weights.shape} and type {weights.dtype}, but one number per "
                "row is needed"
            )
        if not np.isfinite(weights).all() or (weights < 0).any():
            bad = weights[~np.isfinite(weights) | (weights < 0)][0]
            raise ValueError(
                f"weights holds {bad}, but weights are finite and not negative: 0 removes a row"
            )
        return {
            v.name: _rows(v, values, len(weights)) for v in self._built.schema.variables
        }, weights

    def _failure(
        self, rows: Mapping[str, NDArray[Any]], weights: Floats, error: RuntimeError
    ) -> str:
        bad, cause = impossible_rows(self._built, rows), str(error).splitlines()[0]
        which = (
            f"rows {bad[:10].tolist()} are impossible at the starting point"
            if len(bad)
            else ("every row is possible at the starting point")
        )
        return (
            f"nutpie could not sample {len(weights)} rows of total weight {np.sum(weights):g} "
            f"({cause}): {which}. Check that the rows lie in the support of the likelihood, that "
            "weights are not huge, and give free variables an initval where their starting point "
            "is impossible"
        )


class _Trace(NamedTuple):
    parameters: dict[str, Floats]
    unconstrained: Floats
    divergent: NDArray[np.bool_]


def _column(batch: Any, name: str) -> NDArray[Any]:
    import pyarrow  # type: ignore[import-untyped]

    column = pyarrow.array(batch.column(name))
    flat = column.flatten() if hasattr(column, "flatten") else column
    array: NDArray[Any] = flat.to_numpy(zero_copy_only=False).reshape(batch.num_rows, -1)
    return array


def _rows(variable: Any, values: Mapping[str, NDArray[Any]], count: int) -> NDArray[Any]:
    if variable.name not in values:
        raise ValueError(
            f"values has no {variable.name!r}, which the model reads (it has {sorted(values)}): "
            "add it"
        )
    value = np.asarray(values[variable.name])
    if value.shape != (count, *variable.shape):
        raise ValueError(
            f"values[{variable.name!r}] has shape {value.shape}, but {(count, *variable.shape)} is "
            f"needed for {count} weights: one entry per row, weights included"
        )
    cast = value.astype(variable.dtype)
    if not np.array_equal(cast, value):
        raise ValueError(
            f"values[{variable.name!r}] holds values that {variable.dtype} cannot represent, but "
            "the model's variable is of that type: recode them, and drop missing values"
        )
    return cast
