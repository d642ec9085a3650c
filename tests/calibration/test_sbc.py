"""Simulation-based calibration of every model with a proper prior and every exact method.

One ECDF is judged at LEVEL = 0.01 / CHECKS, so the whole suite, everyday or verification, alarms
falsely with a probability of at most 1 %; seeds are fixed, so a passing test keeps passing.
"""

from functools import cache

import pytest
from scipy.stats import ks_2samp

from tests.calibration.cases import CASES, CHECKS, LEVEL, SIMULATIONS, pairs
from tests.calibration.harness import calibrate

KS_LEVEL = 1e-4
"""Level of a check of prior recovery: below 2 % for all of at most CHECKS of them together."""

DEPENDENCE = 0.2
"""Autocorrelation of kept draws up to which ranks count as uniform.

At 0.2 the 100 kept draws are worth 67 independent ones, and the variance of a rank's share is
1.005 times the uniform one, far below what 1,000 simulations can see.
"""

EVERYDAY = {"exact": 128, "laplace": 128, "nuts": 20}
"""Simulations of the everyday suite; exact and Laplace posteriors come in blocks of 128 anyway."""


def label(value):
    return getattr(value, "name", value)


def judge(case, method, calibration, tabulate):
    """Record a calibration and require every quantity's ECDF to lie inside its band."""
    quantity, smallest = calibration.worst()
    tabulate(
        check="ranks",
        model=case.name,
        method=method,
        simulations=calibration.simulations,
        quantities=len(calibration.ranks),
        **{"failed fits": calibration.failed, "smallest p": f"{smallest:.2g}"},
        quantity=quantity,
        seconds=f"{calibration.seconds:.1f}",
    )
    assert max(calibration.dependence.values()) < DEPENDENCE, calibration.dependence
    assert smallest > LEVEL, f"{quantity} of {case.name} by {method}: p = {smallest:.2g}"


@cache
def full_run(case, method):
    """Full-size run: ranks are of the first generation, prior recovery is of the last."""
    return calibrate(case, method, SIMULATIONS[method], generations=case.generations)


@pytest.mark.parametrize(("case", "method"), pairs("exact"), ids=label)
def test_exact_posteriors_are_calibrated(case, method, tabulate):
    judge(case, method, calibrate(case, method, EVERYDAY[method]), tabulate)


@pytest.mark.parametrize("method", ["laplace", "nuts"])
def test_sampled_posteriors_are_calibrated(method, logistic, tabulate):
    """A coarse check of a method's whole path: 20 simulations see gross errors only."""
    case = next(c for c in CASES if c.name == "logistic regression")
    judge(case, method, calibrate(case, method, EVERYDAY[method], estimator=logistic), tabulate)


@pytest.mark.verification
@pytest.mark.parametrize(("case", "method"), pairs(*SIMULATIONS), ids=label)
def test_every_method_is_calibrated(case, method, tabulate):
    judge(case, method, full_run(case, method), tabulate)


@pytest.mark.verification
@pytest.mark.parametrize(("case", "method"), pairs(*SIMULATIONS), ids=label)
def test_joint_replacement_keeps_the_prior(case, method, tabulate):
    """Truths from the prior: draws that emit at the last generation have the prior's law."""
    run = full_run(case, method)
    values = {q: ks_2samp(v[:, 0], run.prior[q][:, 0]).pvalue for q, v in run.final.items()}
    quantity = min(values, key=values.get)
    tabulate(
        check="prior kept",
        model=case.name,
        method=method,
        simulations=run.simulations,
        quantities=len(values),
        **{"smallest p": f"{values[quantity]:.2g}"},
        quantity=quantity,
    )
    assert values[quantity] > KS_LEVEL, values


@pytest.mark.verification
def test_the_level_counts_every_check():
    """Number of ECDFs that the verification suite judges, against the one its level is made for."""
    ngram = 4
    count = sum(len(full_run(case, method).ranks) for case, method in pairs(*SIMULATIONS))
    assert count + ngram <= CHECKS


def test_names_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [c for c in CASES if "exact" in c.methods], ids=label)
def test_parameters_are_stacked_in_one_order_whatever_the_method(case):
    """A run labels stacked draws by the estimator's schema, also those that NUTS has drawn."""
    estimator = case.make()
    exact, model = estimator.schema.parameters, estimator.row_model.schema.parameters
    assert [p.name for p in exact] == [p.name for p in model]
