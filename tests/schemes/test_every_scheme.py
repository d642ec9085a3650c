"""Every preset, walked through what must hold for any scheme."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import (
    bernoulli,
    categorical,
    gaussian,
    gaussian_mean,
    kernel_density,
    linear_regression,
)
from bayescollapse.schemes.presets.catalogue import PRESETS
from bayescollapse.schemes.selection.base import KeepAll, RowSelection, mode_of
from bayescollapse.sources import NormalCovariates
from bayescollapse.sources.orthonormal import OrthonormalDesign

ROWS, GENERATIONS, REPLICATES = 24, 4, 3


@dataclass(frozen=True)
class Family:
    """A model with a truth."""

    estimator: Any
    source: Any


def regression(design):
    """Linear regression with two covariates."""
    return Family(
        linear_regression.estimator(features=2, noise_sd=1.0),
        bc.Truth(beta=[1.0, -1.0], covariates=design),
    )


FAMILIES = {
    "mean": Family(gaussian_mean.estimator(prior_sd=2.0), bc.Truth(mu=0.0)),
    "gaussian": Family(gaussian.estimator(), bc.Truth(mu=0.0, sigma=1.0)),
    "categories": Family(categorical.estimator(categories=3), bc.Truth(p=[0.5, 0.3, 0.2])),
    "labels": Family(bernoulli.estimator(), bc.Truth(p=0.7)),
    "regression": regression(NormalCovariates(2)),
    "directions": regression(OrthonormalDesign(2)),
    "kernels": Family(
        kernel_density.estimator(points_per_octave=2),
        bc.Truth(mu=0.0, sigma=1.0, estimator=gaussian.estimator()),
    ),
}

FAMILY = {
    "alemohammad": "gaussian",
    "bakshi_chakraborty": "categories",
    "class_balanced": "categories",
    "contaminated": "categories",
    "curated": "categories",
    "dey_donoho": "categories",
    "dohmatob_feng_kempe": "regression",
    "feng": "labels",
    "ferbach": "categories",
    "fong_holmes_walker": "categories",
    "garg_bhattacharya_sur": "regression",
    "gerstgrasser": "regression",
    "jangjoo_marsili_roudi": "categories",
    "khelifa_turner_venkataramanan": "kernels",
    "kirby_dowman_griffiths": "categories",
    "label_verified": "labels",
    "marchi": "categories",
    "reali_griffiths": "categories",
    "seddik": "categories",
    "shumailov": "gaussian",
    "suresh": "labels",
    "yi_liu_cheng_xu": "directions",
    "fortifai()": "categories",
    "toedit()": "labels",
    "toedit(share=1.0)": "regression",
}
"""Where a Gaussian mean does not make sense."""

CALLS = {call: scheme for preset in PRESETS for call, scheme in preset.schemes.items()}


def family(call):
    return FAMILY.get(call, FAMILY.get(CALLS[call].name, "mean"))


def experiment(call, schemes):
    chosen = FAMILIES[family(call)]
    return bc.Experiment(
        chosen.estimator,
        chosen.source,
        schemes,
        n_real=ROWS,
        generations=GENERATIONS,
        replicates=REPLICATES,
        references=(),
        keep_draws=4,
        seed=3,
    )


@pytest.fixture(scope="module", params=CALLS)
def call(request):
    return request.param


@pytest.fixture(scope="module")
def run(call):
    return experiment(call, {call: CALLS[call]}).run(progress=False)


@pytest.fixture(scope="module")
def together():
    """All schemes of a family in one experiment, by family."""
    runs = {}
    for name in FAMILIES:
        schemes = {call: scheme for call, scheme in CALLS.items() if family(call) == name}
        runs[name] = experiment(next(iter(schemes)), schemes).run(progress=False)
    return runs


@pytest.fixture
def training(run):
    return run["training"].to_dataset(inherit=False).isel(scheme=0)


@pytest.fixture
def rows(run):
    return run["rows"].to_dataset(inherit=False)


def at(rows, generation, call=None):
    """Kept rows of a generation."""
    chosen = rows["generation"].to_numpy() == generation
    if call is not None:
        chosen &= rows["scheme"].to_numpy() == call
    return rows.isel(row=np.flatnonzero(chosen))


def test_a_scheme_is_a_value(call):
    scheme = CALLS[call]
    twin = bc.Scheme.from_dict(json.loads(json.dumps(scheme.to_dict())))
    assert twin == scheme
    assert hash(twin) == hash(scheme)
    assert twin.to_dict() == scheme.to_dict()
    assert (twin.name, twin.citation) == (scheme.name, scheme.citation)
    assert "\n" not in repr(scheme)
    assert scheme.citation
    with pytest.raises(AttributeError):
        scheme.supply = "none"


def test_shapes(call, run):
    for parameter in FAMILIES[family(call)].estimator.schema.parameters:
        values = run["summary"][parameter.name]
        assert values.shape[:3] == (1, REPLICATES, GENERATIONS)
        assert np.isfinite(values).all()
    for values in run["training"].data_vars.values():
        assert values.shape == (1, REPLICATES, GENERATIONS)
    assert not run["training"]["short"].any()


def test_generation_0_is_real(call, training, rows):
    first = training.isel(generation=0)
    supply = CALLS[call].supply
    wanted = ROWS if isinstance(supply, str) else bc.schedules.tabulate("", supply.total, 1)[0]
    assert (first["synthetic_rows"] == 0).all()
    assert (first["real_share"] == 1).all()
    assert (first["real_rows"] == wanted).all()
    assert (first["total_weight"] == wanted).all()
    assert at(rows, 0)["real"].all()
    assert (at(rows, 0)["weight"] == 1).all()
    assert (at(rows, 0)["batch"] == 0).all()


def test_real_share(call, training):
    share, scheme = training["real_share"], CALLS[call]
    assert ((share >= 0) & (share <= 1)).all()
    stated = getattr(scheme.weighting, "real_share", None)
    if stated == "pooled":
        used = training["real_rows"] + training["synthetic_rows"]
        if not getattr(scheme.weighting, "ages", False):
            np.testing.assert_allclose(share, training["real_rows"] / used)
    elif stated == "optimal":
        best = bc.theory.optimal_share(
            1.0,
            emission=scheme.emission.label,
            n=ROWS,
            total_weight=scheme.weighting.total_weight,
        )
        np.testing.assert_allclose(share.isel(generation=slice(1, None)), best)
    elif stated == "optimal by generation":
        best = bc.theory.optimal_schedule(
            [ROWS] * GENERATIONS, [ROWS] * (GENERATIONS - 1), emission=scheme.emission.label
        )
        np.testing.assert_allclose(share - best.real_share, 0, atol=1e-12)
    elif stated is not None:
        np.testing.assert_allclose(share.isel(generation=slice(1, None)), stated)
    if scheme.supply == "none":
        later = training.isel(generation=slice(1, None))
        # Edited rows are the old ones until they are replaced.
        if mode_of(scheme.selection) != "edit":
            assert (later["real_rows"] == 0).all()
            assert (later["real_share"] == 0).all()


def test_total_weight(call, training, rows):
    total, scheme = training["total_weight"], CALLS[call]
    weights = [float(at(rows, t)["weight"].sum()) for t in range(GENERATIONS)]
    np.testing.assert_allclose(weights, total.isel(replicate=0))
    real = [float((at(rows, t)["weight"] * at(rows, t)["real"]).sum()) for t in range(GENERATIONS)]
    np.testing.assert_allclose(real, (total * training["real_share"]).isel(replicate=0))
    stated = getattr(scheme.weighting, "total_weight", None)
    if stated == "rows":
        used = training["real_rows"] + training["synthetic_rows"]
        np.testing.assert_allclose(total, used)
    if stated == "calibrated":
        path = bc.theory.total_weight_path(
            GENERATIONS,
            n=ROWS,
            m=ROWS,
            real_share=float(training["real_share"].isel(replicate=0, generation=1)),
            emission=scheme.emission.label,
            total_weight="calibrated",
        )
        np.testing.assert_allclose(total.isel(replicate=0), path)
    assert (training["kish"] <= used_rows(training) + 1e-9).all()


def used_rows(training):
    return training["real_rows"] + training["synthetic_rows"]


def test_rows_proposed_and_accepted(call, training):
    selection = CALLS[call].selection
    mode = selection.mode if isinstance(selection, RowSelection) else None
    emitted, accepted = training["emitted"], training["accepted"]
    assert ((accepted >= 0) & (accepted <= emitted)).all()
    if isinstance(selection, KeepAll):
        np.testing.assert_array_equal(accepted, emitted)
    elif mode == "pick":
        assert (emitted == selection.proposals(ROWS)).all()
        assert (accepted == ROWS).all()
    elif mode == "fill":
        assert (accepted >= ROWS).all()
    else:
        assert (emitted == ROWS).all()


def test_same_bits_alone_and_among_others(call, run, together):
    """A scheme's results depend neither on the call nor on the schemes beside it."""
    others = together[family(call)]
    for group in ("summary", "training", "posterior", "emission"):
        alone = run[group].to_dataset(inherit=False).isel(scheme=0, drop=True)
        among = others[group].to_dataset(inherit=False).sel(scheme=call, drop=True)
        # Members of ensembles are padded to the widest scheme of the run.
        if "member" in alone.dims:
            among = among.isel(member=slice(alone.sizes["member"]))
        xr.testing.assert_equal(alone, among)


