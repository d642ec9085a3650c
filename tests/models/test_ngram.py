"""N-gram model: sparse posterior and urns against the PyMC model, text, and laws of its loops."""

import time
from functools import partial

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom, chi2, dirichlet, kstest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.estimator.emission import parse_emission
from bayescollapse.estimator.engine import FitSettings, Group
from bayescollapse.models import ngram
from bayescollapse.models._ngram import counts as counts_module
from bayescollapse.models._ngram import functionals, urn

# |z| > 4 has probability 6.3e-5 under the null; chi-square and Kolmogorov tests use 1e-4.
TOLERANCE = 4.0
FALSE_ALARM = 1e-4


def assert_mean(samples, expected):
    samples = np.asarray(samples, dtype=float)
    mcse = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    worst = np.max(np.abs(samples.mean(axis=0) - expected) / mcse)
    assert worst <= TOLERANCE, f"{worst:.1f} MCSE: {samples.mean(axis=0)} against {expected}"


def condition(engine, y, weights, lineages=1):
    """Fit of rows y (obs, position), the same in every lineage."""
    wide = np.broadcast_to(y, (lineages, *y.shape))
    group = Group(({"y": wide},), None, len(y), True, (0,))
    w = np.broadcast_to(weights, (lineages, len(y)))
    return engine.condition([group], [w], FitSettings(1, 1, None, lambda attempt: 7))


def contexts_by_hand(row, order, vocabulary):
    """Contexts by length, then by the number their tokens form: one loop, no arithmetic tricks."""
    import itertools

    names = [c for j in range(order + 1) for c in itertools.product(range(vocabulary), repeat=j)]
    return [names.index(tuple(row[max(i - order, 0) : i])) for i in range(len(row))]


def table_by_hand(y, weights, engine):
    """Dirichlet parameters (context, token) by loops."""
    alpha = np.full((engine.grammar.contexts, engine.vocabulary), engine.concentration)
    for row, w in zip(y.tolist(), weights, strict=True):
        for c, v in zip(contexts_by_hand(row, engine.order, engine.vocabulary), row, strict=True):
            alpha[c, v] += w
    return alpha


def rows_under_table(table, y, order):
    """Row log-likelihoods under one table, by loops."""
    vocabulary = table.shape[1]
    return np.array(
        [
            sum(
                np.log(table[c, v])
                for c, v in zip(contexts_by_hand(row, order, vocabulary), row, strict=True)
            )
            for row in y.tolist()
        ]
    )


def draw_then_emit(tables, length, order, rng):
    """One row under each of the tables (row, context, token), by plain steps."""
    rows = np.zeros((len(tables), length), dtype=int)
    vocabulary = tables.shape[2]
    first = [sum(vocabulary**i for i in range(j)) for j in range(order + 1)]
    for i in range(length):
        used = min(i, order)
        number = np.zeros(len(tables), dtype=int)
        for back in range(used, 0, -1):
            number = number * vocabulary + rows[:, i - back]
        p = tables[np.arange(len(tables)), first[used] + number]
        rows[:, i] = (rng.random(len(p))[:, None] > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
    return rows


@pytest.fixture(scope="module", params=[(3, 1, 4), (2, 2, 4), (3, 0, 2), (2, 3, 3)])
def case(request):
    vocabulary, order, length = request.param
    rng = np.random.default_rng(1)
    y = rng.integers(vocabulary, size=(12, length))
    weights = rng.uniform(0.1, 2.0, size=12)
    weights[4] = 0.0
    learner = ngram.estimator(vocabulary=vocabulary, order=order, length=length, concentration=0.7)
    return learner, y, weights


def test_counts_are_those_of_loops(case):
    learner, y, weights = case
    engine = learner.engine()
    found = condition(engine, y, weights).counts
    dense = np.full((found.contexts, found.vocabulary), engine.concentration)
    dense[found.key[found.owner], found.token] += found.weight
    np.testing.assert_allclose(dense, table_by_hand(y, weights, engine), rtol=1e-12)


def test_posterior_and_row_likelihoods_are_those_of_the_pymc_model(case):
    """Prior times weighted likelihood of the PyMC model over the sparse posterior is constant."""
    from bayescollapse.estimator.forward import Density
    from bayescollapse.estimator.functions import compile_function

    learner, y, weights = case
    engine = learner.engine()
    model = learner.pymc_model()
    twin = bc.Estimator(partial(ngram.model, **_settings(engine)))
    rng = np.random.default_rng(2)
    tables = rng.dirichlet(np.ones(engine.vocabulary), size=(6, engine.grammar.contexts))
    density = Density(twin.row_model)({"table": tables}, {"y": y})
    by_hand = np.stack([rows_under_table(table, y, engine.order) for table in tables])
    np.testing.assert_allclose(density, by_hand, rtol=1e-10)
    concentration = compile_function([], model["table"].owner.inputs[2])()
    alpha = table_by_hand(y, weights, engine)
    ratio = [
        density[i] @ weights
        + sum(dirichlet.logpdf(row, np.full(engine.vocabulary, 0.7)) for row in table)
        - sum(dirichlet.logpdf(row, a) for row, a in zip(table, alpha, strict=True))
        for i, table in enumerate(tables)
    ]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)
    np.testing.assert_allclose(concentration, np.full(alpha.shape, 0.7))


