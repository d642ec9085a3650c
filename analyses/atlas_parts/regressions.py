"""Linear regression: one design or new ones, ridge penalties, least norm, a verifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

import bayescollapse as bc
from atlas_parts.measures import error
from atlas_parts.part import Check, Part
from bayescollapse import schemes, theory
from bayescollapse.models import linear_regression
from bayescollapse.sources import NormalCovariates
from bayescollapse.sources.orthonormal import OrthonormalDesign

ROWS, FEATURES = 24, 3
ERROR = "squared error"


def parts() -> list[Part]:
    """Experiments on regression."""
    return [designs(), least_norm(), ridge(), verifier()]


def designs(generations: int = 8) -> Part:
    """Use one design for all generations, or a new one each time."""
    t = np.arange(generations)
    sizes = {"rows": ROWS, "features": FEATURES}
    unit = FEATURES / (ROWS - FEATURES - 1)
    replaced = theory.regression_replace_error(t, **sizes)
    settings: list[tuple[str, bc.Scheme, str, Any]] = [
        (
            "gerstgrasser()",
            schemes.gerstgrasser(),
            "regression_accumulate_error",
            theory.regression_accumulate_error(t, **sizes),
        ),
        (
            "gerstgrasser(accumulate=False)",
            schemes.gerstgrasser(accumulate=False),
            "regression_replace_error",
            replaced,
        ),
        (
            "toedit(share=1.0)",
            schemes.toedit(share=1.0),
            "regression_replace_error",
            replaced,
        ),
        (
            "dohmatob_feng_kempe()",
            schemes.dohmatob_feng_kempe(),
            "fresh_design_error",
            theory.fresh_design_error(t, **sizes) / unit,
        ),
    ]
    measure = error("beta", 1.0, unit)
    checks = tuple(
        Check(label, law, "error / first error", measure, values)
        for label, _, law, values in settings
    )
    chosen = {label: scheme for label, scheme, *_ in settings}
    source = bc.Truth(beta=np.ones(FEATURES), covariates=NormalCovariates(FEATURES))
    estimator = linear_regression.estimator(features=FEATURES, noise_sd=1.0)
    counts = {"n_real": ROWS, "generations": generations}
    return Part("regression", estimator, source, chosen, checks, 3840, counts)


def least_norm(generations: int = 5, rows: int = 6, features: int = 12) -> Part:
    """Fit fewer rows than features, with next to no noise or penalty."""
    label, noise = "dohmatob_feng_kempe()", 1e-3
    law = theory.min_norm_error(
        np.arange(generations),
        rows=rows,
        features=features,
        noise_variance=noise**2,
        signal=features,
    )
    check = Check(label, "min_norm_error", ERROR, error("beta", 1.0), law)
    return Part(
        "regression-least-norm",
        linear_regression.estimator(features=features, noise_sd=noise, prior_sd=100.0),
        bc.Truth(beta=np.ones(features), covariates=NormalCovariates(features)),
        {label: schemes.dohmatob_feng_kempe()},
        (check,),
        2560,
        {"n_real": rows, "generations": generations},
    )


def ridge(generations: int = 20, penalty: float = 0.1) -> Part:
    """Label one known design afresh, with a ridge penalty."""
    design = np.random.default_rng(1).normal(size=(ROWS, FEATURES))
    _, singular, right = np.linalg.svd(design, full_matrices=False)
    best = theory.optimal_schedule([ROWS] * generations, [ROWS] * (generations - 1))
    settings = {
        "garg_bhattacharya_sur(real_share=0.618)": (
            schemes.garg_bhattacharya_sur(0.618),
            {"real_share": 0.618},
        ),
        "garg_bhattacharya_sur()": (
            schemes.garg_bhattacharya_sur(),
            {"schedule": best.real_share},
        ),
    }
    laws = {
        label: theory.ridge_law(
            generations,
            singular_values=singular,
            coefficients=right @ np.ones(FEATURES),
            penalty=penalty,
            rows=ROWS,
            **given,
        )
        for label, (_, given) in settings.items()
    }
    measure = error("beta", 1.0)
    checks = tuple(
        Check(label, "ridge_law", ERROR, measure, law.risk) for label, law in laws.items()
    )
    covariates = xr.Dataset({"x": (("obs", "feature"), design)})
    prior_sd = float((penalty * ROWS) ** -0.5)
    return Part(
        "regression-ridge",
        linear_regression.estimator(features=FEATURES, noise_sd=1.0, prior_sd=prior_sd),
        bc.Truth(beta=np.ones(FEATURES), covariates=covariates),
        {label: scheme for label, (scheme, _) in settings.items()},
        checks,
        3840,
        {"n_real": ROWS, "generations": generations},
    )


def verifier(generations: int = 8, features: int = 2) -> Part:
    """Verify a regression with a bias, directions apart."""
    real, accepted, bias, radius = 40, 100, 0.5, 0.1
    label = f"yi_liu_cheng_xu(radius={radius}, bias={bias})"
    per, first = accepted // features, features / real
    offset = np.full(features, -bias)
    path = theory.verified_path(
        generations, offset=offset, start_variance=first, accepted=per, radius=radius
    )
    step = theory.verified_step(offset, accepted=per, singular_values=first**-0.5, radius=radius)
    bound = theory.verified_error_bound(
        generations,
        initial_error=features * (bias**2 + first),
        accepted=per,
        dimensions=features,
        radius=radius,
    )
    to_truth, to_centre = error("beta", 1.0), error("beta", 1.0 + bias)
    checks = (
        Check(label, "verified_path", "squared error", to_truth, path.truth_error),
        Check(label, "verified_path", "distance to the centre", to_centre, path.centre_error),
        Check(
            label,
            "verified_step",
            "squared error",
            to_truth,
            float(step.risk),
            window=slice(1, 2),
            slack=0.02,
        ),
        Check(
            label,
            "verified_error_bound",
            "distance to the centre",
            to_centre,
            bound,
            kind="at most",
        ),
    )
    return Part(
        "regression-verified",
        linear_regression.estimator(features=features, noise_sd=1.0),
        bc.Truth(beta=np.ones(features), covariates=OrthonormalDesign(features)),
        {label: schemes.yi_liu_cheng_xu(radius, bias=bias)},
        checks,
        2560,
        {"n_real": real, "n_synthetic": accepted, "generations": generations},
    )
