"""Refusals name the argument, the value, what is allowed and what to do; the layer stays apart."""

import ast
import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

from bayescollapse import theory

SHARES = (np.eye(2), np.zeros((2, 2)))
ORACLE = {"real_rows": 5, "synthetic_rows": 5, "total_weights": 5}
LOOP = {"n": 10, "m": 10, "real_share": 0.5}
REFUSALS = [
    (
        lambda: theory.limit_risk(1.4, a=1, b=1),
        r"^real_share must lie in \[0, 1\], got 1.4: pass the share of the total weight",
    ),
    (lambda: theory.limit_risk(np.nan, a=1, b=1), r"real_share must lie in \[0, 1\], got nan"),
    (lambda: theory.limit_risk(0.5, a=0, b=1), r"a must be positive and finite, got 0: pass"),
    (lambda: theory.limit_risk(0.5, a=1, b=-2), r"b must be finite and at least 0, got -2: pass"),
    (lambda: theory.limit_risk(0.5, a=1, b=1, c="x"), r"c must .* got 'x': pass"),
    (
        lambda: theory.risk(0, real_share=0.5, a=1, b=1),
        r"generations must be a whole number of 1 or more, got 0: pass",
    ),
    (lambda: theory.risk(3, a=1, b=1), r"exactly one of real_share and schedule .* got neither"),
    (lambda: theory.risk(3, real_share=0.5, schedule=[1, 1, 1], a=1, b=1), r"got both: pass"),
    (
        lambda: theory.risk(3, schedule=[1, 0.5], a=1, b=1),
        r"schedule must hold 3 generations on its first axis .* got shape \(2,\)",
    ),
    (lambda: theory.risk(2, schedule=[0.5, 0.5], a=1, b=1), r"schedule .* be 1 at generation 0"),
    (lambda: theory.burn_in(0.5, tolerance=1.0), r"tolerance must lie strictly .* got 1: pass"),
    (lambda: theory.optimal_share(0), r"^k must be positive and finite, got 0: pass n/m"),
    (
        lambda: theory.optimal_share(1, emission="map"),
        r"emission must be \"plug-in\", \"joint\", .* got 'map': name",
    ),
    (lambda: theory.optimal_share(1, emission=("ensemble", 0)), r"got \('ensemble', 0\): name"),
    (lambda: theory.optimal_share(1, emission="ensemble(2.5)"), r"got 'ensemble\(2.5\)': name"),
    (
        lambda: theory.optimal_share(1, emission="joint", total_weight=20),
        r"n must be given with joint emission .* got None: pass",
    ),
    (
        lambda: theory.optimal_share(1, total_weight="all"),
        r"total_weight must be .* got 'all': pass",
    ),
    (lambda: theory.optimal_share(1, total_weight=-3), r"total_weight must be positive .* got -3"),
    (
        lambda: theory.posterior_weight(5, 5, total_weight="kish"),
        r"real_share must be given .* got None: pass",
    ),
    (lambda: theory.posterior_weight(5, 5, total_weight="calibrated"), r"use total_weight_path"),
    (lambda: theory.mean_risk(3, **(LOOP | {"n": 0})), r"^n must be finite and at least 1, got 0"),
    (
        lambda: theory.mean_risk(3, emission=("ensemble", 11), **LOOP),
        r"at most m members, got ensemble\(11\) with m = 10: use fewer",
    ),
    (lambda: theory.replace_error(-1, n=5), r"t must be whole and at least 0, got -1: generations"),
    (lambda: theory.replace_error(0.5, n=5), r"t must be whole and at least 0, got 0.5"),
    (
        lambda: theory.regression_replace_error(1, rows=6, features=5),
        r"rows must be at least features \+ 2, got rows 6 with features 5",
    ),
    (
        lambda: theory.regression_accumulate_error(1, rows=9, features=2, emission="ensemble(2)"),
        r"for a regression, got 'ensemble\(2\)': no law",
    ),
    (
        lambda: theory.gaussian_variance_law(3, n=3, m=9, real_share=0.5, emission="joint"),
        r"total_weight \(n at generation 0\) must be above 3 .* got 3: with less",
    ),
    (lambda: theory.log_variance_drift(3, emission="joint"), r"^n must be above 3 .* got 3"),
    (lambda: theory.log_variance_drift(9, emission="ensemble(3)"), r"see gaussian_variance_law"),
    (lambda: theory.log_variance_drift(9, point="median"), r"point must be .* got 'median': name"),
    (lambda: theory.prior_stationary(9, prior_weight=0), r"prior_weight must be positive .* got 0"),
    (lambda: theory.prior_drift(3, prior_weight=-1, **LOOP), r"prior_weight must .* got -1: pass"),
    (
        lambda: theory.dirichlet_law(3, probabilities=[0.5, 0.6], **LOOP),
        r"probabilities must add up to 1, got 1.1: pass",
    ),
    (
        lambda: theory.dirichlet_law(3, probabilities=[0.5, 0.5], prior_mean=[1.0], **LOOP),
        r"prior_mean must have 2 categories, got 1: pass",
    ),
    (lambda: theory.central_coverage(-1, 1), r"risk must be finite and at least 0, got -1: pass"),
    (lambda: theory.central_coverage(1, 1, probability=1), r"probability must lie strictly"),
    (
        lambda: theory.linear_oracle(np.eye(2), np.eye(2) / 2, **ORACLE),
        r"synthetic_shares must be zero on and above the diagonal, got 0.5 at \[0, 0\]",
    ),
    (
        lambda: theory.linear_oracle(np.eye(2) / 2, np.zeros((2, 2)), **ORACLE),
        r"must add up to 1, got 0.5 in generation 0: divide",
    ),
    (
        lambda: theory.linear_oracle(np.eye(2), np.zeros((3, 3)), **ORACLE),
        r"shapes \(T, real batches\) and \(T, T\), got \(2, 2\) and \(3, 3\)",
    ),
    (
        lambda: theory.linear_oracle(*SHARES, **(ORACLE | {"real_rows": [5, 5, 5]})),
        r"real_rows must have shape \(\) or \(2,\), got \(3,\)",
    ),
    (
        lambda: theory.linear_oracle(*SHARES, **(ORACLE | {"total_weights": "rows"})),
        r"total_weights must be numbers.* got 'rows' .* total_weight_path",
    ),
    (
        lambda: theory.linear_oracle(
            *SHARES, **(ORACLE | {"total_weights": "calibrated"}), prior_weight=2.0
        ),
        r"got 'calibrated' with prior_weight 2: pass",
    ),
]
MODULES = sorted(Path(theory.__file__).parent.glob("*.py"))


@pytest.mark.parametrize(("call", "message"), REFUSALS)
def test_refusal(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_layer_knows_only_numpy_and_special_functions(path):
    allowed = {"collections.abc", "numpy", "numpy.typing", "re", "scipy.special", "typing"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        else:
            continue
        for name in names:
            assert name in allowed or name.startswith("bayescollapse.theory."), name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_examples_run(path):
    name = "" if path.stem == "__init__" else "." + path.stem
    module = importlib.import_module("bayescollapse.theory" + name)
    assert doctest.testmod(module).failed == 0


def test_every_public_function_has_an_example():
    for name in theory.__all__:
        found = getattr(theory, name)
        if not isinstance(found, type):
            assert ">>>" in found.__doc__, name