def _settings(engine):
    names = ("vocabulary", "order", "length", "concentration")
    return {name: getattr(engine, name) for name in names}


@pytest.mark.verification
def test_nuts_on_the_pymc_model_agrees():
    learner = ngram.estimator(vocabulary=3, order=1, length=4, concentration=0.7)
    rng = np.random.default_rng(3)
    y, weights = rng.integers(3, size=(15, 4)), rng.uniform(0.1, 2.0, size=15)
    rows = xr.Dataset({"y": (("obs", "position"), y)})
    twin = bc.Estimator(partial(ngram.model, **_settings(learner.engine())))
    fitted = twin.fit(rows, weights, draws=2000, seed=4)
    table = fitted["posterior"]["table"].to_numpy().reshape(-1, 4, 3)
    alpha = table_by_hand(y, weights, learner.engine())
    total = alpha.sum(axis=1, keepdims=True)
    mean = alpha / total
    sd = np.sqrt(mean * (1 - mean) / (total + 1))
    ess = float(fitted["sample_stats"]["ess_bulk"])
    assert (np.abs(table.mean(axis=0) - mean) < TOLERANCE * sd / np.sqrt(ess)).all()


@pytest.mark.parametrize("label", ["plug-in", "joint", "predictive", "ensemble(2)"])
@pytest.mark.parametrize("order", [1, 2])
def test_urns_have_the_law_of_drawing_a_table_first(label, order):
    """All outcomes of 4 rows of 3 tokens from 2: two-sample chi-square, false alarm 1e-4 each.

    Rows 1 and 2 share a member of the ensemble, rows 1 and 4 do not, so pairs are compared.
    """
    y = np.array([[0, 1, 1], [1, 0, 1], [0, 0, 0]])
    weights, lineages, m = np.array([1.0, 0.4, 0.8]), 30_000, 4
    learner = ngram.estimator(vocabulary=2, order=order, length=3, concentration=0.5)
    engine = learner.engine()
    fit = condition(engine, y, weights, lineages)
    rng = np.random.default_rng(5)
    rows, recorded = engine.emit(fit, parse_emission(label), m, {}, None, rng)
    assert (recorded is None) == (label != "plug-in")
    alpha = table_by_hand(y, weights, engine)
    draws = {"joint": 1, "predictive": m, "ensemble(2)": 2, "plug-in": 1}[label]
    tables = _dirichlet(alpha, (lineages, draws), rng)
    if label == "plug-in":
        tables = np.broadcast_to(alpha / alpha.sum(axis=1, keepdims=True), tables.shape)
    wide = np.repeat(tables, m // draws, axis=1).reshape(-1, *alpha.shape)
    expected = draw_then_emit(wide, 3, order, rng).reshape(lineages, m, 3)
    for other in (1, 3):
        one, two = (_outcomes(r[:, [0, other]]) for r in (rows["y"], expected))
        assert _same_law(one, two, 64) > FALSE_ALARM


def _dirichlet(alpha, size, rng):
    gamma = rng.standard_gamma(np.broadcast_to(alpha, (*size, *alpha.shape)))
    return gamma / gamma.sum(axis=-1, keepdims=True)


def _outcomes(bits):
    flat = bits.reshape(len(bits), -1)
    return flat @ (2 ** np.arange(flat.shape[1]))


def _same_law(one, two, cells):
    a, b = (np.bincount(x, minlength=cells) for x in (one, two))
    used = a + b > 0
    statistic = ((a - b)[used] ** 2 / (a + b)[used]).sum()
    return chi2.sf(statistic, used.sum() - 1)


def test_rows_of_the_pymc_model_have_the_same_law():
    from bayescollapse.estimator.forward import Forward

    rng = np.random.default_rng(6)
    twin = bc.Estimator(partial(ngram.model, vocabulary=2, order=1, length=3))
    table = rng.dirichlet([1.0, 1.0], size=3)
    rows = Forward(twin.row_model)({"table": table}, {}, 20_000, rng)["y"]
    expected = draw_then_emit(np.broadcast_to(table, (20_000, 3, 2)), 3, 1, rng)
    assert _same_law(_outcomes(rows), _outcomes(expected), 8) > FALSE_ALARM


def test_urns_in_parts_are_the_same_urns(monkeypatch):
    engine = ngram.estimator(vocabulary=3, order=2, length=4).engine()
    y = np.random.default_rng(7).integers(3, size=(6, 4))
    fit = condition(engine, y, np.ones(6), lineages=2)

    def rows(label):
        return engine.emit(fit, parse_emission(label), 12, {}, None, np.random.default_rng(8))[0]

    def density():
        return engine.log_predictive(fit, {"y": y[None]}, np.random.default_rng(0))

    whole = [rows(label)["y"] for label in ("predictive", "ensemble(6)")] + [density()]
    monkeypatch.setattr(urn, "LARGEST", 2 * 13 * 5)
    parts = [rows(label)["y"] for label in ("predictive", "ensemble(6)")] + [density()]
    for one, two in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, two)


