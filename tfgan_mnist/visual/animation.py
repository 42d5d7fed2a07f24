"""Animated GIFs."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import imageio.v3 as imageio
import numpy as np


def gif(
    frames: Sequence[np.ndarray] | np.ndarray,
    frames_per_second: float = 5.0,
    hold_last: float = 2.0,
    scale: int = 1,
) -> bytes:
    """The content of a file of frames that are shown again and again.

    Args:
      frames: uint8, all of one shape [height, width] or [height, width, 3].
      hold_last: seconds to show the last frame.
      scale: how many times as high and wide they are shown.

    Raises:
      ValueError: if there are no frames.
    """
    if not len(frames):
        raise ValueError("no frames to animate")
    milliseconds = [1000 / frames_per_second] * (len(frames) - 1) + [hold_last * 1000]
    return imageio.imwrite(
        "<bytes>",
        np.asarray(frames).repeat(scale, axis=1).repeat(scale, axis=2),
        extension=".gif",
        # Pillow wants no list for a single frame.
        duration=milliseconds if len(frames) > 1 else milliseconds[0],
        loop=0,
    )


class Animation:
    """Frames that go round: a notebook shows them, ``save`` writes them.

    Args:
      frames: as for ``gif``.
      frames_per_second: how many are shown.
    """

    def __init__(
        self, frames: Sequence[np.ndarray] | np.ndarray, frames_per_second: float
    ):
        self.frames = frames
        self.frames_per_second = frames_per_second

    def __repr__(self) -> str:
        seconds = len(self.frames) / self.frames_per_second
        return f"<Animation: {len(self.frames)} frames, {seconds:.1f} s>"

    def save(self, path: str | Path) -> None:
        """Writes a GIF."""
        Path(path).write_bytes(self._content())

    def _content(self) -> bytes:
        rate = self.frames_per_second
        return gif(self.frames, rate, hold_last=1 / rate)

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        content = base64.b64encode(self._content()).decode()
        return f'<img src="data:image/gif;base64,{content}">'
