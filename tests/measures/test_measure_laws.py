"""Laws of every registered measure of a run, as its line of the table declares them.

Sensitivity is not among them: it needs fits, and has tests of its own.
"""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.measures import (
    gaussian_mutual_information,
    knn_mutual_information,
    posterior_drift,
    predictive_drift,
)
from bayescollapse.measures.mutual import _correlation
from bayescollapse.measures.posterior_table import POSTERIOR_MEASURES
from bayescollapse.measures.registry import REFERENCES, registered
from tests.measures.path_run import REPLICATES, path_run

MEASURES = {
    (m.question, m.name): m
    for m in registered()
    # The divergence from the truth needs an experiment: its laws are in test_truth_divergence.
    if m.question not in ("sensitivity", "definitions of collapse") and m.name != "truth_divergence"
}
NAMES = sorted({name for _, name in MEASURES})
SCALES = {"mu": -3.0, "beta": 0.01, "y": -2.0}
SHIFTS = {"mu": 7.0, "beta": -0.5, "y": 30.0}


def measured(drawn, alone):
    """Every measure of a run with drawn truths, and of one with a single truth those of rows."""
    parts = [
        posterior_drift(drawn, measures=list(POSTERIOR_MEASURES), progress=False),
        bc.drift(drawn, progress=False),
        bc.information(drawn),
        predictive_drift(alone),
    ]
    out = parts[0]
    for part in parts[1:]:
        new = [name for name in part.data_vars if name not in out]
        out = xr.merge([out, part[new]], compat="no_conflicts", join="outer")
    return out


@pytest.fixture(scope="module")
def runs():
    """Truths from the prior for what is about the truth; one truth for what is about rows."""
    return path_run(), path_run(truths="one")


def changed(runs, change):
    return measured(*(change(run) for run in runs))


@pytest.fixture(scope="module")
def found(runs):
    return measured(*runs)


@pytest.fixture(scope="module")
def still():
    return measured(path_run(still=True), path_run(truths="one", still=True))


def map_groups(run, change):
    """Change every group of a run, and keep its attributes."""
    groups = {
        g.strip("/"): change(g.strip("/"), run[g].to_dataset(inherit=False)) for g in run.groups
    }
    out = xr.DataTree.from_dict({name: group for name, group in groups.items() if name})
    out.attrs.update(run.attrs)
    return out


def rescaled(run, scales, shifts):
    """The run as it would be had parameters and rows been written on another scale."""

    def change(_, group):
        out = group.copy()
        for name in {*scales, *shifts} & set(group.data_vars):
            value, a, b = group[name], scales.get(name, 1.0), shifts.get(name, 0.0)
            out[name] = _statistics(value, a, b) if "statistic" in value.dims else a * value + b
        if "held_out_log_density" in group:
            out["held_out_log_density"] -= np.log(abs(scales.get("y", 1.0)))
        return out

    return map_groups(run, change)


def _statistics(value, a, b):
    """Mean and quantiles move, sds do not, and a sign exchanges upper and lower quantiles."""
    labels = value["statistic"].to_numpy().tolist()
    mirror = {"q2.5": "q97.5", "q25": "q75", "q75": "q25", "q97.5": "q2.5"}
    taken = [mirror.get(s, s) if a < 0 else s for s in labels]
    moved = value.sel(statistic=taken).assign_coords(statistic=labels)
    return xr.where(moved["statistic"] == "sd", abs(a) * moved, a * moved + b).transpose(
        *value.dims
    )


def reordered(run, dims):
    """Reverse draws, exchange chains, or shuffle replicates."""

    def change(_, group):
        if "row" in group.dims and "replicate" in dims:
            shuffled = np.random.default_rng(3).permutation(REPLICATES)
            return group.assign_coords(replicate=("row", shuffled[group["replicate"].to_numpy()]))
        picks = {}
        for dim in set(dims) & set(group.dims):
            size = group.sizes[dim]
            # Replicate r of the run becomes replicate shuffled[r].
            order = np.random.default_rng(3).permutation(REPLICATES) if dim == "replicate" else None
            picks[dim] = np.arange(size)[::-1] if order is None else np.argsort(order)
        return group.isel(picks).assign_coords(
            {d: group[d].to_numpy() for d in picks if d in group.coords}
        )

    return map_groups(run, change)


def same(first, second, name, factor=1.0):
    a, b = first[name].to_numpy() * factor, second[name].transpose(*first[name].dims).to_numpy()
    scale = np.nanmax(np.abs(np.where(np.isfinite(a), a, np.nan)), initial=1e-300)
    np.testing.assert_allclose(b, a, rtol=1e-7, atol=1e-9 * scale, err_msg=name)


def test_every_measure_of_a_run_is_walked(found):
    assert set(NAMES) <= set(found.data_vars), set(NAMES) - set(found.data_vars)


@pytest.mark.parametrize("dims", [("draw", "chain"), ("replicate",)])
def test_order_does_not_matter(runs, found, dims):
    other = changed(runs, lambda run: reordered(run, dims))
    for name in NAMES:
        same(found, other, name)


