"""Memory: the synthetic batches that a generation is trained on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayescollapse._checks import integer

__all__ = ["Memory", "parse_memory"]


@dataclass(frozen=True)
class Memory:
    """Synthetic batches that a generation is trained on.

    Parameters
    ----------
    kind : {"last", "all", "window", "subsample"}
        The newest batch, all of them, the last `size` batches, or `size` rows drawn uniformly
        without replacement from all synthetic rows and, under ``supply="fixed"``, the original
        real ones.
    size : int, optional
        Batches of a window, or rows of a subsample.

    Examples
    --------
    >>> from bayescollapse.schemes import Memory
    >>> Memory("window", 3)
    Memory('window', 3)
    """

    kind: str = "last"
    size: int | None = None

    def __post_init__(self) -> None:
        """Refuse unknown kinds and missing sizes."""
        if self.kind not in ("last", "all", "window", "subsample"):
            raise ValueError(
                f"memory must be 'last', 'all', 'window(j)' or 'subsample(rows)', got {self.kind!r}"
            )
        if self.kind in ("window", "subsample"):
            integer(f"size of memory {self.kind!r}", self.size)
        elif self.size is not None:
            raise ValueError(f"memory {self.kind!r} takes no size, got {self.size!r}")

    @property
    def label(self) -> str:
        """Name as a person writes it."""
        return self.kind if self.size is None else f"{self.kind}({self.size})"

    def __repr__(self) -> str:
        """Short form."""
        return (
            f"Memory({self.kind!r})" if self.size is None else f"Memory({self.kind!r}, {self.size})"
        )


def parse_memory(value: Memory | str) -> Memory:
    """Read a memory from its label."""
    if isinstance(value, Memory):
        return value
    match = re.fullmatch(r"(window|subsample)\((\d+)\)", str(value))
    return Memory(match[1], int(match[2])) if match else Memory(str(value))
