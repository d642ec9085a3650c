"""Calibration of the n-gram model, whose parameters are functionals of table and rows.

Its tracked ``p`` and ``entropy`` are averages over the contexts of the fitted rows, so the truths
are computed from the true table and those rows. Rows and tables are drawn here in plain NumPy.
"""

import numpy as np
import pytest

from bayescollapse.measures.bands import p_value
from bayescollapse.models import ngram
from tests.calibration.cases import LEVEL
from tests.calibration.harness import DRAWS, rank_of_truth, seed_of

SIZES = [100, pytest.param(1_000, marks=pytest.mark.verification)]
TOKENS, LENGTH, ROWS, CONCENTRATION = 3, 4, 12, 0.6


def chain(first, table, rng):
    """Rows (row, position) of a first-order chain, and how often each context occurs in them.

    Context 0 is the start of a row, context 1 + v follows the token v.
    """
    rows = np.zeros((ROWS, LENGTH), dtype=np.int64)
    used = np.zeros(TOKENS + 1)
    for i in range(ROWS):
        for position in range(LENGTH):
            context = 0 if position == 0 else 1 + rows[i, position - 1]
            p = first if context == 0 else table[context - 1]
            rows[i, position] = rng.choice(TOKENS, p=p)
            used[context] += 1
    return rows, used / used.sum()


@pytest.mark.parametrize("simulations", SIZES)
def test_ngram_is_calibrated(simulations, tabulate):
    rng = np.random.default_rng(seed_of("ngram", "exact"))
    learner = ngram.estimator(
        vocabulary=TOKENS, order=1, length=LENGTH, concentration=CONCENTRATION
    )
    truths, draws = [], []
    for simulation in range(simulations):
        tables = rng.dirichlet(np.full(TOKENS, CONCENTRATION), size=TOKENS + 1)
        rows, share = chain(tables[0], tables[1:], rng)
        data = learner.schema.dataset({"y": rows[None]}, replicate=0)
        fit = learner.fit(data, draws=DRAWS // 2, chains=2, seed=simulation)["posterior"]
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(tables > 0, -tables * np.log(tables), 0.0)
        truths.append([*(share @ tables), share @ terms.sum(axis=1)])
        p, entropy = (fit[name].to_numpy().reshape(DRAWS, -1) for name in ("p", "entropy"))
        draws.append(np.concatenate([p, entropy], axis=1))
    truths, draws = np.array(truths), np.array(draws)
    names = [*(f"p[{v}]" for v in range(TOKENS)), "entropy"]
    values = {
        name: p_value(rank_of_truth(truths[:, i], draws[..., i], rng), DRAWS)
        for i, name in enumerate(names)
    }
    quantity = min(values, key=values.get)
    tabulate(
        check="ranks",
        model="ngram",
        method="exact",
        simulations=simulations,
        quantities=len(values),
        **{"failed fits": 0, "smallest p": f"{values[quantity]:.2g}"},
        quantity=quantity,
    )
    assert values[quantity] > LEVEL, values
