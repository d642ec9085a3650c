"""Catalogue of all presets: their laws, and the calls that are listed and checked.

Some papers have no preset: those on metrics of collapse have no loop (Schaeffer et al. 2025,
arXiv:2503.03150; Borji, arXiv:2410.12954); a correction that moves rows instead of choosing among
them is no axis (Gillman et al., arXiv:2402.07087), nor is boosting, which chooses prompts (Amin et
al. 2025, arXiv:2502.08924); the predictives of Polson and Zantedeschi (arXiv:2603.00661) are those
of `fong_holmes_walker` and `accumulate`; further work on curation was known in outline only
(arXiv:2605.23054, 2505.09768, 2605.07724, 2511.12804).

Kernel density estimates that keep the last batch or all of them, whose laws are
:func:`bayescollapse.theory.kernel_variance`, are `replace` and `accumulate` with another model.
"""

from __future__ import annotations

from bayescollapse.schemes.presets.accumulation import (
    amin,
    barzilai_shamir,
    dey_donoho,
    fu,
    gerstgrasser,
    kazdan,
    xu_he_cheng,
)
from bayescollapse.schemes.presets.bayesian import (
    fong_holmes_walker,
    griffiths_kalish,
    kirby_dowman_griffiths,
    reali_griffiths,
    van_breugel,
)
from bayescollapse.schemes.presets.categorical import (
    jangjoo_marsili_roudi,
    marchi,
    seddik,
    suresh,
)
from bayescollapse.schemes.presets.changed import (
    class_balanced,
    edited,
    influential,
    truncated,
)
from bayescollapse.schemes.presets.contamination import (
    SETTINGS,
    bakshi_chakraborty,
    contaminated,
    kanabar_gastpar,
    wang_niu_li,
)
from bayescollapse.schemes.presets.continuous import (
    dohmatob_feng_kempe,
    dohmatob_strong_collapse,
    shumailov,
)
from bayescollapse.schemes.presets.entry import Preset
from bayescollapse.schemes.presets.filtered import (
    curated,
    label_verified,
    verified,
    verified_by,
)
from bayescollapse.schemes.presets.generic import (
    accumulate,
    accumulate_subsample,
    calibrated,
    optimal,
    optimal_by_generation,
    pooled,
    replace,
    weighted,
)
from bayescollapse.schemes.presets.recursion import (
    alemohammad,
    bertrand,
    borkar,
    garg_bhattacharya_sur,
    he_xu_cheng,
    jain_montanari_sasoglu,
    khelifa_turner_venkataramanan,
)
from bayescollapse.schemes.presets.reweighted import density_ratio_weighted, fortifai, toedit
from bayescollapse.schemes.presets.verification import (
    feng,
    ferbach,
    one_for_more,
    ren,
    yi_liu_cheng_xu,
)
from bayescollapse.schemes.selection.rewards import QuadraticReward, TableReward
from bayescollapse.schemes.selection.verifier import VerifierBall

__all__ = ["PRESETS"]

MEAN = "for a Gaussian mean"
CATEGORIES = "for categories"
REWARD = TableReward((0.0, 0.5, 1.0))
CENTRE = QuadraticReward(0.0, 1.0)

GENERIC = (
    Preset(
        accumulate,
        ("accumulate_error", "accumulate_coverage", "kernel_variance"),
        f"{MEAN} without prior, and kernel densities",
    ),
    Preset(
        accumulate_subsample, ("subsample_error",), f"{MEAN}, plug-in emission", ({"rows": 20},)
    ),
    Preset(calibrated, ("mean_risk", "optimal_share"), MEAN),
    Preset(optimal, ("mean_risk", "optimal_share"), MEAN),
    Preset(optimal_by_generation, ("optimal_schedule",), MEAN),
    Preset(pooled, ("mean_risk",), MEAN),
    Preset(
        replace,
        ("replace_error", "replace_coverage", "kernel_variance"),
        f"{MEAN} without prior, and kernel densities",
    ),
    Preset(weighted, ("mean_risk",), MEAN, ({"real_share": 0.7},)),
)

