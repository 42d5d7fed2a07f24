"""Pictures of points of one and two dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BACKGROUND_PIXELS = 80

Limits = tuple[tuple[float, float], tuple[float, float]]
"""Of x and of y."""


def histogram(
    values: np.ndarray,
    density: Callable[[np.ndarray], np.ndarray],
    limits: tuple[float, float],
    title: str = "",
) -> np.ndarray:
    """A histogram of values over the density that they should have.

    Args:
      values: [count] or [count, 1].
      density: x → probability density.
      limits: of x; the legend says how many values lie beyond them.
      title: stands before mean and standard deviation.

    Returns:
      uint8 [400, 500, 3].
    """
    figure = _figure()
    axes = figure.add_subplot()
    values = np.ravel(values)
    bins = np.linspace(*limits, 61)
    weights = np.full(len(values), 1.0 / (len(values) * (bins[1] - bins[0])))
    beyond = np.mean((values < limits[0]) | (values > limits[1]))
    label = "generated" + f" ({beyond:.0%} not shown)" * bool(beyond > 0.005)
    axes.hist(values, bins, weights=weights, color="0.35", label=label)
    x = np.linspace(*limits, 200)
    curve = density(x)
    axes.plot(x, curve, color="tab:red", label="target")
    # One scale for every frame of an animation: bars far higher are cut.
    axes.set(xlim=limits, ylim=(0.0, 2.0 * curve.max()))
    facts = [f"mean {values.mean():.3f}", f"std {values.std():.3f}"]
    axes.set_title(", ".join([title, *facts] if title else facts))
    axes.legend(loc="upper right")
    return _pixels(figure)


def scatter(
    real: np.ndarray,
    fake: np.ndarray,
    probability: Callable[[np.ndarray], np.ndarray],
    limits: Limits,
    zoom: Limits | None = None,
    title: str = "",
) -> np.ndarray:
    """Real points white, generated ones black, over how real D takes each place to be.

    Args:
      real, fake: [count, 2].
      probability: [places, 2] → D's probability [places] that a place is real.
      limits: of x and of y.
      zoom: limits of a part to show enlarged beside it.
      title: of the picture.

    Returns:
      uint8 [400, 500, 3], or [400, 900, 3] with an enlarged part.
    """
    figure = _figure(9.0 if zoom else 5.0)
    axes = figure.add_subplot(1, 2 if zoom else 1, 1)
    (left, right), (bottom, top) = limits
    x, y = np.meshgrid(
        np.linspace(left, right, BACKGROUND_PIXELS),
        np.linspace(bottom, top, BACKGROUND_PIXELS),
    )
    places = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    shade = probability(places).reshape(x.shape)
    image = axes.imshow(
        shade,
        origin="lower",
        extent=(left, right, bottom, top),
        aspect="auto",
        interpolation="bilinear",
        cmap="viridis",
        vmin=0.0,
        vmax=1.0,
    )
    figure.colorbar(image, label="D's probability of real")
    shown = [axes]
    axes.set(xlim=limits[0], ylim=limits[1], title=title)
    if zoom:
        shown.append(figure.add_subplot(1, 2, 2))
        shown[1].set(xlim=zoom[0], ylim=zoom[1], title="one mode", facecolor="0.5")
        from matplotlib.patches import Rectangle

        (left, right), (bottom, top) = zoom
        frame = Rectangle((left, bottom), right - left, top - bottom)
        frame.set(fill=False, edgecolor="white")
        axes.add_patch(frame)
    for place in shown:
        place.scatter(*real.T, s=4, color="white", edgecolors="none", label="real")
        place.scatter(*fake.T, s=4, color="black", edgecolors="none", label="generated")
    shown[-1].legend(loc="upper right", facecolor="0.7", markerscale=2)
    return _pixels(figure)


def _figure(inches: float = 5.0) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(inches, 4.0), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _pixels(figure: Figure) -> np.ndarray:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
