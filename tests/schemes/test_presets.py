"""What presets refuse, and the axes that their arguments choose."""

import pytest

import bayescollapse as bc
from bayescollapse.schemes.presets.contamination import SETTINGS
from bayescollapse.schemes.selection.rewards import TableReward

REWARD = TableReward((0.0, 1.0))

GENERIC = {
    "verified": lambda **axes: bc.schemes.verified(0.1, 0.8, **axes),
    "verified_by": lambda **axes: bc.schemes.verified_by(REWARD, 0.5, **axes),
    "label_verified": lambda **axes: bc.schemes.label_verified(0.8, 0.4, **axes),
    "curated": lambda **axes: bc.schemes.curated(REWARD, **axes),
    "truncated": lambda **axes: bc.schemes.truncated(quantile=0.9, **axes),
    "class_balanced": lambda **axes: bc.schemes.class_balanced("y", 2, **axes),
    "influential": lambda **axes: bc.schemes.influential(**axes),
}


@pytest.mark.parametrize("name", GENERIC)
def test_generic_presets_take_other_axes(name):
    assert GENERIC[name]().emission.label == "joint"
    scheme = GENERIC[name](emission="plug-in", supply="fixed", memory="all", total_weight=50.0)
    axes = (scheme.supply, scheme.memory.label, scheme.emission.label)
    assert axes == ("fixed", "all", "plug-in")
    assert scheme.weighting.total_weight == 50.0


@pytest.mark.parametrize("name", ["curated", "truncated", "class_balanced", "influential"])
def test_generic_presets_take_a_real_share(name):
    assert GENERIC[name](supply="fresh", real_share=0.3).weighting.real_share == 0.3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bc.schemes.accumulate(supply="none"), r"fixes \['supply'\]"),
        (lambda: bc.schemes.curated(REWARD, weighting=0.3), r"fixes \['weighting'\]"),
        (lambda: bc.schemes.alemohammad("stale"), "loop must be one of"),
        (lambda: bc.schemes.alemohammad(sampling_bias=1.5), "sampling_bias must lie in"),
        (lambda: bc.schemes.bakshi_chakraborty("slow"), "setting must be one of"),
        (lambda: bc.schemes.bertrand(-1.0), "synthetic_per_real must be 0 or more"),
        (lambda: bc.schemes.jain_montanari_sasoglu(1.2), "surrogate_share must lie in"),
        (lambda: bc.schemes.dohmatob_strong_collapse(-0.1), "synthetic_share must lie in"),
        (lambda: bc.schemes.shumailov(original_share=2.0), "original_share must lie in"),
        (lambda: bc.schemes.van_breugel(0), "members must be"),
        (lambda: bc.schemes.influential(supply="none", real_share=0.5), "needs real rows"),
    ],
)
def test_what_presets_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_of_contamination(setting):
    """Real probability and rows at the second generation, as the paper's exponents give them."""
    supply = bc.schemes.bakshi_chakraborty(setting).supply
    expected = {
        "constant": (0.1, 100),
        "constant, growing": (0.1, 200),
        "none": (0.0, 100),
        "root decay, growing": (2**-0.5, 200),
        "inverse decay": (0.5, 100),
        "inverse decay, growing": (0.5, 100 * 2**1.5),
        "square decay, growing": (0.25, 400),
    }
    for value, wanted in zip((supply.real_share, supply.total), expected[setting], strict=True):
        assert bc.schedules.tabulate("value", value, 2)[1] == pytest.approx(wanted)


def test_real_rows_follow_from_the_arguments():
    schemes = bc.schemes
    assert schemes.shumailov().supply == "none"
    assert schemes.shumailov(original_share=0.1).weighting.real_share == 0.1
    assert schemes.bertrand(0.0).weighting.real_share == 1.0
    assert schemes.ferbach(REWARD).supply == "none"
    assert schemes.ferbach(REWARD, real_share=0.5).supply == "fresh"
    assert schemes.gerstgrasser(accumulate=False) == bc.Scheme(
        supply="none", emission="plug-in", covariates="fixed"
    )
    assert schemes.kazdan() == schemes.accumulate(emission="plug-in")
    assert schemes.griffiths_kalish() == schemes.replace()
    assert schemes.fong_holmes_walker() == schemes.accumulate()