def test_held_out_probability_is_the_mean_over_tables(case):
    learner, y, weights = case
    engine = learner.engine()
    fit = condition(engine, y, weights)
    rng = np.random.default_rng(9)
    tables = _dirichlet(table_by_hand(y, weights, engine), (20_000,), rng)
    found = np.exp(engine.log_predictive(fit, {"y": y[None, :3]}, rng)[0])
    before = np.array(
        [contexts_by_hand(r, engine.order, engine.vocabulary) for r in y[:3].tolist()]
    )
    likelihood = tables[:, before, y[:3]].prod(axis=2)
    assert_mean(likelihood, found)


def test_held_out_probabilities_add_up_to_one(case):
    learner, y, weights = case
    engine = learner.engine()
    every = np.stack(np.meshgrid(*[range(engine.vocabulary)] * engine.length), axis=-1)
    rows = every.reshape(1, -1, engine.length)
    fit = condition(engine, y, weights)
    density = engine.log_predictive(fit, {"y": rows}, np.random.default_rng(0))
    assert np.exp(density).sum() == pytest.approx(1.0, rel=1e-12)


def test_functionals_have_their_closed_form_moments(case):
    """Against tables drawn by plain gamma variables; and the sampler's own draws likewise."""
    learner, y, weights = case
    engine = learner.engine()
    fit = condition(engine, y, weights)
    rng = np.random.default_rng(10)
    alpha = table_by_hand(y, weights, engine)
    seen = (alpha - engine.concentration).sum(axis=1)
    share = seen / seen.sum()
    tables = _dirichlet(alpha, (40_000,), rng)
    p = np.einsum("c,dcv->dv", share, tables)
    entropy = -np.einsum("c,dcv->d", share, tables * np.log(tables))
    by_hand = np.column_stack([p, entropy])
    mean, sd = fit.summary(())[0]
    own = learner.schema.pack(fit.draws(40_000, rng), lead=2)[0]
    for draws in (by_hand, own):
        assert_mean(draws, mean)
        assert_mean((draws - mean) ** 2, sd**2)
    # Correlations between functionals, which the sampler must keep too.
    cross = [(d[:, 0] - mean[0]) * (d[:, -1] - mean[-1]) for d in (by_hand, own)]
    error = np.sqrt(sum(c.var() for c in cross) / 40_000)
    assert abs(cross[0].mean() - cross[1].mean()) < TOLERANCE * error


