"""Contaminated sources: error of category frequencies when nobody knows which rows are real.

The learner counts: a Dirichlet prior of concentration 1e-9 leaves posterior means at the observed
frequencies, and joint emission draws from a Dirichlet distribution of the counts.
"""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import categorical
from tests.laws.support import assert_mean, assert_variance, posterior_mean, sweep

SMALL = 1e-9  # shifts frequencies of 40 rows by less than 1e-9
FIFTY = np.random.default_rng(50).dirichlet(np.ones(50))
FOUR = np.array([0.4, 0.3, 0.2, 0.1])
POWER = bc.schedules.power


def diversity(p):
    return 1 - p @ p


def lineages(p, schemes, generations, replicates, *, concentration=SMALL, seed=41):
    return sweep(
        categorical.estimator(categories=len(p), concentration=concentration),
        bc.Truth(p=p),
        schemes,
        n_real=1,  # a contaminated supply has counts of its own
        generations=generations,
        replicates=replicates,
        seed=seed,
    )


def contaminated(share, total, emission="plug-in"):
    return bc.schemes.contaminated(real_share=share, total=total, emission=emission)


def squared(run, p, scheme=None):
    return ((posterior_mean(run, "p", scheme) - p) ** 2).sum(axis=-1)


def law(p, generations, share, rows, emission="plug-in"):
    t = np.arange(generations)
    share, rows = (np.array([x(g) for g in t]) if callable(x) else x for x in (share, rows))
    return theory.contaminated_risk(
        generations,
        real_probability=share,
        rows=np.floor(rows),
        diversity=diversity(p),
        emission=emission,
    )


