"""Reading reference posteriors, and the diagnostics that they have to pass."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import arviz as az
import numpy as np
import xarray as xr

__all__ = ["PROBABILITIES", "Reference", "checks", "diagnostics", "label", "load", "names"]

HERE = Path(__file__).parent
PROBABILITIES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, eq=False)
class Reference:
    """A reference posterior.

    Parameters
    ----------
    text : dict
        What the JSON file says: data, settings, summary, diagnostics and checks.
    draws : ndarray, shape (chain, draw, parameter)
        Thinned draws.
    """

    text: dict
    draws: np.ndarray

    @property
    def rows(self):
        """Rows as a dataset on ``obs``."""
        data = {name: np.array(value) for name, value in self.text["data"].items()}
        return xr.Dataset({"x": (("obs", "feature"), data["x"]), "y": ("obs", data["y"])})


def names():
    """Names of the stored references."""
    return sorted(path.stem for path in HERE.glob("*.json"))


def load(name):
    """Read a stored reference."""
    text = json.loads((HERE / f"{name}.json").read_text())
    with np.load(HERE / f"{name}.npz") as stored:
        return Reference(text, stored["draws"])


def diagnostics(draws):
    """Worst diagnostics over parameters of draws (chain, draw, parameter)."""
    table = xr.Dataset({"v": (("chain", "draw", "parameter"), np.asarray(draws, dtype=float))})
    centred = draws - draws.mean(axis=(0, 1))
    lag = (centred[:, 1:] * centred[:, :-1]).mean(axis=(0, 1)) / (centred**2).mean(axis=(0, 1))
    return {
        "chains": int(draws.shape[0]),
        "draws": int(draws.shape[1]),
        "largest_rhat": float(az.rhat(table)["v"].max()),
        "smallest_ess_bulk": float(az.ess(table, method="bulk")["v"].min()),
        "smallest_ess_tail": float(az.ess(table, method="tail", prob=(0.05, 0.95))["v"].min()),
        "largest_autocorrelation": float(np.abs(lag).max()),
    }


def checks(figures):
    """What a reference must fulfil, by name.

    R-hat of the run, of at least 20,000 effective draws; stored draws that are as good as
    independent: autocorrelation within 0.05 (3 standard errors of 4,000 independent draws), bulk
    and tail effective sizes of at least 85 % of their number; no divergence; energy that mixes.
    """
    run, stored = figures["run"], figures["stored"]
    number = stored["chains"] * stored["draws"]
    return {
        "rhat below 1.001": run["largest_rhat"] < 1.001,
        "effective draws above 20000": min(run["smallest_ess_bulk"], run["smallest_ess_tail"])
        > 20_000,
        "no divergences": run["divergences"] == 0,
        "E-BFMI above 0.3": run["smallest_ebfmi"] > 0.3,
        "stored rhat below 1.01": stored["largest_rhat"] < 1.01,
        "stored draws independent": stored["largest_autocorrelation"] < 0.05,
        "stored effective draws above 85 %": min(
            stored["smallest_ess_bulk"], stored["smallest_ess_tail"]
        )
        > 0.85 * number,
    }


def label(variable, index, size):
    """Name of a scalar parameter."""
    return variable if size == 1 else f"{variable}[{index}]"
