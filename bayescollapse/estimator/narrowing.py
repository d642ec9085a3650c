"""Sampling bias where there is none: one refusal for all families without location and scale."""

from __future__ import annotations

__all__ = ["refuse_sampling_bias"]


def refuse_sampling_bias(owner: object, sampling_bias: float) -> None:
    """Refuse a sampling bias below 1.

    Parameters
    ----------
    owner : object
        The sampler, which the error names.
    sampling_bias : float
        Factor on the covariance of the noise.

    Raises
    ------
    ValueError
        If it is not 1.
    """
    if sampling_bias != 1:
        raise ValueError(
            f"sampling_bias={sampling_bias!r} cannot narrow the rows of {type(owner).__name__}, "
            "which have no symmetric location and scale: use temperature to sharpen them"
        )
