"""Identity of a PyMC model: its graph with every constant."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["model_identity"]


def model_identity(model: pm.Model) -> str:
    """Text that differs between models with another graph, prior constant or fixed data.

    Parameters
    ----------
    model : pymc.Model
        Any model.
    """
    from pytensor.graph.basic import Constant
    from pytensor.graph.traversal import ancestors

    graph = list(ancestors([*model.basic_RVs, *model.potentials]))
    operations = [str(node.owner.op) for node in graph if node.owner is not None]
    constants = [
        hashlib.sha256(np.ascontiguousarray(node.data).tobytes()).hexdigest()
        for node in graph
        if isinstance(node, Constant) and isinstance(node.data, np.ndarray)
    ]
    return f"{model.str_repr()}|{sorted(operations)}|{sorted(constants)}"
