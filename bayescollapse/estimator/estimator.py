"""The public estimator: one PyMC model, fitted to weighted rows, emitting synthetic rows."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bayescollapse._checks import integer
from bayescollapse.estimator.emission import Emission, parse_emission
from bayescollapse.estimator.engine import Engine, ExactEngine, Fit, FitSettings, Group
from bayescollapse.estimator.exact import ExactSampler, Floats
from bayescollapse.estimator.hooks import check_emission, emit_rows
from bayescollapse.estimator.inputs import (
    checked_covariates,
    checked_weights,
    entropy,
    training_rows,
)
from bayescollapse.estimator.methods import METHODS, model_engine, parse_method
from bayescollapse.estimator.trees import fit_tree, pooled_draws
from bayescollapse.rows import ROW_DIM, RowSchema, Values
from bayescollapse.streams import Streams

if TYPE_CHECKING:
    import pymc as pm

    from bayescollapse.estimator.graph import RowModel

__all__ = ["METHODS", "Estimator"]


class Estimator:
    """A PyMC model as the learner of a recursive loop.

    Parameters
    ----------
    model : pymc.Model or callable
        The model, or a function ``f(rows) -> pymc.Model`` that is called once per process with
        template rows. The row dimension is the observed variable's leading one, whatever its name.
    exact : ExactSampler, optional
        Closed-form posterior of the same model under weighted rows.
    observed : str or sequence of str, optional
        Observed variables that the rows carry; all of the model's if not given.
    local : sequence of str, optional
        Free variables on the row dimension. They are fitted by ``method="advi"`` only, which is
        approximate; they belong to their rows and are no parameters of the run.
    template : Dataset, optional
        Rows that `model` is first called with, where it is a function that needs them.

    Raises
    ------
    TypeError
        If `model` is neither a model nor a function.

    See Also
    --------
    bayescollapse.Experiment : The loop around an estimator.

    Notes
    -----
    A row's log-likelihood is multiplied by its weight (power likelihood): weight 1 everywhere is
    ordinary Bayes, weight 0 removes a row. The PyMC model is always the definition; an exact
    sampler only draws its posterior faster.

    Examples
    --------
    >>> import numpy as np, pymc as pm, xarray as xr
    >>> import bayescollapse as bc
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 10)
    ...     y = pm.Normal("y", mu, 1, observed=np.zeros(3))
    >>> bc.Estimator(model).schema.parameters[0].name
    'mu'
    """

    def __init__(
        self,
        model: pm.Model | Callable[..., pm.Model],
        *,
        exact: ExactSampler | None = None,
        observed: str | Sequence[str] | None = None,
        local: Sequence[str] = (),
        template: xr.Dataset | None = None,
    ) -> None:
        if not callable(model) and not hasattr(model, "free_RVs"):
            raise TypeError(
                "model must be a pymc.Model or a function f(rows) -> pymc.Model, got "
                f"{type(model).__name__}"
            )
        if exact is not None and not isinstance(exact, ExactSampler):
            raise TypeError(
                "exact must implement bayescollapse.estimator.ExactSampler, got "
                f"{type(exact).__name__}"
            )
        self.exact = exact
        self._model = model
        self._observed = (observed,) if isinstance(observed, str) else observed
        self._local = (local,) if isinstance(local, str) else tuple(local)
        if self._local and exact is not None:
            raise ValueError(
                f"local={list(self._local)} needs method='advi', and exact= gives the posterior of "
                "a model without local variables: give one of them"
            )
        self._template = template
        self._engines: dict[str, Engine] = {}

    def __repr__(self) -> str:
        """Name the model, its parameters and its rows."""
        name = getattr(self._model, "func", self._model)
        label = (
            getattr(name, "__module__", type(name).__module__) if callable(name) else "pymc.Model"
        )
        parameters = ", ".join(p.name for p in self.schema.parameters)
        rows = ", ".join(v.name for v in self.schema.variables)
        return f"Estimator({label}: parameters {parameters}; rows {rows})"

    def __getstate__(self) -> dict[str, Any]:
        """Leave compiled functions behind: a worker compiles its own."""
        return {name: value for name, value in self.__dict__.items() if name != "row_model"} | {
            "_engines": {}
        }

    @cached_property
    def row_model(self) -> RowModel:
        """The PyMC model with exchangeable rows, rebuilt once."""
        from bayescollapse.estimator.graph import row_model

        built = row_model(self.pymc_model(), observed=self._observed, local=self._local)
        if self.exact is None:
            return built
        _check_same_schema(self.exact.schema, built.schema)
        # Draws are stacked in the order of the schema: it must not depend on the method.
        parameters = {p.name: p for p in built.schema.parameters}
        ordered = tuple(parameters[p.name] for p in self.exact.schema.parameters)
        return replace(built, schema=replace(built.schema, parameters=ordered))

    @property
    def schema(self) -> RowSchema:
        """Responses, covariates and parameters."""
        return self.row_model.schema if self.exact is None else self.exact.schema

    def pymc_model(self) -> pm.Model:
        """Return the PyMC model itself, for notebooks: priors, graph, ``pm.sample``."""
        if not callable(self._model):
            return self._model
        return self._model() if self._template is None else self._model(self._template)

    def fingerprint(self) -> str:
        """Digest of the model: its function and settings, or its graph with every constant."""
        target = getattr(self._model, "func", self._model)
        if callable(target):
            # In full: shortened arrays would make different settings look alike.
            with np.printoptions(threshold=sys.maxsize, floatmode="unique"):
                arguments = getattr(self._model, "args", ()), getattr(self._model, "keywords", {})
                settings = "{}{}".format(*arguments)
            text = f"{target.__module__}.{target.__qualname__}{settings}{inspect.getsource(target)}"
        else:
            from bayescollapse.estimator.identity import model_identity

            text = model_identity(self._model)
        parts = (text, self.exact, self.schema, self._observed, self._local)
        with np.printoptions(threshold=sys.maxsize, floatmode="unique"):
            return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def resolve(self, method: str) -> str:
        """Name the method that ``method`` stands for.

        Raises
        ------
        ValueError
            If the method is unknown, ``exact`` without an exact sampler, or another than ``advi``
            where there are local variables.
        """
        parsed = parse_method(method)
        if self._local and parsed.name not in ("auto", "advi"):
            raise ValueError(
                f"method={method!r} cannot fit local={list(self._local)}, free variables with one "
                "value per row: use method='advi', which is approximate, or integrate them out of "
                "the model"
            )
        if parsed.name == "auto" and self._local:
            return "advi"
        if parsed.name == "auto":
            return "nuts" if self.exact is None else "exact"
        if parsed.name == "exact" and self.exact is None:
            raise ValueError(
                "method='exact' needs an exact sampler, and this estimator has none: use "
                "method='nuts', or pass exact= when the model is conjugate"
            )
        return parsed.label

    def engine(self, method: str = "auto") -> Engine:
        """Engine of a method, compiled when it first fits and then kept."""
        resolved = self.resolve(method)
        if resolved not in self._engines:
            self._engines[resolved] = (
                ExactEngine(self.exact)
                if resolved == "exact" and self.exact is not None
                else model_engine(parse_method(resolved), self.row_model)
            )
        return self._engines[resolved]

    def fit(
        self,
        rows: xr.Dataset,
        weights: Any = None,
        *,
        method: str = "auto",
        draws: int = 500,
        tune: int | None = None,
        chains: int = 2,
        seed: int | None = None,
    ) -> xr.DataTree:
        """Posterior given weighted rows.

        Parameters
        ----------
        rows : Dataset
            Rows on ``obs``: one variable per response and per row-wise covariate.
        weights : array_like, shape (obs,), optional
            Weight of every row, finite and not negative; 1 if not given.
        method : {"auto", "exact", "nuts", "laplace", "advi", "map"}, default "auto"
            ``auto`` is ``exact`` where the estimator has an exact sampler, ``advi`` where it has
            local variables, else ``nuts``. ``advi`` and ``map`` are approximate.
        draws, chains : int
            Draws a chain, and chains.
        tune : int, optional
            Adaptation steps of NUTS; the sampler's own default if not given.
        seed : int, optional
            Seed; a fresh one if not given.

        Returns
        -------
        DataTree
            Groups ``posterior``, ``sample_stats`` (gate figures), ``observed_data`` and
            ``constant_data`` (covariates and weights).

        Raises
        ------
        ValueError
            If rows or weights are bad, or the posterior is improper.
        """
        integer("draws", draws)
        integer("chains", chains)
        values = self.schema.values(rows)
        checked = checked_weights(weights, rows.sizes[ROW_DIM])
        streams = Streams(entropy(seed))
        engine = self.engine(method)
        group = Group((values,), engine.digest(values), rows.sizes[ROW_DIM], True, (0,))
        settings = FitSettings(
            draws,
            chains,
            tune,
            lambda attempt: streams.integer("sampler", block=0, generation=0, attempt=attempt),
        )
        fit = engine.condition([group], [checked[None]], settings)
        kept = _all_draws(fit, draws, chains, streams)
        return fit_tree(self.schema, kept, fit.figures, values, checked, method=engine.method)

    def emit(
        self,
        posterior: xr.DataTree,
        m: int,
        *,
        emission: str | Emission = "joint",
        covariates: xr.Dataset | None = None,
        seed: int | None = None,
    ) -> xr.Dataset:
        """Synthetic rows from a posterior.

        Parameters
        ----------
        posterior : DataTree
            Tree with a ``posterior`` group of this model's parameters, as :meth:`fit` returns.
        m : int
            Number of rows.
        emission : {"joint", "plug-in", "predictive", "ensemble(K)"} or Emission
            How rows come from the posterior; see :class:`~bayescollapse.estimator.Emission`.
            Modes and estimates from the likelihood are worked out from the rows and weights in
            `posterior`.
        covariates : Dataset, optional
            Covariates of the m rows; needed where the model has any.
        seed : int, optional
            Seed; a fresh one if not given.

        Returns
        -------
        Dataset
            Responses and covariates on ``obs``.

        Raises
        ------
        ValueError
            If covariates are missing or do not have m rows, or the emission is not known for this
            model.
        """
        integer("m", m)
        chosen = parse_emission(emission)
        x = checked_covariates(self.schema, covariates, m)
        streams = Streams(entropy(seed))
        engine = self.engine("auto")
        check_emission(engine, chosen)
        fit: Any = pooled_draws(self.schema, posterior)
        if chosen.point.kind != "mean":
            values, weights = training_rows(self.schema, posterior)
            fit = _conditioned(engine, values, weights)
        rng = streams.generator("parameters", block=0, generation=0)
        noise = streams.generator("synthetic", block=0, generation=0)
        rows, _ = emit_rows(engine, fit, chosen, m, x, rng, noise)
        return self.schema.dataset({**rows, **x}, replicate=0, origin=np.full(m, chosen.label))


def _all_draws(fit: Fit, draws: int, chains: int, streams: Streams) -> dict[str, Floats]:
    """Everything that was sampled; for a closed form, chains x draws fresh ones."""
    sampled = getattr(fit, "fit", None)
    if sampled is not None:
        return {name: np.asarray(value) for name, value in sampled.parameters.items()}
    rng = streams.generator("keep", block=0, generation=0)
    return {name: value[0] for name, value in fit.keep(draws * chains, chains, rng).items()}


def _conditioned(engine: Engine, values: Values, weights: Floats) -> Fit:
    """Fit a closed form to rows again."""
    group = Group((values,), engine.digest(values), len(weights), True, (0,))
    return engine.condition([group], [weights[None]], FitSettings(1, 1, None, int))


def _check_same_schema(exact: RowSchema, model: RowSchema) -> None:
    def outline(schema: RowSchema) -> dict[str, tuple[int, ...]]:
        return {v.name: v.shape for v in (*schema.variables, *schema.parameters)}

    if outline(exact) != outline(model):
        raise ValueError(
            f"exact describes {outline(exact)}, but the PyMC model has {outline(model)}: the exact "
            "sampler must describe the same rows and parameters as the model"
        )
