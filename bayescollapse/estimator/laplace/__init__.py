"""Laplace posteriors: batched Newton on the unconstrained scale, corrected by importance.

Meant for sweeps over models of the size of a generalised linear model. A cell whose Pareto k is
above 0.7 is fitted by NUTS instead, and counted.
"""

from bayescollapse.estimator.laplace.engine import LAPLACE_BLOCK, LaplaceEngine
from bayescollapse.estimator.laplace.fit import LaplaceFit

__all__ = ["LAPLACE_BLOCK", "LaplaceEngine", "LaplaceFit"]
