"""How sharp images are: the size of their steps from pixel to pixel."""

from __future__ import annotations

import numpy as np


def sharpness(images: np.ndarray) -> float:
    """The mean over images of their mean gradient magnitude.

    A gradient is the difference to the pixel on the right and to the one below; the
    last column and row, which lack one of them, have none. Blurred images have less
    than sharp ones of the same things, noise has more.

    Args:
      images: [count, height, width, channels], at least 2×2 pixels, in [0, 1].
    """
    images = images.astype(np.float64)
    here = images[:, :-1, :-1]
    right, below = images[:, :-1, 1:] - here, images[:, 1:, :-1] - here
    return float(np.hypot(right, below).mean())
