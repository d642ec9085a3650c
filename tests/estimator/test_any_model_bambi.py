"""Bambi models: their design matrix becomes a covariate, whatever the family."""

import numpy as np
import pytest

import bayescollapse as bc
from tests.documented import Weighted, compiled, points

pd, bambi = pytest.importorskip("pandas"), pytest.importorskip("bambi")

pytestmark = pytest.mark.filterwarnings(
    # Bambi 0.21 selects columns in a way that pandas 3 warns about:
    # https://pandas.pydata.org/docs/dev/user_guide/migration.html#string-migration-select-dtypes
    "ignore:For backward compatibility, 'str' dtypes are included"
)

RNG = np.random.default_rng(17)
N = 20
FRAME = pd.DataFrame(
    {
        "a": RNG.normal(size=N),
        "b": RNG.normal(size=N),
        "kind": np.tile(["left", "middle", "right", "middle"], N // 4),
        "normal": RNG.normal(size=N),
        "yes": RNG.integers(0, 2, N),
        "count": RNG.poisson(3, N),
        "positive": RNG.gamma(2, size=N),
    }
)
# Bambi scales its own priors by the data, so that repeated rows would have another prior.
NORMAL = bambi.Prior("Normal", mu=0, sigma=2)
PRIORS = {"common": NORMAL, "Intercept": NORMAL}

CASES = {
    "gaussian": ("normal ~ a + b", {"sigma": bambi.Prior("HalfNormal", sigma=1)}),
    "t": (
        "normal ~ a * kind",
        {
            "sigma": bambi.Prior("HalfNormal", sigma=1),
            "nu": bambi.Prior("Gamma", alpha=2, beta=0.1),
        },
    ),
    "bernoulli": ("yes ~ a + kind", {}),
    "poisson": ("count ~ a + b + kind", {}),
    "negativebinomial": ("count ~ b", {"alpha": bambi.Prior("HalfNormal", sigma=1)}),
    "gamma": ("positive ~ b", {"alpha": bambi.Prior("HalfNormal", sigma=1)}),
}


def built(family: str, frame: object, **settings: object) -> object:
    formula, priors = CASES[family]
    link = {"link": "log"} if family == "gamma" else {}
    model = bambi.Model(
        formula, frame, family=family, priors={**PRIORS, **priors}, **link, **settings
    )
    model.build()
    return model


@pytest.mark.parametrize("family", CASES)
def test_weights_are_repeated_rows(family: str) -> None:
    """Value and gradient of a model of the repeated table, centred by the first table's means."""
    original = built(family, FRAME)
    estimator = bc.Estimator(original.backend.model)
    [response], [design] = estimator.schema.responses, estimator.schema.covariates
    assert design.name == "X"
    raw = built(family, FRAME, center_predictors=False).backend.model
    raw_design = bc.Estimator(raw).row_model.template["X"]
    np.testing.assert_allclose(
        estimator.row_model.template["X"], raw_design - raw_design.mean(axis=0)
    )
    weights = np.arange(N) % 3 + 1
    repeated = FRAME.iloc[np.repeat(np.arange(N), weights)].reset_index(drop=True)
    expected = compiled(built(family, repeated, center_predictors=False).backend.model)
    model = Weighted(bc.Estimator(raw).row_model)
    rows = {"X": raw_design, response.name: FRAME[response.name].to_numpy()}
    for point in points(model.model, 2, np.random.default_rng(3)):
        np.testing.assert_allclose(
            model(rows, weights, point), expected(point), rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("formula", ["normal ~ a + (1 | kind)", "normal ~ a + offset(b)"])
def test_what_is_no_common_term_is_refused(formula: str) -> None:
    model = bambi.Model(formula, FRAME)
    model.build()
    with pytest.raises(ValueError, match="a Bambi model may have common terms only"):
        _ = bc.Estimator(model.backend.model).schema