def test_quantiles_are_exact_at_order_0_and_close_else():
    rng = np.random.default_rng(11)
    for order, allowed in ((0, 0.012), (1, 0.025)):
        engine = ngram.estimator(vocabulary=4, order=order, length=5).engine()
        fit = condition(engine, rng.integers(4, size=(20, 5)), np.ones(20))
        levels = (0.025, 0.5, 0.975)
        summary = fit.summary(levels)[0]
        draws = engine.schema.pack(fit.draws(20_000, rng), lead=2)[0]
        for i, level in enumerate(levels):
            below = (draws[:, :4] <= summary[2 + i, :4]).mean(axis=0)
            assert (np.abs(below - level) < allowed).all()
            assert abs((draws[:, 4] <= summary[2 + i, 4]).mean() - level) < 0.03


def test_betas_stand_in_where_tables_are_large():
    rng = np.random.default_rng(12)
    rows = rng.integers(200, size=(50, 6))
    large = ngram.estimator(vocabulary=200, order=1, length=6, track=[0, 7]).engine()
    fit = condition(large, rows, np.ones(50))
    assert not fit.exact_draws and not fit.figures["exact_draws"][0]
    mean, sd = fit.summary(())[0]
    draws = large.schema.pack(fit.draws(20_000, rng), lead=2)[0]
    assert_mean(draws, mean)
    assert_mean((draws - mean) ** 2, sd**2)


def test_entropy_moments_of_a_large_vocabulary_are_those_of_all_tokens():
    """Tokens that were never seen are summed as one: against the same sums over every token."""
    from scipy.special import digamma

    rng = np.random.default_rng(13)
    engine = ngram.estimator(vocabulary=3000, order=1, length=4, concentration=0.01).engine()
    y = rng.integers(40, size=(30, 4))
    fit = condition(engine, y, rng.uniform(0.5, 1.5, 30))
    c = fit.counts
    expected = 0.0
    for i in range(len(c.key)):
        alpha = np.full(3000, 0.01)
        alpha[c.token[c.start[i] : c.start[i + 1]]] += c.weight[c.start[i] : c.start[i + 1]]
        mean = digamma(alpha.sum() + 1) - (alpha * digamma(alpha + 1)).sum() / alpha.sum()
        expected += c.total[i] / c.total.sum() * mean
    assert functionals.entropy_moments(c, 0.01)[0][0] == pytest.approx(expected)
    point = fit.point()["entropy"][0]
    assert point == pytest.approx(expected)
    mean_table = fit.of_mean_table()["entropy"][0, 0]
    assert mean_table > point


def test_batches_and_weights_add_up():
    rng = np.random.default_rng(14)
    engine = ngram.estimator(vocabulary=5, order=2, length=4).engine()
    first, second = rng.integers(5, size=(2, 3, 10, 4))
    digests = [engine.digest({"y": part}) for part in (first, second)]
    group = [
        Group(({"y": p},), d, 10, True, (0,)) for p, d in zip((first, second), digests, strict=True)
    ]
    settings = FitSettings(1, 1, None, lambda attempt: 7)
    by_group = engine.condition(group, [0.4, 1.3], settings)
    whole = Group(({"y": np.concatenate([first, second], axis=1)},), None, 20, True, (0,))
    weights = np.repeat([0.4, 1.3], 10)[None].repeat(3, axis=0)
    by_row = engine.condition([whole], [weights], settings)
    np.testing.assert_allclose(by_group.summary((0.3,)), by_row.summary((0.3,)), rtol=1e-10)
    joined = engine.join(digests)
    assert joined.weight.sum() == 3 * 20 * 4
    repeats = rng.integers(0, 3, size=10)
    counted = condition(engine, first[0], repeats.astype(float))
    repeated = condition(engine, np.repeat(first[0], repeats, axis=0), np.ones(repeats.sum()))
    np.testing.assert_allclose(counted.summary((0.3,)), repeated.summary((0.3,)), rtol=1e-10)


