"""Evidence for definitions of collapse: intervals that hold what they say they hold."""

import numpy as np
import pytest
from scipy import stats

from bayescollapse.measures.collapse import _verdict
from bayescollapse.measures.definitions import Definition, Thresholds
from bayescollapse.measures.evidence import (
    Evidence,
    largest_rise,
    late_growth,
    mean_evidence,
    median_evidence,
    scaling_gap,
)
from bayescollapse.measures.row_kernels import tail_ratio

# Comparisons with a mean allow 4 of its standard errors: a false alarm in 1 of 16,000.
Z = 4


def at_most(count, trials, rate):
    """Whether a count could come from a rate that is no higher, at a false alarm in 30,000."""
    return stats.binom.sf(count - 1, trials, rate) > 3e-5


# Measured in 20,000 sets of squared Gaussian errors over six generations (5,000 with 100
# replicates): share of false rises by ratio and by difference, and of false divergence.
FALSE_ALARMS = {
    2: (0.0022, 0.0171, 0.0461),
    3: (0.0035, 0.0106, 0.0535),
    5: (0.0040, 0.0061, 0.0454),
    20: (0.0115, 0.0115, 0.0231),
    100: (0.0154, 0.0154, 0.0090),
}


def near(count, trials, rate, behind):
    """Whether a count could come from a rate that was measured in `behind` trials itself."""
    return abs(count - trials * rate) < Z * np.sqrt(trials * rate * (1 + trials / behind))


@pytest.mark.parametrize("replicates", FALSE_ALARMS)
def test_false_alarms_are_as_rare_as_stated(replicates):
    size = 6000
    risk = np.random.default_rng(1).chisquare(1, size=(size, replicates, 6))
    fired = (
        largest_rise(risk, relative=True).low > 1,
        largest_rise(risk, relative=False).low > 0,
        late_growth(risk, relative=True).low > Thresholds().growth_exponent,
    )
    behind = 5000 if replicates == 100 else 20_000
    for wrong, rate in zip(fired, FALSE_ALARMS[replicates], strict=True):
        assert near(wrong.sum(), size, rate, behind), (wrong.mean(), rate)
    assert max(FALSE_ALARMS[replicates][:2]) < 0.025


# Measured in 8,000 and 6,000 sets; with 2 replicates Student's interval alone would give 4 %.
@pytest.mark.parametrize(("replicates", "rate"), [(2, 0.0), (6, 0.013)])
def test_false_losses_of_tails_are_as_rare_as_stated(replicates, rate):
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(3000, 3, replicates, 10))
    lost = [[tail_ratio(x, real) < Thresholds().kept for x in two] for real, *two in rows]
    first, last = np.moveaxis(np.array(lost, dtype=float), 1, 0)
    found = mean_evidence(last - first, lowest=-1.0, highest=1.0)
    fired = (found.low > Thresholds().lineages).sum()
    assert near(fired, 3000, rate, 6000) if rate else fired == 0


def test_limits_of_a_rise_are_those_of_students_test():
    """At either limit the test of x_t - r x_0 is just significant."""
    risk = np.random.default_rng(9).chisquare(1, size=(1, 30, 2)) * [1.0, 6.0]
    found = largest_rise(risk, relative=True)
    assert found.value[0] == pytest.approx(risk[0, :, 1].mean() / risk[0, :, 0].mean())
    for limit, sign in ((found.low[0], 1), (found.high[0], -1)):
        test = stats.ttest_1samp(risk[0, :, 1] - limit * risk[0, :, 0], 0.0)
        assert test.pvalue == pytest.approx(0.05)
        assert np.sign(test.statistic) == sign
    few = largest_rise(risk[:, :2], relative=True)
    assert (few.low[0], few.high[0]) == (0.0, np.inf)
    assert np.isnan(largest_rise(risk[:, :1], relative=True).low).all()


@pytest.mark.parametrize("relative", [True, False])
def test_growth_has_its_stated_error(relative):
    rng = np.random.default_rng(2)
    times = np.arange(12)
    law = (times + 1.0) ** 0.7 if relative else 0.7 * np.log(times + 1)
    noise = rng.chisquare(4, size=(1500, 80, 12)) / 4
    found = late_growth(law * noise if relative else law + noise, relative=relative)
    missed = (found.low > 0.7) | (found.high < 0.7)
    assert at_most(missed.sum(), 1500, 0.065)
    assert missed.mean() > 0.02
    assert np.isnan(late_growth(np.ones((1, 9, 4)), relative=True).low).all()


