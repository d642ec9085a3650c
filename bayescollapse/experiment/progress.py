"""Progress: what is running, how far it is and how long it will take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Progress", "show_progress"]


class Progress(Protocol):
    """Receives the generations that are done."""

    def advance(self, label: str, generations: int = 1) -> None:
        """Count finished generations of a block of a scheme."""


class Silent:
    """Progress that shows nothing."""

    def advance(self, label: str, generations: int = 1) -> None:
        """Do nothing."""


@contextmanager
def show_progress(total: int, *, title: str, shown: bool) -> Iterator[Progress]:
    """Progress bar with the running scheme, elapsed and remaining time.

    Parameters
    ----------
    total : int
        Generations to come, over all schemes and blocks.
    title : str
        What the experiment is.
    shown : bool
        Whether to draw anything.
    """
    if not shown:
        yield Silent()
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        transient=True,
    )

    class Shown:
        def advance(self, label: str, generations: int = 1) -> None:
            bar.update(task, advance=generations, description=f"{title}: {label}")

    with bar:
        task = bar.add_task(title, total=total)
        yield Shown()
