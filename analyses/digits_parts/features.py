r"""Features of a fixed classifier, and the Fréchet distance of images in them.

.. math:: d^2 = \|m_1 - m_2\|^2
    + \mathrm{tr}\bigl(C_1 + C_2 - 2 (C_1^{1/2} C_2 C_1^{1/2})^{1/2}\bigr)

is the squared 2-Wasserstein distance of two normal distributions with the means and covariances of
the features (Heusel et al. 2017, arXiv:1706.08500, with the features of an Inception network). Here
the features are the second hidden layer of a small perceptron trained on real digits, so figures
compare with each other and not with those of other papers.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits_parts.data import load_digits

__all__ = ["features_of", "frechet", "network", "recognised"]

LAYERS = (64, 32)


def frechet(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Squared Fréchet distance of two sets of features, shape (image, feature); at least 0.

    It is too large on average where images are few: two sets of real digits are not at 0.
    """
    gap = first.mean(axis=0) - second.mean(axis=0)
    one, two = np.atleast_2d(np.cov(first.T)), np.atleast_2d(np.cov(second.T))
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ two @ root), 0.0)).sum()
    return float(max(gap @ gap + np.trace(one) + np.trace(two) - 2 * shared, 0.0))


@cache
def network(source: str, binary: bool) -> Any:
    """Perceptron that knows the digits of the part that no generation 0 is drawn from."""
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    other = load_digits(source, binary=binary).other
    with threadpool_limits(1):
        model = MLPClassifier(LAYERS, alpha=1e-2, tol=1e-3, max_iter=500, random_state=0)
        return model.fit(other["y"].to_numpy(), other["label"].to_numpy())


def features_of(model: Any, pixels: NDArray[Any]) -> NDArray[np.float64]:
    """Activations of the last hidden layer, shape (image, feature)."""
    value = np.asarray(pixels, dtype=np.float64)
    for weight, bias in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        value = np.maximum(value @ weight + bias, 0.0)
    return value


def recognised(model: Any, pixels: NDArray[Any], digits: NDArray[np.int64]) -> float:
    """Share of images that the classifier takes for the digit they were made as."""
    return float((model.predict(pixels) == digits).mean())
