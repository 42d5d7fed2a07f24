"""Plots of a run's figures over its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure


def plot_curves(
    steps: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    path: Path,
    ylabel: str,
    title: str = "",
) -> None:
    """Draws named curves over steps, with a legend, into a PNG of 800×500 pixels."""
    figure = Figure(figsize=(8, 5), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    for name, values in curves.items():
        axes.plot(steps, values, label=name, linewidth=1.2)
    axes.set(xlabel="step", ylabel=ylabel, title=title)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, format="png")
