"""Refusals of the laws by topic: the argument, the value, what is allowed, what to do."""

import numpy as np
import pytest

from bayescollapse import theory

BALL = {"radius": 0.1}
STEP = BALL | {"accepted": 10, "singular_values": 1.0}
PATH = BALL | {"accepted": 10, "start_variance": 1.0}
SOURCE = {"real_probability": 0.1, "rows": 10, "diversity": 0.9}
CHOICE = {"rewards": [0.0, 1.0], "choices": 2}
RIDGE = {"singular_values": [1.0], "coefficients": [1.0], "penalty": 0.1, "rows": 9}
REFUSALS = [
    (lambda: theory.truncated_moments(1, 1), r"^lower must be below upper, got 1 and 1: pass"),
    (lambda: theory.truncated_moments(np.nan, 1), r"lower must be below upper, got nan"),
    (
        lambda: theory.contraction_rate(radius=-1),
        r"^radius must be finite and at least 0, got -1: pass",
    ),
    (
        lambda: theory.contraction_rate(radius=0, slack=0),
        r"radius \+ slack must be positive, got 0: .* pass a larger",
    ),
    (lambda: theory.verified_map(0, noise_sd=0, **BALL), r"^noise_sd must be positive .* got 0"),
    (
        lambda: theory.verified_step(0.5, **STEP),
        r"offset must have one entry per direction .* number 0.5: pass \[0.5\]",
    ),
    (
        lambda: theory.verified_step([0.5], **(STEP | {"accepted": 0})),
        r"accepted must be at least 1, got 0: pass the rows",
    ),
    (
        lambda: theory.verified_path(4, offset=[0.5], **(PATH | {"accepted": [5, 6]})),
        r"accepted must be one number or have 4 generations .* got shape \(2,\): entry t",
    ),
    (
        lambda: theory.verified_path(0, offset=[0.5], **PATH),
        r"generations must be a whole number of 1 or more, got 0",
    ),
    (
        lambda: theory.verified_error_bound(3, initial_error=-1, accepted=9, dimensions=1, **BALL),
        r"initial_error must be finite and at least 0, got -1: pass E",
    ),
    (lambda: theory.verified_floor(9, dimensions=0, **BALL), r"dimensions must .* got 0: pass"),
    (
        lambda: theory.contaminated_risk(3, **(SOURCE | {"real_probability": 1.2})),
        r"real_probability must lie in \[0, 1\], got 1.2: pass the probability",
    ),
    (
        lambda: theory.contaminated_risk(3, **(SOURCE | {"rows": [5, 6]})),
        r"rows must be one number or have 3 generations \(or 1\)",
    ),
    (
        lambda: theory.contaminated_risk(3, **(SOURCE | {"diversity": 1})),
        r"diversity must lie strictly between 0 and 1, got 1: it is",
    ),
    (lambda: theory.contamination_region(-1, 0), r"decay must be finite .* got -1: pass"),
    (lambda: theory.contamination_region(1, 0, level=0), r"level must be positive .* got 0: with"),
    (
        lambda: theory.rows_to_improve(0.95, real_probability=0.1, diversity=0.9),
        r"risk must be at most diversity, got 0.95 with diversity 0.9: learned",
    ),
    (
        lambda: theory.effective_real_rows(0.5, rows=9),
        r"real_probability must have an axis of generations, got the number 0.5: pass",
    ),
    (
        lambda: theory.curation_factor([0.5, 0.5], rewards=[0.0], choices=2),
        r"rewards must have 2 states on the last axis, got shape \(1,\): pass",
    ),
    (
        lambda: theory.curated_population(3, probabilities=[0.5, 0.6], **CHOICE),
        r"probabilities must add up to 1, got 1.1: pass",
    ),
    (
        lambda: theory.curation_divergence_bound(0.5, choices=0.5),
        r"choices must be finite and at least 1, got 0.5: pass among",
    ),
    (
        lambda: theory.kept_label_error(1.0, keep_correct=0.5, keep_wrong=0.0),
        r"keep_correct and keep_wrong must let some rows pass, got a kept share of 0: raise",
    ),
    (
        lambda: theory.label_error_breakdown(keep_correct=0, keep_wrong=0.2),
        r"keep_correct must be positive and finite, got 0: a verifier",
    ),
    (
        lambda: theory.kernel_variance(1, bandwidth=0.5, memory="window"),
        r'memory must be "last" or "all", got \'window\': name',
    ),
    (
        lambda: theory.row_ages(4, memory="all", real_share=0.2),
        r'real_share must be 0 with memory "all", got 0.2: there',
    ),
    (lambda: theory.row_ages(4, real_share=[0.2]), r"real_share must be one number, got shape"),
    (lambda: theory.kernel_within_variance(1, n=5, bandwidth=-1), r"bandwidth must .* got -1"),
    (
        lambda: theory.empirical_cdf_risk(3, n=5, m=0, real_share=0.1),
        r"m must be finite and at least 1, got 0: pass",
    ),
    (
        lambda: theory.resampled_counts(2, n=4000, probability=0.1),
        r"n must be at most 3000, got 4000: .* use survival_bracket",
    ),
    (
        lambda: theory.resampled_counts(2, n=4, probability=[0.1]),
        r"probability must be one number, got shape \(1,\)",
    ),
    (lambda: theory.absorption_time(1, probability=0.5), r"n must be 2 or more, got 1: one row"),
    (
        lambda: theory.tempered_probabilities(1, probabilities=[0.5, 0.5], temperature=0),
        r"temperature must be positive and finite, got 0: 1 leaves",
    ),
    (
        lambda: theory.urn_variance(3, n=5, start_total=0),
        r"start_total must be positive and finite, got 0: pass",
    ),
    (
        lambda: theory.urn_variance(3, n=5, start_total=1, emission="ensemble(6)"),
        r"at most m members, got ensemble\(6\)",
    ),
    (lambda: theory.dirichlet_stationary(5, prior_total=0), r"prior_total must be positive"),
    (lambda: theory.scale_decay(1, n=1), r"n must be finite and at least 2, got 1: a standard"),
    (
        lambda: theory.narrowed_variance(1, sampling_bias=1.1),
        r"sampling_bias must lie in \[0, 1\], got 1.1: pass the factor",
    ),
    (
        lambda: theory.growing_replace_error(5),
        r"rows must have an axis of generations, got the number 5: pass",
    ),
    (lambda: theory.subsample_error(0.5), r"t must be whole and at least 0, got 0.5"),
    (
        lambda: theory.covariance_risk(3, covariance=[[1, 2], [2, 1]], n=5, m=5, real_share=0.5),
        r"covariance must be a symmetric positive definite matrix, got shape \(2, 2\): pass",
    ),
    (
        lambda: theory.centred_variance_mean(3, n=3, total_weight=9, real_share=0.5),
        r"n must be above 3, got 3: with less weight",
    ),
    (
        lambda: theory.centred_variance_mean(
            3, n=9, total_weight=9, real_share=0.5, emission="ensemble(2)"
        ),
        r"emission must be .* got 'ensemble\(2\)': no law",
    ),
    (
        lambda: theory.fresh_design_error(1, rows=6, features=5),
        r"rows must be at least features \+ 2, got 6: with fewer",
    ),
    (
        lambda: theory.min_norm_error(1, rows=5, features=5),
        r"rows must be below features .* rows 5 with features 5: with more rows",
    ),
    (
        lambda: theory.ridge_law(3, real_share=0.5, **(RIDGE | {"penalty": -1})),
        r"penalty must be finite and at least 0, got -1: pass",
    ),
    (
        lambda: theory.information_trace("probit", coefficients=[1.0]),
        r'family must be "logistic" or "poisson", got \'probit\': name',
    ),
    (
        lambda: theory.information_trace("poisson", coefficients=[11.0]),
        r"coefficients must have a norm of at most 10, got 11: rescale",
    ),
    (
        lambda: theory.iterated_information(1, n=5, prior_weight=1, about="rows"),
        r'about must be "truth" or "first", got \'rows\': name',
    ),
    (
        lambda: theory.iterated_language_rate(1, agreement=0.5, noise=0.1),
        r"prior must lie strictly between 0 and 1, got 1: pass",
    ),
    (
        lambda: theory.combined_variance(1.0, 1.0, members=1),
        r"members must be finite and at least 2, got 1: pass",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSALS)
def test_refusal(call, message):
    with pytest.raises(ValueError, match=message):
        call()