def test_median_interval_is_exact():
    found = median_evidence(np.random.default_rng(3).normal(size=(4000, 25)))
    missed = ((found.low > 0) | (found.high < 0)).sum()
    exact = 2 * stats.binom.cdf(7, 25, 0.5)
    assert exact <= 0.05
    assert abs(missed - 4000 * exact) < Z * np.sqrt(4000 * exact)
    few = median_evidence(np.zeros((1, 5)))
    assert np.isnan(few.low).all()
    gone = median_evidence(np.full((1, 20), -np.inf))
    assert gone.value[0] == gone.high[0] == -np.inf


def test_mean_interval_is_students():
    found = mean_evidence(np.random.default_rng(4).normal(size=(4000, 6)))
    missed = ((found.low > 0) | (found.high < 0)).sum()
    assert abs(missed - 200) < Z * np.sqrt(200)
    assert np.isnan(mean_evidence([[1.0]]).low).all()
    cut = mean_evidence([[0.0, 0.0, 0.01], [1.0, 0.99, 1.0]], lowest=0.0, highest=1.0)
    whole = mean_evidence([[0.0, 0.0, 0.01], [1.0, 0.99, 1.0]])
    assert (whole.low[0] < 0, whole.high[1] > 1) == (True, True)
    assert (cut.low[0], cut.high[1]) == (0.0, 1.0)
    assert (cut.high[0], cut.low[1]) == (whole.high[0], whole.low[1])


def test_scaling_gap_of_known_exponents():
    rng = np.random.default_rng(5)
    rows, exponent = np.array([20, 80]), 0.6
    parts = [
        (rng.chisquare(1, (1000, 200)) * n**-exponent, rng.chisquare(1, (1, 200)) / n) for n in rows
    ]
    found = scaling_gap(*parts, 4.0)
    # The real rows' fits are common to all: their error moves every estimate alike.
    spare = Z * 0.1 * np.sqrt(2) / np.log(4)
    assert abs(found.value.mean() - (exponent - 1)) < spare
    width = found.high - found.low
    assert width.mean() == pytest.approx(2 * 1.972 * 0.2 / np.log(4), rel=0.1)
    with pytest.raises(ValueError, match="factor must be above 1"):
        scaling_gap(*parts, 1.0)


@pytest.mark.parametrize("replicates", [2, 3, 5, 10, 60, 80])
def test_lineages_that_agree_rule_little_out(replicates):
    """A share of 0.2 is denied, and one of 0.05 confirmed, in 2.5 % of runs at most."""
    rng = np.random.default_rng(7)
    for share, wrong in ((0.2, "no"), (0.05, "yes")):
        lost = (rng.uniform(size=(4000, replicates)) < share).astype(float)
        found = mean_evidence(lost, lowest=-1.0, highest=1.0)
        assert at_most((verdicts(found, 0.05, "above") == wrong).sum(), 4000, 0.025)
    same = mean_evidence(np.full((1, replicates), 0.25), lowest=0.0, highest=1.0)
    # A law with less mass on the common value shows it everywhere with 2.5 % at most.
    rest = 1 - 0.025 ** (1 / replicates)
    assert same.low[0] == pytest.approx(0.25 * (1 - rest))
    assert same.high[0] == pytest.approx(0.25 + 0.75 * rest)


def test_the_limits_of_a_rise_are_those_of_all_generations():
    """Sharp and small beside wide and large: the value is the sharp one's, the roof the other's."""
    rng = np.random.default_rng(8)
    spread = np.array([0.1, 0.1, 3.0])
    risk = np.array([1.0, 2.0, 2.2]) + spread * rng.normal(size=(1, 12, 3))
    found = largest_rise(risk, relative=False)
    width = stats.t.ppf(1 - 0.025 / 2, 11) / np.sqrt(12)
    rise = risk[0, :, 1:] - risk[0, :, :1]
    mean, half = rise.mean(axis=0), rise.std(axis=0, ddof=1) * width
    assert (mean - half).argmax() == 0 and (mean + half).argmax() == 1
    assert found.value[0] == pytest.approx(mean[0])
    assert found.low[0] == pytest.approx((mean - half)[0])
    assert found.high[0] == pytest.approx((mean + half)[1])


def verdicts(found, threshold, side):
    return _verdict(found, threshold, Definition("a", "b", "c", side, -9, 9, 0, ()))


def test_verdicts_follow_the_interval_and_the_side_of_the_threshold():
    low = np.array([-3.0, -0.5, 0.2, 1.5, np.nan, 1.0])
    high = np.array([-2.0, 0.5, 1.2, np.inf, np.nan, 1.0])
    found = Evidence(low, low, high)
    no, yes, torn, none = "no", "yes", "cannot tell", "not measured"
    for side, wanted in (
        ("above", [no, no, torn, yes, none, no]),
        ("below", [yes, yes, torn, no, none, no]),
        ("beyond", [yes, no, torn, yes, none, no]),
    ):
        assert verdicts(found, 1.0, side).tolist() == wanted, side
