"""Pictures of points of one and two dimensions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BACKGROUND_PIXELS = 80


def histogram(
    values: np.ndarray,
    density: Callable[[np.ndarray], np.ndarray],
    limits: tuple[float, float],
) -> np.ndarray:
    """A histogram of values over the density that they should have.

    Args:
      values: [count] or [count, 1].
      density: x → probability density.
      limits: of x; values beyond them are not shown, but counted.

    Returns:
      uint8 [400, 500, 3].
    """
    figure = _figure()
    axes = figure.add_subplot()
    values = np.ravel(values)
    bins = np.linspace(*limits, 61)
    weights = np.full(len(values), 1.0 / (len(values) * (bins[1] - bins[0])))
    axes.hist(values, bins, weights=weights, color="0.35", label="generated")
    x = np.linspace(*limits, 200)
    curve = density(x)
    axes.plot(x, curve, color="tab:red", label="target")
    # One scale for every frame of an animation: bars far higher are cut.
    axes.set(xlim=limits, ylim=(0.0, 2.0 * curve.max()))
    axes.set_title(f"mean {values.mean():.3f}, deviation {values.std():.3f}")
    axes.legend(loc="upper right")
    return _pixels(figure)


def scatter(
    real: np.ndarray,
    fake: np.ndarray,
    probability: Callable[[np.ndarray], np.ndarray],
    limits: tuple[tuple[float, float], tuple[float, float]],
) -> np.ndarray:
    """Real points white, generated ones black, over how real D takes each place to be.

    Args:
      real, fake: [count, 2].
      probability: [places, 2] → D's probability [places] that a place is real.
      limits: of x and of y.

    Returns:
      uint8 [400, 500, 3].
    """
    figure = _figure()
    axes = figure.add_subplot()
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
    axes.scatter(*real.T, s=4, color="white", edgecolors="none")
    axes.scatter(*fake.T, s=4, color="black", edgecolors="none")
    axes.set(xlim=limits[0], ylim=limits[1])
    return _pixels(figure)


def _figure() -> Figure:
    figure = Figure(figsize=(5, 4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _pixels(figure: Figure) -> np.ndarray:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
