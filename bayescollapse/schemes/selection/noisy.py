"""A verifier of labels that errs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import integer, real_number
from bayescollapse.rows import Values
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.base import RowSelection
from bayescollapse.schemes.selection.columns import (
    block_shape,
    check_function,
    integer_codes,
    optional_name,
    response_name,
)
from bayescollapse.schemes.selection.row_score import row_scores

__all__ = ["NoisyVerifier"]


@dataclass(frozen=True, repr=False)
class NoisyVerifier(RowSelection):
    r"""Accept a row with one probability if its label is right, and with another if it is wrong.

    Parameters
    ----------
    right : float
        Probability phi of accepting a row with a right label, in [0, 1].
    wrong : float
        Probability psi of accepting a row with a wrong label, in [0, 1]; not both may be 0.
    labels : int, default 2
        Number of labels 0, 1, … that the response takes.
    correct : callable, optional
        ``f(proposed, context) -> ndarray`` of shape (replicate, obs), true where a label is right.
        If not given, a label is right if no other has a higher density under the truth at the same
        covariates: the selection then reads the oracle.
    response : str, optional
        Name of the labels; found where only one variable fits.
    max_proposals : int, default 100
        Proposals per wanted row after which a lineage is marked and goes on.

    Raises
    ------
    ValueError
        If a value is out of range.

    Notes
    -----
    Of emitted rows with a share p of wrong labels, a share p psi + (1 - p) phi is accepted
    (:func:`bayescollapse.theory.kept_share`), and p psi/(p psi + (1 - p) phi) of these are wrong
    (:func:`~bayescollapse.theory.kept_label_error`): less than half as long as p is below
    phi/(phi + psi) (:func:`~bayescollapse.theory.label_error_breakdown`), where the accuracy of the
    next generation jumps.

    References
    ----------
    Feng et al. 2025, arXiv:2406.07515.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.schemes import Context
    >>> from bayescollapse.schemes.selection.noisy import NoisyVerifier
    >>> def truth(rows):
    ...     return np.log(np.where(rows["y"] == 1, 0.9, 0.1))
    >>> context = Context(1, 0, 4, np.random.default_rng(0), true_log_density=truth)
    >>> perfect = NoisyVerifier(right=1.0, wrong=0.0)
    >>> perfect.select({"y": np.array([[1, 0, 0, 1]])}, context)
    array([[ True, False, False,  True]])
    """

    right: float
    wrong: float
    labels: int = 2
    correct: Callable[..., Any] | None = None
    response: str | None = None
    max_proposals: int = 100

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for name in ("right", "wrong"):
            if not 0 <= real_number(name, getattr(self, name)) <= 1:
                raise ValueError(f"{name} must be a probability, got {getattr(self, name)!r}")
        if self.right + self.wrong == 0:
            raise ValueError(
                "right and wrong must not both be 0, which accepts no row: raise one of them"
            )
        integer("labels", self.labels, minimum=2)
        integer("max_proposals", self.max_proposals)
        optional_name("response", self.response)
        if self.correct is not None:
            check_function("correct", self.correct, "f(proposed, context) -> bool (replicate, obs)")

    @property
    def reads_oracle(self) -> bool:  # type: ignore[override]
        """Whether right labels are found from the truth."""
        return self.correct is None or bool(getattr(self.correct, "reads_oracle", False))

    def select(self, rows: Values, context: Context) -> NDArray[np.bool_]:
        """Whether each row is accepted, shape (replicate, obs)."""
        good = self._right(rows, context)
        accept = np.where(good, self.right, self.wrong)
        return np.asarray(context.rng.random(accept.shape) < accept)

    def _right(self, rows: Values, context: Context) -> NDArray[np.bool_]:
        if self.correct is not None:
            return row_scores("correct", self.correct, rows, context) > 0
        name = response_name(rows, self.response)
        codes = integer_codes(rows, name, "response", self.labels)
        if context.true_log_density is None:
            raise ValueError(
                "correct must be given: right labels are found from the truth, and this run does "
                "not know it"
            )
        replicates, m = block_shape(rows)
        # All labels in one call: the rows, once with each label in turn.
        repeated = {k: np.concatenate([v] * self.labels, axis=1) for k, v in rows.items()}
        every = np.repeat(np.arange(self.labels), m).astype(rows[name].dtype)
        repeated[name] = np.broadcast_to(every, (replicates, self.labels * m))
        density = context.true_log_density(repeated).reshape(replicates, self.labels, m)
        own = np.take_along_axis(density, np.broadcast_to(codes, (replicates, m))[:, None], axis=1)
        return np.asarray(own[:, 0] >= density.max(axis=1))