@pytest.mark.parametrize(
    ("generations", "replicates"),
    [(41, 256), pytest.param(201, 512, marks=pytest.mark.verification)],
)
def test_constant_share_and_size(generations, replicates):
    """Every tenth generation, and the second half together: below 26 comparisons, 2e-3."""
    schemes = {e: contaminated(0.1, 100, e) for e in ("plug-in", "joint")}
    run = lineages(FIFTY, schemes, generations, replicates)
    window = slice(generations // 2, None)
    for emission in schemes:
        errors = squared(run, FIFTY, emission)
        expected = law(FIFTY, generations, 0.1, 100, emission)
        assert_mean(errors[:, ::10], expected[::10])
        assert_mean(errors[:, window].mean(axis=1), expected[window].mean())
    # A loop of another share, and one of another emission, do not follow this law.
    counted = squared(run, FIFTY, "plug-in")[:, window].mean(axis=1)
    for wrong in (
        law(FIFTY, generations, 0.13, 100),
        law(FIFTY, generations, 0.1, 120),
        law(FIFTY, generations, 0.1, 100, "joint"),
    ):
        with pytest.raises(AssertionError, match="MCSE"):
            assert_mean(counted, wrong[window].mean())


@pytest.mark.parametrize(
    ("generations", "replicates"),
    [(91, 128), pytest.param(201, 512, marks=pytest.mark.verification)],
)
def test_constant_contamination_settles_above_generation_0(generations, replicates):
    """After 60 generations the distance to the limit is below 1e-5 of it: 2 comparisons, 2e-4."""
    run = lineages(FIFTY, contaminated(0.1, 100), generations, replicates, seed=42)
    errors = squared(run, FIFTY)
    limit = theory.contaminated_limit(0.1, rows=100, diversity=diversity(FIFTY))
    assert_mean(errors[:, 60:].mean(axis=1), limit)
    # No generation but the first beats generation 0: the lineages' own errors, paired.
    rise = errors[:, 60:].mean(axis=1) - errors[:, 0]
    assert rise.mean() > 10 * rise.std(ddof=1) / np.sqrt(replicates)
    ratio = limit / (diversity(FIFTY) / 100)
    assert ratio == pytest.approx(1 / (0.1 * 1.9), rel=0.05)


@pytest.mark.parametrize(
    "replicates", [2_000, pytest.param(20_000, marks=pytest.mark.verification)]
)
def test_without_real_rows_one_category_is_left(replicates):
    """Errors rise to V, at which every lineage has one category: 7 comparisons, 5e-4."""
    generations, rows = 61, 10
    run = lineages(FOUR, contaminated(0.0, rows), generations, replicates, seed=43)
    errors, shown = squared(run, FOUR), np.arange(0, generations, 10)
    expected = diversity(FOUR) * (1 - (1 - 1 / rows) ** (shown + 1.0))
    assert_mean(errors[:, shown], expected)
    alone = (posterior_mean(run, "p") > 1 - 1e-6).any(axis=-1).mean(axis=0)
    assert alone[0] < 0.01
    assert alone[-1] > 0.95


@pytest.mark.parametrize(
    ("share", "total", "generations"),
    [
        (POWER(1, -0.5), POWER(100, 1), (16, 41)),
        (0.1, POWER(100, 1), (16, 41)),
        (POWER(1, -1), POWER(100, 1.5), (9, 21)),
        (POWER(1, -2), POWER(100, 2), (7, 15)),
        (POWER(1, -1), 100, (21, 101)),
    ],
    ids=["root decay, growing", "constant, growing", "recovery", "floor", "collapse"],
)
@pytest.mark.parametrize("size", [0, pytest.param(1, marks=pytest.mark.verification)])
def test_decaying_shares_and_growing_sizes(share, total, generations, size):
    """Five generations of each of five schedules: 25 comparisons, 2e-3."""
    generations = generations[size]
    run = lineages(FIFTY, contaminated(share, total), generations, (128, 400)[size], seed=44)
    errors = squared(run, FIFTY)
    expected = law(FIFTY, generations, share, total)
    shown = np.linspace(0, generations - 1, 5).round().astype(int)
    assert_mean(errors[:, shown], expected[shown])
    rises = np.mean(errors[:, -1]) > np.mean(errors[:, 0])
    assert rises == (expected[-1] > expected[0])
    # Another share, or sizes that do not grow as these, have another law.
    wrong = law(FIFTY, generations, 0.5, total), law(FIFTY, generations, share, 150)
    for other in wrong:
        with pytest.raises(AssertionError, match="MCSE"):
            assert_mean(errors[:, shown[1:]], other[shown[1:]])


@pytest.mark.parametrize(
    "replicates", [4_000, pytest.param(40_000, marks=pytest.mark.verification)]
)
@pytest.mark.parametrize("emission", ["joint", "predictive", "plug-in"])
def test_emissions(emission, replicates):
    """Eight generations of three emissions: 24 comparisons, 2e-3."""
    run = lineages(FOUR, contaminated(0.2, 40, emission), 8, replicates, seed=45)
    errors = squared(run, FOUR)
    expected = law(FOUR, 8, 0.2, 40, emission)
    assert_mean(errors, expected)
    other = "plug-in" if emission == "joint" else "joint"
    with pytest.raises(AssertionError, match="MCSE"):
        assert_mean(errors, law(FOUR, 8, 0.2, 40, other))


@pytest.mark.parametrize(
    "replicates", [4_000, pytest.param(40_000, marks=pytest.mark.verification)]
)
@pytest.mark.parametrize("members", [2, 5])
def test_ensembles(members, replicates):
    """Eight generations of two ensembles: 16 comparisons, 1e-3."""
    scheme = contaminated(0.2, 20, f"ensemble({members})")
    run = lineages(FOUR, scheme, 8, replicates, seed=51)
    errors = squared(run, FOUR)
    assert_mean(errors, law(FOUR, 8, 0.2, 20, ("ensemble", members)))
    for wrong in ("joint", "predictive"):
        with pytest.raises(AssertionError, match="MCSE"):
            assert_mean(errors, law(FOUR, 8, 0.2, 20, wrong))


@pytest.mark.parametrize(
    "replicates", [4_000, pytest.param(40_000, marks=pytest.mark.verification)]
)
def test_frequencies_emit_under_any_prior(replicates):
    """The paper's point ignores the prior; its law is that of the points that emit.

    Eight comparisons: 5e-4.
    """
    schemes = {
        "mle": contaminated(0.1, 30, "plug-in(mle)"),
        "mean": contaminated(0.1, 30, "plug-in"),
    }
    run = lineages(FOUR, schemes, 9, replicates, concentration=1.0, seed=46)
    expected = law(FOUR, 9, 0.1, 30)[:8]
    emitted = run["emission"]["p"].isel(member=0, generation=slice(0, 8))
    errors = ((emitted - FOUR) ** 2).sum("category").transpose("scheme", "replicate", "generation")
    assert_mean(errors.sel(scheme="mle").to_numpy(), expected)
    with pytest.raises(AssertionError, match="MCSE"):
        assert_mean(errors.sel(scheme="mean").to_numpy(), expected)


@pytest.mark.parametrize(
    "replicates", [4_000, pytest.param(40_000, marks=pytest.mark.verification)]
)
def test_a_known_source_in_known_numbers(replicates):
    """With n = a N real rows and pooled weights, 1 - 1/N becomes 1 - 1/m, and nothing else changes.

    Twelve comparisons with two laws: 8e-4.
    """
    share, rows, generations = 0.25, 20, 6
    n, m = int(share * rows), int((1 - share) * rows)
    run = sweep(
        categorical.estimator(categories=4, concentration=SMALL),
        bc.Truth(p=FOUR),
        {"known": bc.schemes.pooled(emission="plug-in"), "unknown": contaminated(share, rows)},
        n_real=(rows,) + (n,) * (generations - 1),
        n_synthetic=(0,) + (m,) * generations,
        generations=generations,
        replicates=replicates,
        seed=47,
    )
    v, known = diversity(FOUR), np.empty(generations)
    known[0] = v / rows
    for t in range(1, generations):
        known[t] = (1 - share) ** 2 * (1 - 1 / m) * known[t - 1] + v / rows
    assert_mean(squared(run, FOUR, "known"), known)
    unknown = law(FOUR, generations, share, rows)
    assert_mean(squared(run, FOUR, "unknown"), unknown)
    assert (np.abs(known / unknown - 1) <= 1 / m).all()
    assert (known[1:] < unknown[1:]).all()


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_rows_to_improve(factor):
    """Generation 1 beats generation 0 with more rows than the border, and only then.

    The difference is 38 standard errors on either side.
    """
    first, share = 40, 0.2
    v = diversity(FOUR)
    border = float(theory.rows_to_improve(v / first, real_probability=share, diversity=v))
    total = (first, int(factor * border))
    run = lineages(FOUR, contaminated(share, total), 2, 12_800, seed=48)
    errors = squared(run, FOUR)
    change = errors[:, 1] - errors[:, 0]
    z = change.mean() / (change.std(ddof=1) / np.sqrt(len(change)))
    assert z < -10 if factor > 1 else z > 10


def test_real_rows_are_recorded_and_binomial():
    """Mean and variance of the real rows of five generations: 10 comparisons, 6e-4."""
    share, total = (1.0, 0.5, 0.1, 0.0, 0.9, 1.0), (7, 20, 30, 40, 50, 60)
    run = lineages(FOUR, contaminated(share, total), 6, 2_000, seed=49)
    training = run["training"].isel(scheme=0)
    real = training["real_rows"].transpose("replicate", "generation").to_numpy()
    synthetic = training["synthetic_rows"].transpose("replicate", "generation").to_numpy()
    np.testing.assert_array_equal(real + synthetic, np.broadcast_to(total, real.shape))
    np.testing.assert_array_equal(real[:, [0, 3, 5]], [[7, 0, 60]] * len(real))
    inside = [1, 2, 4]
    p, n = np.array(share)[inside], np.array(total)[inside]
    assert_mean(real[:, inside], n * p)
    assert_variance(real[:, inside], n * p * (1 - p))
    # Whether one generation's rows are real does not depend on the generation before.
    assert abs(np.corrcoef(real[:, 1], real[:, 2])[0, 1]) < 4 / np.sqrt(len(real))