def test_same_real_rows_as_in_every_scheme(call, rows, together):
    """All schemes of a family see the same real rows, batch by batch."""
    if not isinstance(CALLS[call].supply, str):
        return  # a contaminated source has counts of its own
    response = FAMILIES[family(call)].estimator.schema.responses[0].name
    batches = fresh_batches(together[family(call)], response)
    scattered = CALLS[call].memory.kind == "subsample" or mode_of(CALLS[call].selection) == "edit"
    for t in range(GENERATIONS):
        kept = at(rows, t)
        for batch in np.unique(kept["batch"].to_numpy()[kept["real"].to_numpy()]):
            mine = real_rows(kept, batch, response)
            if scattered:
                assert np.isin(mine, batches[batch]).all()
            else:
                np.testing.assert_array_equal(mine, batches[batch])


def fresh_batches(run, response):
    """Real batches that the first scheme with fresh rows, or any, has seen, by generation."""
    whole, found = run["rows"].to_dataset(inherit=False), {}
    for other in dict.fromkeys(whole["scheme"].to_numpy().tolist()):
        if not isinstance(CALLS[other].supply, str) or CALLS[other].memory.kind == "subsample":
            continue
        for t in range(GENERATIONS):
            mine = real_rows(at(whole, t, other), t, response)
            if mine.size == ROWS:
                found.setdefault(t, mine)
    return found