def test_ranks_of_functionals_are_uniform():
    """Simulation-based calibration: a table from the prior, rows from it, the rank of the truth."""
    vocabulary, order, length, n, lineages, draws = 3, 1, 4, 5, 600, 19
    engine = ngram.estimator(
        vocabulary=vocabulary, order=order, length=length, concentration=0.8
    ).engine()
    rng = np.random.default_rng(15)
    tables = rng.dirichlet(np.full(vocabulary, 0.8), size=(lineages, 4))
    wide = np.repeat(tables, n, axis=0)
    y = draw_then_emit(wide, length, order, rng).reshape(lineages, n, length)
    group = Group(({"y": y},), engine.digest({"y": y}), n, True, (0,))
    fit = engine.condition([group], [1.0], FitSettings(1, 1, None, lambda attempt: 7))
    drawn = fit.draws(draws, rng)
    context = engine.grammar.all_contexts(y)
    share = np.stack([(context == c).mean(axis=(1, 2)) for c in range(4)], axis=1)
    truth = {
        "p": np.einsum("rc,rcv->rv", share, tables)[:, :1],
        "entropy": -np.einsum("rc,rcv->r", share, tables * np.log(tables))[:, None],
    }
    for name, value in truth.items():
        own = drawn[name][:, :, :1] if name == "p" else drawn[name][..., None]
        rank = (own < value[:, None]).sum(axis=1)[:, 0]
        cells = np.bincount(rank, minlength=draws + 1)
        expected = lineages / (draws + 1)
        assert chi2.sf(((cells - expected) ** 2).sum() / expected, draws) > FALSE_ALARM


SHARE = 0.4
P = np.array([0.6, 0.3, 0.1])


@pytest.mark.parametrize(
    ("emission", "length"), [("plug-in", 3), ("joint", 3), ("ensemble(2)", 3), ("predictive", 1)]
)
def test_order_0_follows_the_law_of_categorical_probabilities(emission, length):
    """A row of L tokens is L categorical rows; under predictive emission only at L = 1."""
    n, m, generations, a = 6, 4, 5, 0.5
    twin = bc.Estimator(partial(ngram.model, vocabulary=3, order=0, length=length, concentration=a))
    run = bc.Experiment(
        ngram.estimator(vocabulary=3, order=0, length=length, concentration=a),
        bc.Truth(table=P[None], estimator=twin),
        bc.schemes.weighted(SHARE, emission=emission),
        n_real=n,
        n_synthetic=m,
        generations=generations,
        replicates=3000,
        keep_draws=0,
        keep_rows="none",
        references=(),
        probabilities=(),
        seed=16,
    ).run(progress=False)
    mode = ("ensemble", 2) if emission.startswith("ensemble") else emission
    law = theory.dirichlet_law(
        generations,
        probabilities=P,
        n=n * length,
        m=m * length,
        real_share=SHARE,
        prior_total=3 * a,
        emission=mode,
    )
    mean = run["summary"]["p"].sel(statistic="mean").isel(scheme=0).to_numpy()
    assert_mean(mean, law.mean)
    assert_mean(((mean - P) ** 2).sum(axis=2), law.risk)


def test_tokens_die_out_at_their_exact_rate():
    """Equal tokens, no prior to speak of, replace: expected vocabulary of generations 0 and 1.

    A token is absent from N draws with probability (1 - X/N)^N where X were in the batch before.
    """
    vocabulary, n, length = 30, 10, 4
    total = n * length
    twin = bc.Estimator(partial(ngram.model, vocabulary=vocabulary, order=0, length=length))
    run = bc.Experiment(
        ngram.estimator(vocabulary=vocabulary, order=0, length=length, concentration=1e-9),
        bc.Truth(table=np.full((1, vocabulary), 1 / vocabulary), estimator=twin),
        bc.schemes.replace(emission="plug-in"),
        n_real=n,
        generations=12,
        replicates=500,
        keep_draws=0,
        keep_rows="none",
        references=(),
        probabilities=(),
        seed=17,
    ).run(progress=False)
    seen = run["sample_stats"]["tokens_seen"].isel(scheme=0).to_numpy()
    x = np.arange(total + 1)
    absent = binom.pmf(x, total, 1 / vocabulary) @ (1 - x / total) ** total
    assert_mean(seen[:, 0], vocabulary * (1 - (1 - 1 / vocabulary) ** total))
    assert_mean(seen[:, 1], vocabulary * (1 - absent))
    assert (np.diff(seen, axis=1) <= 0).all()
    p = run["summary"]["p"].sel(statistic="mean").isel(scheme=0, generation=-1).to_numpy()
    # A martingale: probabilities keep their mean while the entropy falls.
    assert_mean(p, np.full(vocabulary, 1 / vocabulary))
    entropy = run["summary"]["entropy"].sel(statistic="mean").isel(scheme=0).mean("replicate")
    assert (np.diff(entropy) < 0).all()


