"""Progress bars, where somebody looks: at a terminal or in a notebook."""

from __future__ import annotations

from typing import Any

from tqdm.auto import notebook_tqdm, std_tqdm, tqdm

IN_NOTEBOOK = notebook_tqdm is not std_tqdm


def bar(*arguments: Any, **options: Any) -> tqdm:
    """tqdm's bar: a widget in Jupyter, none where stderr is no terminal."""
    # tqdm takes a notebook's output, which is no terminal, for nobody's.
    return tqdm(*arguments, disable=False if IN_NOTEBOOK else None, **options)
