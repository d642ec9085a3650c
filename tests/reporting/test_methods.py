"""Reports say how posteriors were drawn, and what that method cannot show."""

import matplotlib
import pytest

import bayescollapse as bc
from bayescollapse.models import gaussian_mean

matplotlib.use("agg")

SAYINGS = {
    "laplace": ("Laplace approximations. Pareto k was worked out for 4 of them", "worst Pareto k"),
    "map": ("The method, map, is approximate", "approximate: one point, sd 0"),
    "exact": ("in closed form",),
}


@pytest.mark.parametrize("method", SAYINGS)
def test_a_report_names_its_method(method, tmp_path):
    run = bc.Experiment(
        gaussian_mean.estimator(prior_sd=2.0),
        bc.Truth(mu=0.5),
        bc.schemes.replace(),
        n_real=10,
        generations=2,
        replicates=2,
        method=method,
        draws=50,
        seed=1,
    ).run(progress=False)
    text = " ".join(bc.report(run, tmp_path / "run.html").read_text(encoding="utf-8").split())
    for words in SAYINGS[method]:
        assert words in text