def real_rows(kept, batch, response):
    chosen = kept["real"].to_numpy() & (kept["batch"].to_numpy() == batch)
    return kept[response].to_numpy()[chosen]


def test_every_preset_is_listed_and_has_its_law():
    listed = {preset.name: preset for preset in PRESETS}
    public = {
        name
        for name in bc.schemes.__all__
        if name.islower() and name != "table" and callable(getattr(bc.schemes, name))
    }
    assert public == set(listed)
    for preset in PRESETS:
        assert all(hasattr(bc.theory, law) for law in preset.law), preset.name
        assert preset.law or preset.remark, preset.name


def test_the_table_shows_axes_papers_and_laws():
    table = bc.schemes.table()
    assert table["call"].is_unique
    assert len(table) == len(CALLS)
    assert table.drop(columns=["law", "remark"]).map(len).gt(0).all(axis=None)
    row = table.set_index("call").loc["kazdan(rows=20)"]
    axes = ["supply", "memory", "selection", "weighting", "emission", "covariates"]
    assert row[axes].tolist() == [
        "fixed",
        "subsample(20)",
        "keep all",
        "pooled",
        "plug-in",
        "source's default",
    ]
    assert row["paper"] == "Kazdan et al. (2024), arXiv:2410.16713"
    assert row["law"] == "subsample_error, accumulated_diversity"