def test_large_vocabularies_take_seconds():
    """200,000 tokens fitted and 50,000 emitted at order 2 from a vocabulary of 50,000."""
    rng = np.random.default_rng(18)
    p = 1 / np.arange(1, 50_001)
    y = rng.choice(50_000, size=(10_000, 20), p=p / p.sum())
    learner = ngram.estimator(vocabulary=50_000, order=2, length=20, track=range(5))
    engine = learner.engine()
    started = time.perf_counter()
    fit = condition(engine, y, np.ones(10_000))
    assert np.isfinite(fit.summary((0.5,))).all()
    for label in ("joint", "plug-in", "predictive"):
        rows, _ = engine.emit(fit, parse_emission(label), 2500, {}, None, rng)
        assert rows["y"].shape == (1, 2500, 20)
    assert np.isfinite(engine.log_predictive(fit, {"y": y[None, :500]}, rng)).all()
    # About 1 s on an idle 2 GHz core; the limit leaves room for a busy one.
    assert time.perf_counter() - started < 15
    assert fit.figures["tokens_seen"][0] == len(np.unique(y))


def test_order_3_of_a_large_vocabulary_fits_into_64_bits():
    engine = ngram.estimator(vocabulary=50_000, order=3, length=5).engine()
    y = np.full((2, 5), 49_999)
    fit = condition(engine, y, np.ones(2))
    rows, _ = engine.emit(
        fit, parse_emission("predictive"), 40_000, {}, None, np.random.default_rng(0)
    )
    start = rows["y"][0, :, 0] == 49_999
    assert_mean(start, (2 + 1 / 50_000) / 3)
    with pytest.raises(ValueError, match="more contexts than 64 bits"):
        ngram.estimator(vocabulary=3_000_000, order=3, length=5)
    with pytest.raises(ValueError, match="more than 64 bits can number"):
        counts_module.count_rows_of_tokens(
            ngram.estimator(vocabulary=1_000_000, order=3, length=4).engine().grammar,
            np.zeros((5, 1, 4), dtype=int),
            None,
        )


TEXT = (
    "The weather was fine. The weather was bad. The cat sat (still) on the mat, and the dog sat "
    "on the cat. Was the weather fine? The dog was still. "
) * 6


def test_text_goes_in_and_comes_out():
    words = ngram.Vocabulary.from_text(TEXT)
    assert len(words) == len(set(words.tokens)) and words.tokens[:2] == ("<unk>", ".")
    assert words.decode(words.encode(TEXT)) == TEXT.strip()
    limited = ngram.Vocabulary.from_text(TEXT, size=6)
    codes = limited.encode(TEXT)
    assert len(limited) == 6 and (codes == 0).any()
    np.testing.assert_array_equal(limited.encode(limited.decode(codes)), codes)
    letters = ngram.Vocabulary.from_text(TEXT, level="character")
    assert letters.decode(letters.encode("the cat")) == "the cat"
    assert letters.encode("the Zoo").tolist()[4] == 0
    rows = words.rows(TEXT, length=7)
    assert rows["y"].dims == ("obs", "position")
    np.testing.assert_array_equal(
        rows["y"].to_numpy().ravel(), words.encode(TEXT)[: rows["y"].size]
    )


def test_a_language_model_is_fed_its_own_text():
    """Pages of Python's manual, words in, words out: the vocabulary in use shrinks."""
    from pydoc_data.topics import topics

    import pandas as pd

    text = " ".join(topics[name] for name in ("assignment", "class", "for", "if", "try", "while"))
    words = ngram.Vocabulary.from_text(text, size=400)
    rows = words.rows(text, length=12)
    frame = pd.DataFrame(rows["y"].to_numpy(), columns=[f"word {i}" for i in range(12)])
    learner = ngram.estimator(
        vocabulary=words, order=1, length=12, concentration=1e-4, track=["the", "if", "<unk>"]
    )
    run = bc.Experiment(
        learner,
        bc.Table(frame, variables={"y": list(frame)}),
        {"replace": bc.schemes.replace(), "accumulate": bc.schemes.accumulate()},
        n_real=60,
        generations=8,
        replicates=6,
        keep_draws=10,
        keep_rows="first",
        held_out=rows.isel(obs=slice(0, 40)),
        references=(),
    ).run(progress=False)
    assert list(run["summary"]["token"].values) == ["the", "if", "<unk>"]
    seen = run["sample_stats"]["tokens_seen"].mean("replicate")
    assert seen.sel(scheme="replace")[-1] < 0.75 * seen.sel(scheme="replace")[0]
    assert (np.diff(seen.sel(scheme="accumulate")) <= 6).all()
    density = run["predictive"]["held_out_log_density"].mean("replicate")
    assert density.sel(scheme="replace")[-1] < density.sel(scheme="replace")[0]
    cell = bc.cell(run, scheme="replace", replicate=0, generation=7)
    sentences = words.text(cell["observed_data"].to_dataset())
    assert len(sentences) == 60 and all(isinstance(s, str) and s for s in sentences)
    again = words.text(learner.emit(cell, 3, seed=1))
    assert len(again) == 3


