"""Presets: training loops of the literature, each one value of :class:`Scheme`.

One file per topic; `catalogue` lists them all with their laws, ``bc.schemes.table()`` shows them.
Presets named after papers fix that paper's axes, emission included; the others name a mechanism,
default to joint emission and take other axes as keywords.
"""

__all__: list[str] = []
