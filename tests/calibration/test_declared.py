"""Methods that are declared approximate are ranked and drawn, without a verdict."""

import matplotlib.pyplot as plt
import pytest

from tests.calibration.cases import CASES
from tests.calibration.harness import calibrate
from tests.calibration.plots import plot_ranks

NAMES = {case.name: case for case in CASES}


def assert_drawn(calibration, title):
    figure = plot_ranks(calibration, title=title)
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert len(shown) == len(calibration.ranks)
    assert all(axis.get_title() for axis in shown)
    plt.close(figure)


def test_rank_plot_of_an_exact_method():
    assert_drawn(calibrate(NAMES["gaussian"], "exact", 20), "gaussian, exact")


@pytest.mark.verification
@pytest.mark.parametrize(("method", "simulations"), [("advi", 20), ("map", 20)])
def test_declared_approximations_have_a_rank_plot(method, simulations, tabulate):
    case = NAMES["logistic regression"]
    calibration = calibrate(case, method, simulations)
    quantity, smallest = calibration.worst()
    tabulate(
        check="ranks, no verdict",
        model=case.name,
        method=method,
        simulations=simulations,
        quantities=len(calibration.ranks),
        **{"failed fits": calibration.failed, "smallest p": f"{smallest:.2g}"},
        quantity=quantity,
        seconds=f"{calibration.seconds:.1f}",
    )
    assert_drawn(calibration, f"logistic regression, {method}")