def test_start_tokens_give_first_positions_contexts_of_their_own():
    grammar = ngram.estimator(vocabulary=3, order=2, length=4).engine().grammar
    assert grammar.contexts == 1 + 3 + 9
    codes = grammar.all_contexts(np.array([[2, 1, 0, 2]]))[0]
    # No token yet; then 2; then 21 and 10 in base 3.
    assert codes.tolist() == [0, 1 + 2, 4 + 7, 4 + 3]
    assert ngram.estimator(vocabulary=3, order=3, length=2).engine().grammar.contexts == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vocabulary": 1, "length": 2}, "vocabulary must be an integer of at least 2"),
        ({"vocabulary": 3, "length": 0}, "length must be an integer of at least 1"),
        ({"vocabulary": 3, "length": 2, "order": 4}, "order must be an integer from 0 to 3"),
        ({"vocabulary": 3, "length": 2, "concentration": 0}, "concentration must be a positive"),
        ({"vocabulary": 3, "length": 2, "track": [3]}, "codes from 0 to 2, got 3"),
        ({"vocabulary": 3, "length": 2, "track": ["a"]}, "track must hold codes"),
        ({"vocabulary": 3, "length": 2, "track": [1, 1]}, "every token once"),
    ],
)
def test_mistakes_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ngram.estimator(**settings)


def test_mistakes_in_rows_and_text_are_refused():
    learner = ngram.estimator(vocabulary=3, length=2)
    with pytest.raises(ValueError, match="token codes from 0 to 2, got values from 0 to 3"):
        learner.fit(xr.Dataset({"y": (("obs", "position"), [[0, 3]])}))
    with pytest.raises(ValueError, match="trailing shape"):
        learner.fit(xr.Dataset({"y": (("obs", "position"), [[0, 1, 2]])}))
    with pytest.raises(ValueError, match="at most 100000 entries"):
        ngram.model(vocabulary=1000, order=2, length=3)
    with pytest.raises(TypeError, match="not a PyMC model"):
        ngram.estimator(vocabulary=1000, order=2, length=3).pymc_model()
    with pytest.raises(ValueError, match="level must be"):
        ngram.Vocabulary(("<unk>", "a"), level="line")
    with pytest.raises(ValueError, match="begin with '<unk>'"):
        ngram.Vocabulary(("a", "b"))
    with pytest.raises(ValueError, match="more than once"):
        ngram.Vocabulary(("<unk>", "a", "a"))
    with pytest.raises(ValueError, match="at least one token"):
        ngram.Vocabulary.from_text("  ")
    words = ngram.Vocabulary.from_text("a b c")
    with pytest.raises(ValueError, match="do not fill one row"):
        words.rows("a b", length=5)
    with pytest.raises(ValueError, match="codes must lie between 0 and 3"):
        words.decode([4])


def test_order_0_probability_has_the_beta_law():
    from scipy.stats import beta

    engine = ngram.estimator(vocabulary=3, order=0, length=1, concentration=0.7).engine()
    fit = condition(engine, np.array([[0], [0], [2]]), np.array([1.0, 0.5, 2.0]))
    draws = fit.draws(5000, np.random.default_rng(19))["p"][0, :, 0]
    assert kstest(draws, beta(0.7 + 1.5, 1.4 + 2.0).cdf).pvalue > FALSE_ALARM
    np.testing.assert_allclose(fit.summary((0.3,))[0, 2, 0], beta(2.2, 3.4).ppf(0.3))
