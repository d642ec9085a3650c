"""Influence: the rows kept are the outermost ones on the side where the real rows are."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import bdtr, ndtr

import bayescollapse as bc
from bayescollapse.models import gaussian_mean
from bayescollapse.schemes.selection.influence import Influence
from tests.laws.support import assert_mean, posterior_mean, sweep

ROWS, KEEP = 24, 0.6
PROPOSED = 40


@dataclass(frozen=True, repr=False)
class Opposite(Influence):
    """Mutation: keep the rows of least influence."""

    def select(self, rows, context):
        return super().select({name: -value for name, value in rows.items()}, context)


@dataclass(frozen=True, repr=False)
class More(Influence):
    """Mutation: propose more rows than the share says."""

    def proposals(self, m):
        return 2 * super().proposals(m)


def top_mean(proposed, kept):
    """Mean of the `kept` largest of `proposed` standard normals (exact)."""

    def integrand(z):
        density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
        return z * density * bdtr(kept - 1, proposed - 1, ndtr(-z))

    return proposed / kept * quad(integrand, -12, 12, epsabs=1e-12)[0]


def shifts(selection, replicates):
    """Kept rows' mean less the emitting point, signed to the real rows' side (case,).

    Generation 0 rests on the real rows alone. At generations 1 and 2 lineages are taken whose real
    mean lies at least half a posterior sd from the emitting posterior: the sign of a covariance
    over 400 draws is then wrong with a probability below 1e-6.
    """
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.weighted(0.5, selection=selection, emission="plug-in"),
        n_real=ROWS,
        generations=4,
        replicates=replicates,
        keep_rows="all",
        seed=53,
    )
    centre = posterior_mean(run, "mu")
    sd = run["summary"]["mu"].isel(scheme=0).sel(statistic="sd").to_numpy()
    rows, out = run["rows"].to_dataset(), []
    real, generation = rows["real"].to_numpy(), rows["generation"].to_numpy()
    order = np.argsort(rows["replicate"].to_numpy(), kind="stable")
    for t in (1, 2):
        own = order[(real & (generation == t))[order]]
        kept = order[(~real & (generation == t + 1))[order]]
        y = rows["y"].to_numpy()
        away = y[own].reshape(replicates, -1).mean(axis=1) - centre[:, t]
        shift = y[kept].reshape(replicates, -1).mean(axis=1) - centre[:, t]
        far = np.abs(away) > 0.5 * sd[:, t]
        out.append((np.sign(away) * shift)[far])
    return np.concatenate(out)


@pytest.mark.parametrize("replicates", [400, pytest.param(4000, marks=pytest.mark.verification)])
def test_the_outermost_rows_on_the_real_side_are_kept(replicates):
    """One comparison at 4 MCSE: false alarm below 1e-4."""
    assert_mean(shifts(Influence(KEEP, draws=400), replicates), top_mean(PROPOSED, ROWS))


@pytest.mark.parametrize("mutation", [Opposite(KEEP, draws=400), More(KEEP, draws=400)])
def test_the_law_fails_for_other_choices(mutation):
    with pytest.raises(AssertionError, match="MCSE"):
        assert_mean(shifts(mutation, 400), top_mean(PROPOSED, ROWS))


def test_half_of_the_rows_have_the_mean_that_the_docstring_names():
    assert top_mean(2000, 1000) == pytest.approx(0.80, abs=0.005)


def test_keeping_all_is_the_plain_scheme():
    schemes = {
        "all": bc.schemes.weighted(0.5),
        "influence": bc.schemes.weighted(0.5, selection=Influence(keep=1.0)),
    }
    run = sweep(
        gaussian_mean.estimator(), bc.Truth(mu=0.0), schemes, n_real=20, generations=4, replicates=9
    )
    np.testing.assert_array_equal(
        posterior_mean(run, "mu", "influence"), posterior_mean(run, "mu", "all")
    )
