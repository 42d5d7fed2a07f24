"""Tables of numbers, for a terminal."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def spread(values: Sequence[float], form: str) -> str:
    """The mean (least – greatest) of values, or the value that all of them have."""
    least, mean, greatest = (
        form.format(of(values)) for of in (min, statistics.mean, max)
    )
    return mean if least == greatest else f"{mean} ({least} – {greatest})"


def columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells in columns as wide as their widest."""
    table = [heads, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in table
    ]
    return "\n".join(line.rstrip() for line in lines)