FILTERED = (
    Preset(
        class_balanced,
        remark="the shares are wq + (1-w)/C in expectation; no function of theory",
        examples=({"variable": "y", "categories": 3},),
    ),
    Preset(
        contaminated,
        ("contaminated_risk",),
        CATEGORIES,
        ({"real_share": 0.1, "total": 20},),
    ),
    Preset(
        curated,
        ("curated_population", "curation_gain_bound"),
        f"{CATEGORIES}, many rows",
        ({"reward": REWARD, "among": 2},),
    ),
    Preset(density_ratio_weighted, remark="the classifier has no law"),
    Preset(
        edited,
        ("replace_error",),
        f"{MEAN}, with every row replaced",
        ({"share": 1.0},),
    ),
    Preset(influential, remark="no law known"),
    Preset(
        label_verified,
        ("kept_label_error", "kept_share"),
        "for labels, in one round",
        ({"right": 0.8, "wrong": 0.4},),
    ),
    Preset(
        truncated,
        ("truncated_moments",),
        f"{MEAN}, many rows",
        ({"quantile": 0.75},),
    ),
    Preset(
        verified,
        ("verified_path",),
        f"{MEAN}, plug-in emission",
        ({"radius": 0.1, "slack": 0.8, "bias": 0.1},),
    ),
    Preset(
        verified_by,
        ("truncated_moments",),
        f"{MEAN}, scored by the distance to a centre at the truth, many rows",
        ({"score": CENTRE, "keep": 0.5},),
    ),
)

SHARES = (
    Preset(
        alemohammad,
        ("narrowed_gaussian_law", "narrowed_variance", "fixed_supply_error"),
        "for a Gaussian",
        (
            {"loop": "fresh", "sampling_bias": 0.8},
            {"loop": "fixed"},
            {"loop": "synthetic", "sampling_bias": 0.8, "point": "unbiased"},
        ),
    ),
    Preset(
        bertrand,
        ("fixed_supply_error",),
        MEAN,
        ({"synthetic_per_real": 0.5}, {"synthetic_per_real": 3.0}),
    ),
    Preset(borkar, ("limit_risk",), MEAN, ({"real_share": 0.1},)),
    Preset(
        garg_bhattacharya_sur,
        ("ridge_law", "optimal_schedule"),
        "for ridge regression on one design",
        ({}, {"real_share": 0.618}),
    ),
    Preset(
        he_xu_cheng,
        ("mean_risk", "optimal_share"),
        MEAN,
        ({}, {"real_share": "pooled"}),
    ),
    Preset(
        jain_montanari_sasoglu,
        ("mean_risk",),
        f"{MEAN}, in one round",
        ({"surrogate_share": 0.2},),
    ),
    Preset(
        khelifa_turner_venkataramanan,
        ("kernel_variance",),
        "for kernel densities",
        ({"real_share": 0.3},),
    ),
)

KEPT = (
    Preset(amin, ("linear_oracle",), MEAN, ({}, {"by_age": (1.0, 0.5)})),
    Preset(
        barzilai_shamir,
        ("accumulate_error",),
        f"{MEAN}; the paper's bound is not reproduced",
    ),
    Preset(dey_donoho, ("accumulate_efficiency",), "for exponential families", ({"point": "mle"},)),
    Preset(
        fu,
        ("linear_oracle",),
        f"{MEAN}; the papers' bounds are not reproduced",
        ({"real_share": 0.5},),
    ),
    Preset(
        gerstgrasser,
        ("regression_accumulate_error", "regression_replace_error"),
        "for linear regression on one design",
        ({}, {"accumulate": False}),
    ),
    Preset(
        kazdan,
        ("subsample_error", "accumulated_diversity"),
        "for a Gaussian, many rows where they are subsampled",
        ({"rows": 20}, {"point": "mle"}),
    ),
    Preset(xu_he_cheng, ("growing_replace_error",), MEAN),
)

