"""Many small images on one sheet."""

from __future__ import annotations

import math

import imageio.v3 as imageio
import numpy as np


def png(pixels: np.ndarray) -> bytes:
    """The content of a PNG file.

    imageio, writing a file itself, prints a traceback if the disk is full.
    """
    return imageio.imwrite("<bytes>", pixels, extension=".png")


def to_bytes(images: np.ndarray) -> np.ndarray:
    """[0, 1] → uint8, rounded to the nearest level."""
    return np.rint(np.clip(images, 0.0, 1.0) * 255.0).astype(np.uint8)


def side_by_side(*images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """A montage in which the first images of all stand together, then the second ones …

    Args:
      images: each [count, height, width, 1 or 3] in [0, 1].
      columns: of those that stand together; by default what makes it about square.
    """
    channels = max(some.shape[-1] for some in images)
    same = [np.repeat(some, channels // some.shape[-1], axis=-1) for some in images]
    together = np.stack(same, axis=1)  # [count, how many, height, width, channels]
    columns = columns or math.ceil(math.sqrt(len(together) / len(same)))
    return montage(together.reshape(-1, *together.shape[2:]), columns * len(same))


def montage(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Images side by side, with grey lines of one pixel between and around them.

    Args:
      images: [count, height, width, 1 or 3] in [0, 1].
      columns: by default what makes the sheet about square.

    Returns:
      uint8 [rows * (height + 1) + 1, columns * (width + 1) + 1] (or with 3 channels);
      lines and empty places are 0.5.

    Raises:
      ValueError: if there are no images, or they are not of that shape.
    """
    if images.ndim != 4 or not len(images) or images.shape[-1] not in (1, 3):
        raise ValueError(f"no montage of images of shape {images.shape}")
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    sheet = np.full(
        [rows * (height + 1) + 1, columns * (width + 1) + 1, channels], 0.5, np.float32
    )
    for i, image in enumerate(images):
        y, x = 1 + i // columns * (height + 1), 1 + i % columns * (width + 1)
        sheet[y : y + height, x : x + width] = image
    return to_bytes(sheet[..., 0] if channels == 1 else sheet)
