"""Time several candidates in turn in one process, and print what they took."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Seconds = Mapping[str, NDArray[np.float64]]


def parser(description: str | None, repeats: int) -> argparse.ArgumentParser:
    """Make a parser with the option that all benchmarks share."""
    first = (description or "").partition("\n")[0]
    made = argparse.ArgumentParser(description=first)
    made.add_argument("--repeats", type=int, default=repeats, help="rounds (default: %(default)s)")
    return made


def interleaved(candidates: Mapping[str, Callable[[int], object]], repeats: int) -> Seconds:
    """Time the candidates in turn (A, B, A, B, …).

    Parameters
    ----------
    candidates : mapping of str to callable
        Each is called with the number of the round.
    repeats : int
        Rounds that count; one more before them warms every candidate up.

    Returns
    -------
    mapping of str to ndarray, shape (repeats,)
        Seconds of every round.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(repeats + 1):
        for name, candidate in candidates.items():
            start = time.perf_counter()
            candidate(number)
            seconds[name].append(time.perf_counter() - start)
    return {name: np.array(values[1:]) for name, values in seconds.items()}


def show(title: str, seconds: Seconds, *, unit: str, scale: float) -> None:
    """Print median, fastest and slowest round of every candidate, times `scale`."""
    width = max(map(len, seconds))
    print(f"\n{title}")
    print(f"{unit:>{width}}  {'median':>10}  {'fastest':>10}  {'slowest':>10}")
    for name, values in seconds.items():
        figures = (np.median(values), values.min(), values.max())
        print(f"{name:>{width}}" + "".join(f"  {scale * figure:10.3f}" for figure in figures))


def show_ratio(seconds: Seconds, above: str, below: str, target: str = "") -> None:
    """Print the median over rounds of the ratio of two candidates, and its quartiles."""
    low, middle, high = np.quantile(seconds[above] / seconds[below], [0.25, 0.5, 0.75])
    aim = f"; target: {target}" if target else ""
    print(f"{above} / {below}: {middle:.2f} (quartiles {low:.2f} to {high:.2f}{aim})")
