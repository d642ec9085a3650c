"""Worth in real rows does not depend on the posterior of real rows that gives the scale."""

import numpy as np
import pytest

from bayescollapse import schemes, theory
from bayescollapse.measures import posterior_accuracy
from tests.measures.test_accuracy import TOLERANCE, absent, run_mean

REFERENCES = ("real_only", "real_seen", "real_plus", "first")


@pytest.mark.parametrize("reference", REFERENCES)
def test_rows_worth_do_not_depend_on_the_reference(reference, accumulated):
    """A flat prior: rows are 1 / error; five comparisons at 4 MCSE, and a ratio's bias."""
    found = posterior_accuracy(accumulated, reference=reference).isel(scheme=0, parameter=0)
    t = np.arange(5)
    law = 10 / theory.accumulate_error(t, n=10, emission="joint")
    slack = law * 4 / accumulated["summary"].sizes["replicate"]
    gap = abs(found["rows_worth"].to_numpy() - law)
    assert np.all(gap < TOLERANCE * found["rows_worth_mcse"].to_numpy() + slack)
    assert np.allclose(found["rows_claimed"], 10 * (t + 1), rtol=1e-12)
    claim = found["certainty"] * found["rows_worth"] / found["rows_claimed"]
    assert np.allclose(claim, 1) and np.allclose(found["n_real"], 10)
    # Generation 0 is its own reference, but for real_plus and real_seen of later generations.
    assert found["rows_worth"][0] == pytest.approx(10) and found["rows_worth_mcse"][0] < 1e-12


@pytest.fixture(scope="module")
def accumulated():
    return run_mean(
        schemes.accumulate(), 4_000, n=10, generations=5, seed=55, references=REFERENCES[:3]
    )


def test_references_that_cannot_scale_rows(accumulated):
    with pytest.raises(ValueError, match="worth more than any number of rows"):
        posterior_accuracy(accumulated, reference="truth")
    run = run_mean(schemes.pooled(), 4, generations=2, references=("real_only",))
    found = posterior_accuracy(run, reference="real_plus")
    assert "(add 'real_plus' to references= of the experiment)" in found.attrs["missing"]
    rows = {"rows_worth", "rows_claimed", "certainty"}
    assert absent(found) == rows | {"coverage", "rows_worth_density"}
    assert "rows_worth" in posterior_accuracy(run, reference="first")
