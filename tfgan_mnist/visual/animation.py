"""Animated GIFs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import imageio.v3 as imageio
import numpy as np


def write_gif(
    frames: Sequence[np.ndarray],
    path: Path,
    frames_per_second: float = 5.0,
    hold_last: float = 2.0,
) -> None:
    """Writes frames as an animation that repeats for ever.

    Args:
      frames: uint8, all of one shape [height, width] or [height, width, 3].
      hold_last: seconds to show the last frame.

    Raises:
      ValueError: if there are no frames.
    """
    if not len(frames):
        raise ValueError("no frames to animate")
    milliseconds = [1000 / frames_per_second] * (len(frames) - 1) + [hold_last * 1000]
    imageio.imwrite(
        path,
        np.stack(frames),
        extension=".gif",
        # Pillow wants no list for a single frame.
        duration=milliseconds if len(frames) > 1 else milliseconds[0],
        loop=0,
    )