def test_invariant_where_declared(runs, found):
    plus = {name: abs(a) for name, a in SCALES.items()}
    changes = {
        "affine": changed(runs, lambda run: rescaled(run, SCALES, SHIFTS)),
        "increasing": changed(runs, lambda run: rescaled(run, plus, SHIFTS)),
        "translation": changed(runs, lambda run: rescaled(run, {}, SHIFTS)),
    }
    for (_, name), measure in MEASURES.items():
        declared = str(measure.invariant)
        kind = next((word for word in ("increasing", "translation") if word in declared), "affine")
        assert measure.invariant, f"{name} says nothing"
        same(found, changes[kind], name)


def test_units_are_those_declared(runs, found):
    """What is in units of the parameter grows with them, and its square with their square."""
    other = changed(runs, lambda run: rescaled(run, {"mu": 4.0, "beta": 4.0}, {}))
    walked = 0
    for (_, name), measure in MEASURES.items():
        powers = {"units of the parameter": 1, "squared units of the parameter": 2}
        if measure.units in powers:
            same(found, other, name, factor=4.0 ** powers[measure.units])
            walked += 1
    assert walked >= 8


def test_moves_one_way_along_a_path_that_moves_away(found):
    """Every further step is at least as far from generation 0, but for 3 % of the way."""
    np.testing.assert_allclose(found["dependence"].std("generation"), 0, atol=1e-9)
    for name in NAMES:
        if name == "dependence":  # of the draws themselves, which move without a change of order
            continue
        values = found[name].isel(scheme=0, drop=True)
        others = [d for d in values.dims if d != "generation"]
        table = values.transpose("generation", *others).to_numpy().reshape(5, -1)
        table = table[:, np.isfinite(table).sum(axis=0) >= 3]
        assert table.size, name
        moved = False
        for column in table.T:
            steps = np.abs(column[np.isfinite(column)] - column[np.isfinite(column)][0])
            assert (np.diff(steps) >= -0.03 * steps.max()).all(), (name, column)
            moved |= bool(steps[-1] > 0)
        assert moved, name


def test_within_range_where_nothing_changes(still):
    """Five generations of one law: 4.5 MCSE a mean, false alarms below 1 % in all."""
    for (_, name), measure in MEASURES.items():
        values = still[name].to_numpy()
        error = still[f"{name}_mcse"].to_numpy() if f"{name}_mcse" in still else 0.0 * values
        slack = 4.5 * np.nan_to_num(error) + 1e-9
        known = np.isfinite(values)
        assert (values[known] >= (measure.lowest - slack)[known]).all(), name
        assert (values[known] <= (measure.highest + slack)[known]).all(), name


def test_definitions_of_collapse_obey_them_too(runs):
    """Order and scale change no statistic; the path collapses, and its start does not."""
    first = bc.collapse(runs[1])
    for other in (
        reordered(runs[1], ("replicate",)),
        reordered(runs[1], ("draw", "chain")),
        rescaled(runs[1], SCALES, SHIFTS),
    ):
        same(first, bc.collapse(other), "statistic")
    assert {m.name for m in registered() if m.question == "definitions of collapse"} == set(
        first["definition"].to_numpy()
    )
    assert first["happened"].sum() >= 5
    assert bc.collapse(path_run(truths="one", still=True))["happened"].sum() == 0


def test_mutual_information_is_symmetric():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(60, 2))
    y = x + rng.normal(size=(60, 2))
    declared = {m.name for m in MEASURES.values() if m.symmetric and m.question == "information"}
    kinds = ("mutual_information", "mutual_information_knn", "joint_mutual_information")
    assert declared == {*kinds, "correlation"}
    np.testing.assert_allclose(_correlation(x.T, y.T), _correlation(y.T, x.T), rtol=1e-12)
    for forth, back in (
        (gaussian_mutual_information(x, y), gaussian_mutual_information(y, x)),
        (knn_mutual_information(x[:, 0], y[:, 0]), knn_mutual_information(y[:, 0], x[:, 0])),
    ):
        np.testing.assert_allclose(forth, back, rtol=1e-9)


@pytest.mark.parametrize("reference", REFERENCES)
def test_references_are_those_declared(runs, reference):
    """What can be compared with a reference has a value for it, or says what it lacks."""
    run = runs[1]
    if reference == "real_plus":
        with pytest.raises(ValueError, match="real_plus"):
            bc.drift(run, reference=reference, progress=False)
        return
    moved = bc.drift(run, reference=reference, progress=False)
    for (question, name), measure in MEASURES.items():
        if question not in ("posterior drift", "predictive drift"):
            continue
        if reference in measure.references and name in moved:
            assert moved[name].notnull().any(), (name, reference)
        elif measure.references and name not in ("kl_neighbours", "maximum_mean_discrepancy"):
            assert name in moved.attrs["missing"], (name, reference)
