"""Plots of a run's losses and metrics over its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_curves(
    steps: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    path: Path,
    ylabel: str,
) -> None:
    """Draws named curves over steps, with a legend, into a PNG of 800×500 pixels."""
    figure = _figure(8, 5)
    axes = figure.add_subplot()
    for name, values in curves.items():
        marker = "." if len(steps) < 3 else ""  # a single row is no line
        axes.plot(steps, values, label=name, linewidth=1.2, marker=marker)
    axes.set(xlabel="step", ylabel=ylabel)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, format="png")


def plot_panels(
    steps: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    levels: Mapping[str, float],
    path: Path,
    xlabel: str,
) -> None:
    """Draws each named curve over steps in a panel of its own, into one PNG.

    Args:
      steps: [count].
      curves: by name, [count]; places that are NaN are passed over.
      levels: by name, what real samples reach, as a dashed line; may lack a name.
      path: the file.
      xlabel: what the steps are.
    """
    columns = min(len(curves), 3)
    rows = -(-len(curves) // columns)
    figure = _figure(4 * columns, 2.5 * rows)
    for i, (name, values) in enumerate(curves.items()):
        axes = figure.add_subplot(rows, columns, i + 1)
        known = ~np.isnan(values)
        axes.plot(np.asarray(steps)[known], np.asarray(values)[known], linewidth=1.2)
        if name in levels:
            axes.axhline(levels[name], color="0.4", linestyle="--", linewidth=1.0)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel(xlabel)
        axes.grid(alpha=0.3)
    figure.savefig(path, format="png")


def plot_pair(
    image: np.ndarray, nearest: np.ndarray, errors: np.ndarray, path: Path
) -> None:
    """Draws an image, the sample nearest to it and the error over steps into a PNG.

    Args:
      image, nearest: [height, width, 1 or 3] in [0, 1].
      errors: [steps].
      path: the file.
    """
    figure = _figure(9, 3)
    panels = figure.subplots(1, 3)
    for axes, pixels, title in zip(
        panels[:2], (image, nearest), ("image", "nearest"), strict=True
    ):
        axes.imshow(pixels.squeeze(), cmap="gray", vmin=0.0, vmax=1.0)
        axes.set_title(title)
        axes.set_axis_off()
    panels[2].semilogy(errors)
    panels[2].set(xlabel="step", title="mean squared error")
    panels[2].grid(alpha=0.3)
    figure.savefig(path, format="png")


def _figure(width: float, height: float) -> Figure:
    """An empty one of a size in inches, of 100 pixels each."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=100, layout="constrained")
