"""Entropy of posteriors: estimators on normals, and what a loop claims against what it knows."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.measures import gaussian_entropy, knn_entropy, posterior_entropy
from bayescollapse.measures.entropy_kernels import gaussian_log_density, normal_fit
from bayescollapse.models import gaussian_mean
from tests.measures.synthetic import make_run

# |z| > 4 has probability 6.3e-5 under the null.
TOLERANCE = 4.0
PRIOR_WEIGHT, ROWS, LENGTH = 4.0, 10, 5
KEPT = ROWS / (ROWS + PRIOR_WEIGHT)


def within(values, law, extra=0.0):
    mcse = np.std(values, ddof=1) / np.sqrt(np.size(values))
    return abs(np.mean(values) - law) < TOLERANCE * mcse + extra


@pytest.mark.parametrize("size", [1, 2, 5])
def test_corrections_for_few_draws_are_exact(size):
    """Two comparisons at 4 MCSE a size."""
    rng = np.random.default_rng(size)
    root = rng.normal(size=(size, size))
    logs = np.linalg.slogdet(root @ root.T)[1]
    draws = rng.normal(size=(4_000, 15, size)) @ root.T
    mean, white, found = normal_fit(draws)
    law = 0.5 * (size * np.log(2 * np.pi * np.e) + logs)
    assert within(gaussian_entropy(found, size, draws=15), law)
    assert not within(gaussian_entropy(found, size), law)
    point = np.ones(size)
    square = (((point - mean)[:, None, :] @ white) ** 2).sum(axis=(-2, -1))
    truth = np.linalg.solve(root, point)
    density = -0.5 * (size * np.log(2 * np.pi) + logs + truth @ truth)
    assert within(gaussian_log_density(square, found, size, draws=15), density)


def test_normal_fit_makes_white():
    draws = np.random.default_rng(3).normal(size=(2, 40, 3)) * [1.0, 10.0, 1e-6] + 5
    mean, white, _ = normal_fit(draws)
    points = (draws - mean[:, None]) @ white
    assert np.allclose(np.swapaxes(points, -1, -2) @ points / 39, np.eye(3))
    flat = normal_fit(np.ones((4, 2)))
    assert flat[2] == -np.inf
    assert np.isnan(normal_fit([[0.0], [np.nan]])[2])


@pytest.mark.parametrize("size", [2, 3, 6])
def test_draws_in_a_plane_have_no_density(size):
    """Rounding leaves simplex draws a smallest eigenvalue of about 1e-17, of either sign."""
    draws = np.random.default_rng(size).dirichlet(np.full(size, 20.0), size=400) * 1e5
    assert normal_fit(draws)[2] == -np.inf
    assert knn_entropy(draws) == pytest.approx((-np.inf, np.nan), nan_ok=True)
    assert np.isfinite(normal_fit(draws[:, 1:])[2])
    # Strong dependence is none.
    close = draws[:, :1] + [0.0, 1.0] * np.random.default_rng(0).normal(size=(400, 1))
    assert np.isfinite(normal_fit(close)[2])


def test_log_densities_of_a_point_mass():
    assert gaussian_log_density(np.inf, -np.inf, 1) == -np.inf
    assert gaussian_log_density(np.inf, 0.0, 2, draws=9) == -np.inf
    assert gaussian_log_density(0.0, -np.inf, 1) == np.inf
    assert np.isnan(gaussian_log_density(np.inf, np.nan, 1))


# Bias that the docstring allows for: of order (k / N)^(2 / d).
BIAS = {1: 0.01, 2: 0.03, 5: 0.12}


@pytest.mark.parametrize("size", BIAS)
@pytest.mark.parametrize(
    ("count", "repeats"), [(500, 600), pytest.param(4_000, 600, marks=pytest.mark.verification)]
)
def test_nearest_neighbours_on_normals(size, count, repeats):
    rng = np.random.default_rng(size)
    root = rng.normal(size=(size, size))
    law = 0.5 * (size * np.log(2 * np.pi * np.e) + np.linalg.slogdet(root @ root.T)[1])
    value, error = np.array(
        [knn_entropy(rng.normal(size=(count, size)) @ root.T) for _ in range(repeats)]
    ).T
    assert within(value, law, BIAS[size])
    assert abs(np.log(value.std() / error.mean())) < 0.1 + TOLERANCE / np.sqrt(2 * repeats)


def test_nearest_neighbours_of_other_laws():
    rng = np.random.default_rng(4)
    exponential = [knn_entropy(rng.exponential(2.0, size=(1_000, 1)))[0] for _ in range(40)]
    assert within(exponential, 1 + np.log(2.0), 0.02)
    two = [
        knn_entropy(rng.normal(size=(1_000, 1)) + 20 * rng.integers(2, size=(1_000, 1)))[0]
        for _ in range(40)
    ]
    assert within(two, 0.5 * np.log(2 * np.pi * np.e) + np.log(2), 0.02)
    # A normal of the same variance has nine nats more room per sd ratio: an upper bound.
    assert gaussian_entropy(np.log(101.0), 1) > np.mean(two) + 1


def test_repeated_draws_count_once():
    draws = np.random.default_rng(5).normal(size=(400, 2))
    repeated = np.concatenate([draws, draws[:20]])
    value = knn_entropy(draws)[0]
    assert knn_entropy(repeated)[0] == pytest.approx(value)
    assert knn_entropy(repeated[::-1])[0] == pytest.approx(value)
    assert knn_entropy(3 * draws + 1)[0] == pytest.approx(value + 2 * np.log(3))
    assert knn_entropy(np.ones((50, 1))) == pytest.approx((np.nan, np.nan), nan_ok=True)
    flat = np.repeat(draws[:, :1], 2, axis=1)
    assert knn_entropy(flat)[0] == -np.inf
    with pytest.raises(ValueError, match=r"shape \(draw, parameter\)"):
        knn_entropy(draws[:, 0])
    with pytest.raises(ValueError, match="neighbours must be an integer"):
        knn_entropy(draws, neighbours=0)


def loop_of(replicates, **settings):
    experiment = bc.Experiment(
        gaussian_mean.estimator(prior_sd=PRIOR_WEIGHT**-0.5),
        bc.Truth.from_prior(),
        {"replace": bc.schemes.replace(), "accumulate": bc.schemes.accumulate()},
        n_real=ROWS,
        generations=LENGTH,
        replicates=replicates,
        keep_draws=40,
        keep_rows="none",
        seed=31,
        **{"references": ("real_only", "real_seen", "real_plus"), **settings},
    )
    return experiment, experiment.run(progress=False)


@pytest.fixture(scope="module")
def loop():
    return loop_of(1_000)


def known_law(scheme):
    """E[log q_t(truth) - log p(truth)] of the two loops with a proper prior.

    The posterior variance is v_t and the truth's mean squared distance from its mean R_t, in units
    of a row's variance: -log(v_t kappa)/2 + 1/2 - R_t/(2 v_t).
    """
    t = np.arange(LENGTH)
    if scheme == "replace":
        variance = np.full(LENGTH, 1 / (ROWS + PRIOR_WEIGHT))
        risk = (1 + KEPT - 2 * KEPT ** (t + 1)) / PRIOR_WEIGHT
    else:
        variance = 1 / (ROWS * (t + 1) + PRIOR_WEIGHT)
        risk = 2 / (ROWS + PRIOR_WEIGHT) - variance
    claimed = -0.5 * np.log(variance * PRIOR_WEIGHT)
    return claimed, claimed + 0.5 - risk / (2 * variance)


def reference_law(reference):
    """What is known to the posterior of a reference, which is calibrated."""
    times = np.arange(LENGTH)
    rows = {"real_seen": ROWS * (times + 1), "real_plus": ROWS * (1 + (times > 0))}
    return 0.5 * np.log1p(rows.get(reference, ROWS * np.ones(LENGTH)) / PRIOR_WEIGHT)


def close(found, name, law):
    value, error = (found[n].to_numpy().reshape(LENGTH) for n in (name, f"{name}_mcse"))
    late = np.isfinite(law)
    return np.all(np.abs(value - law)[late] <= TOLERANCE * error[late] + 1e-12)


def check_laws(run, estimated):
    """Eighty comparisons at 4 MCSE, false alarm below 6e-3."""
    real = reference_law(estimated.attrs["reference"])
    for scheme in ("replace", "accumulate"):
        claimed, known = known_law(scheme)
        chosen = estimated.sel(scheme=scheme)
        laws = {"information_gain": claimed, "information_known": known}
        laws |= {"joint_gain": claimed, "joint_known": known}
        laws |= {"share_claimed": claimed / real, "share_kept": known / real}
        laws |= {"lost_to_reference": real - known}
        laws |= {"lost_per_generation": np.append(np.nan, -np.diff(known))}
        for name, law in laws.items():
            assert close(chosen, name, law), (scheme, name, chosen[name].to_numpy(), law)
        exact = -0.5 * np.log(PRIOR_WEIGHT) - claimed + 0.5 * np.log(2 * np.pi * np.e)
        assert np.allclose(chosen["entropy"][:, 0], exact)


def test_claimed_and_known_information_of_loops(loop):
    check_laws(loop[1], posterior_entropy(loop[1]))


@pytest.mark.parametrize("reference", ["first", "real_seen", "real_plus"])
def test_information_against_every_reference(loop, reference):
    found = posterior_entropy(loop[1], reference=reference)
    check_laws(loop[1], found)
    start = found.isel(generation=0, parameter=0)
    assert np.allclose(start["share_kept"], 1) and np.allclose(start["share_claimed"], 1)
    assert (start["lost_to_reference"] == 0).all()
    assert found.attrs["missing"] == ""


def test_references_that_cannot_be(loop):
    with pytest.raises(ValueError, match="worth more than any number of rows"):
        posterior_entropy(loop[1], reference="truth")
    run = loop_of(5, references=("real_only",))[1]
    found = posterior_entropy(run, reference="real_plus")
    assert "add 'real_plus' to references=" in found.attrs["missing"]
    assert "information_known" in found and "share_kept" not in found


@pytest.mark.verification
def test_claimed_and_known_information_at_full_size():
    run = loop_of(10_000)[1]
    check_laws(run, posterior_entropy(run))


def test_a_loop_claims_what_it_does_not_know(loop):
    found = posterior_entropy(loop[1]).isel(parameter=0)
    late = found.isel(generation=-1)
    assert (late["information_known"] < 0).all()
    assert (late["information_gain"] > 0.5).all()
    assert float(late["share_claimed"].sel(scheme="accumulate")) > 1.5
    assert np.allclose(found["share_kept"].isel(generation=0), 1)
    assert (found["lost_to_reference"].isel(generation=0) == 0).all()
    assert found["lost_per_generation"].isel(generation=0).isnull().all()
    assert found.attrs["missing"] == ""


def test_the_prior_of_the_model_agrees_with_the_truths(loop):
    experiment, run = loop
    drawn = posterior_entropy(run, experiment=experiment, draws=2_000)
    check_laws(run, drawn)
    assert (drawn["information_gain_mcse"] < posterior_entropy(run)["information_gain_mcse"]).all()


def test_nearest_neighbours_agree_for_normal_posteriors(loop):
    run = loop_of(60)[1]
    found = posterior_entropy(run, estimator="nearest neighbours", progress=True)
    exact = posterior_entropy(run)
    for name in ("entropy", "joint_entropy"):
        gap = found[name] - exact["entropy"].isel(parameter=0)
        # Bias of 40 draws in one dimension, and 4 MCSE.
        assert float((abs(gap) - TOLERANCE * found[f"{name}_mcse"]).max()) < 0.06, name
    assert found.attrs["estimator"] == "nearest neighbours"
    # Shares, and what is known, are those of normals.
    for name in ("share_claimed", "share_kept", "information_known"):
        assert np.array_equal(found[name], exact[name])
    assert np.allclose(found["share_claimed"].isel(generation=0), 1)
    gap = found["information_gain"] - exact["information_gain"]
    error = found["information_gain_mcse"] + exact["information_gain_mcse"]
    assert float((abs(gap) - TOLERANCE * error).max()) < 0.06
    assert float(error.min()) > 0.05


def test_several_parameters_together():
    """Joint entropy of independent normals is the sum of the margins', within 4 MCSE."""
    found = posterior_entropy(make_run(60, 3, draws=20))
    gap = found["joint_entropy"] - found["entropy"].sum("parameter")
    assert float((abs(gap) / found["joint_entropy_mcse"]).max()) < TOLERANCE
    assert "information_gain" not in found
    assert "information_gain, information_known, share_claimed" in found.attrs["missing"]
    one = posterior_entropy(make_run(60, 3, draws=20), var_names="beta")
    assert one["parameter"].values.tolist() == ["beta[0]", "beta[1]"]
