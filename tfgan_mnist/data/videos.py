"""Frames of a video: a folder of pictures, an animation, a video file or an array."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

from tfgan_mnist.data.images import list_pictures, read_images
from tfgan_mnist.data.pictures import ENDINGS, fitted, opened, read_picture
from tfgan_mnist.system.errors import UserError, first_line, path_errors

ENCODED = (".mp4", ".avi", ".mov", ".mkv", ".webm")
"""How the names of files end that the package av reads."""


def last_frames(place: Path, flag: str, size: int, count: int) -> np.ndarray:
    """The last frames of a video, grey, cropped to squares and resized.

    Args:
      place: a folder, whose pictures are frames in the order of their names (2 before
        10); an animated picture; a video file; or a ``.npy`` file of [frames, height,
        width], which has the size already.
      flag: what the user gave it as.
      size: height and width.
      count: of frames.

    Returns:
      float32 [count, size, size, 1] in [0, 1].

    Raises:
      UserError: if there are fewer, or they cannot be read.
    """
    name = f"{flag}={place}"
    if place.suffix == ".npy" and not place.is_dir():
        found = read_images(place, flag)
        if found.shape[1:3] != (size, size):
            raise UserError(
                f"{name}: holds frames of {found.shape[1]}×{found.shape[2]} pixels; "
                f"the model takes {size}×{size}"
            )
        frames = found[-count:]
    else:
        pixels = [*deque(_frames(place, flag, size, count), maxlen=count)]
        frames = np.asarray(pixels, np.float32) / np.float32(255.0)
    if len(frames) < count:
        raise UserError(
            f"{name}: {len(frames)} frames are too few; to predict the next takes "
            f"{count}"
        )
    return frames


def _in_order(name: str) -> list[str | int]:
    """A name's parts, the numbers in it as numbers."""
    return [
        int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)
    ]


def _frames(place: Path, flag: str, size: int, count: int) -> Iterator[np.ndarray]:
    """At least the last so many, each uint8 [size, size, 1]."""
    name = f"{flag}={place}"
    with path_errors(name):
        if place.is_dir():
            pictures = list_pictures(place, flag)
            for frame in sorted(pictures, key=_in_order)[-count:]:
                yield read_picture(pictures[frame], size, 1)
        elif not place.exists():
            raise UserError(f"{name}: there is no such file or folder")
        elif place.suffix.lower() in ENDINGS:
            with opened(place, animated=True) as picture:
                yield from _decoded(ImageSequence.Iterator(picture), name, size)
        elif place.suffix.lower() in ENCODED:
            yield from _decoded(_encoded(place, name), name, size)
        else:
            raise UserError(
                f"{name}: give a folder of pictures, a .gif, a .npy or a video "
                f"({', '.join(ENCODED)})"
            )


def _encoded(path: Path, name: str) -> Iterator[Image.Image]:
    import imageio.v3 as imageio

    try:
        with imageio.imopen(path, "r", plugin="pyav") as video:
            yield from map(Image.fromarray, video.iter())
    except ImportError:
        raise UserError(
            f"{name}: a video needs the package av: pip install '.[video]'; or give a "
            ".gif or a folder of pictures"
        ) from None


def _decoded(frames: Iterator[Image.Image], name: str, size: int):
    try:
        for frame in frames:
            yield fitted(frame, size, 1)
    except UserError:
        raise
    except Exception as error:  # a damaged file can raise anything
        raise UserError(f"{name}: cannot be read ({first_line(error)})") from None