MIXED = (
    Preset(
        bakshi_chakraborty,
        ("contaminated_risk", "contamination_region"),
        CATEGORIES,
        tuple({"setting": setting, "point": "mle"} for setting in SETTINGS),
    ),
    Preset(
        kanabar_gastpar,
        ("effective_real_rows", "linear_oracle"),
        "order of the best error; this loop for a Gaussian mean",
    ),
    Preset(wang_niu_li, ("linear_oracle",), MEAN),
)

CHOSEN = (
    Preset(
        feng,
        ("kept_label_error", "kept_share", "label_error_breakdown"),
        "for labels, in one round",
        ({"right": 0.8, "wrong": 0.4},),
    ),
    Preset(
        ferbach,
        ("curated_population", "curation_limit"),
        f"{CATEGORIES}, many rows",
        ({"reward": REWARD, "among": 4}, {"reward": REWARD, "real_share": 0.6}),
    ),
    Preset(one_for_more, remark="no law known", examples=({"keep": 0.5},)),
    Preset(
        ren,
        remark="the paper's law is about a hypothesis, not a model",
        examples=({"selection": VerifierBall(0.5, 0.8, centre=0.0)},),
    ),
    Preset(
        yi_liu_cheng_xu,
        ("verified_path", "verified_step", "verified_error_bound"),
        "for linear regression, directions apart",
        ({"radius": 0.1, "bias": 0.1},),
    ),
)

POSTERIORS = (
    Preset(fong_holmes_walker, ("urn_variance_joint",), CATEGORIES),
    Preset(
        griffiths_kalish,
        ("prior_stationary", "dirichlet_stationary", "iterated_language_rate"),
        "for a Gaussian mean, categories, and two languages",
    ),
    Preset(kirby_dowman_griffiths, ("dirichlet_stationary",), CATEGORIES),
    Preset(reali_griffiths, ("dirichlet_stationary",), CATEGORIES),
    Preset(
        van_breugel,
        ("ensemble_mean_variance",),
        f"{MEAN}, in one round",
        ({"members": 4},),
    ),
)

SYMBOLS = (
    Preset(
        jangjoo_marsili_roudi,
        ("resampled_concentration", "dirichlet_law"),
        CATEGORIES,
        ({}, {"real_rows": True}),
    ),
    Preset(
        marchi,
        ("tempered_probabilities",),
        f"{CATEGORIES}, many rows",
        ({"temperature": 0.8}, {"temperature": 0.8, "keep": True}),
    ),
    Preset(
        seddik,
        ("resampled_concentration", "fixed_supply_frequency_error"),
        CATEGORIES,
        ({}, {"real_rows": True}),
    ),
    Preset(suresh, ("survival_bracket", "resampled_counts"), "for two categories"),
)

CONTINUOUS = (
    Preset(
        dohmatob_feng_kempe,
        ("fresh_design_error", "min_norm_error"),
        "for linear regression at new covariates",
    ),
    Preset(
        dohmatob_strong_collapse,
        ("mixture_bias",),
        f"{MEAN}, many rows",
        ({"synthetic_share": 0.2},),
    ),
    Preset(
        fortifai,
        ("truncated_moments",),
        f"{MEAN}, many rows",
        ({}, {"quantile": 0.75}),
    ),
    Preset(
        shumailov,
        ("wasserstein_error", "fixed_supply_error"),
        "for a Gaussian",
        ({"point": "unbiased"}, {"original_share": 0.1}),
    ),
    Preset(
        toedit,
        ("regression_replace_error",),
        "for linear regression, with every row replaced",
        ({}, {"share": 1.0}, {"share": 0.25, "shrink": 0.5}),
    ),
)

PRESETS: tuple[Preset, ...] = tuple(
    sorted(
        (
            *GENERIC,
            *FILTERED,
            *SHARES,
            *KEPT,
            *MIXED,
            *CHOSEN,
            *POSTERIORS,
            *SYMBOLS,
            *CONTINUOUS,
        ),
        key=lambda preset: preset.name,
    )
)
"""All presets, by name."""
