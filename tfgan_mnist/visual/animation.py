"""Animated GIFs."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import imageio.v3 as imageio
import numpy as np


def write_gif(
    frames: Sequence[np.ndarray] | np.ndarray,
    path: Path | BinaryIO,
    frames_per_second: float = 5.0,
    hold_last: float = 2.0,
    scale: int = 1,
) -> None:
    """Writes frames as an animation that repeats for ever.

    Args:
      frames: uint8, all of one shape [height, width] or [height, width, 3].
      path: a file's, or a file that is open.
      hold_last: seconds to show the last frame.
      scale: how many times as high and wide they are shown.

    Raises:
      ValueError: if there are no frames.
    """
    if not len(frames):
        raise ValueError("no frames to animate")
    milliseconds = [1000 / frames_per_second] * (len(frames) - 1) + [hold_last * 1000]
    content = imageio.imwrite(
        "<bytes>",
        np.asarray(frames).repeat(scale, axis=1).repeat(scale, axis=2),
        extension=".gif",
        # Pillow wants no list for a single frame.
        duration=milliseconds if len(frames) > 1 else milliseconds[0],
        loop=0,
    )
    # On a full disk imageio itself would print a traceback too.
    path.write_bytes(content) if isinstance(path, Path) else path.write(content)


class Animation:
    """Frames that go round: a notebook shows them, ``save`` writes them.

    Args:
      frames: as for ``write_gif``.
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
        self._write(Path(path))

    def _write(self, path: Path | BinaryIO) -> None:
        rate = self.frames_per_second
        write_gif(self.frames, path, rate, hold_last=1 / rate)

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        file = io.BytesIO()
        self._write(file)
        content = base64.b64encode(file.getvalue()).decode()
        return f'<img src="data:image/gif;base64,{content}">'
