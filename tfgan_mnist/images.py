"""Images from files: a folder of pictures, or an array in a ``.npy`` file."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from tqdm import tqdm

from tfgan_mnist.errors import UserError, first_line, naming

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif")


def read_images(path: Path, flag: str) -> np.ndarray:
    """Grey images float32 [count, height, width, 1] in [0, 1].

    Args:
      path: a folder, with all pictures in it and below it, of one size; or a ``.npy``
        file of [count, height, width] or [count, height, width, 1]: whole numbers from
        0 to 255, or floats from 0 to 1.
      flag: what the user gave it as.

    Raises:
      UserError: if it is neither, or holds something else.
    """
    name = f"{flag}={path}"
    with naming(name):
        if path.is_dir():
            images = _read_folder(path, name)
        elif path.suffix == ".npy" and path.is_file():
            images = _read_array(path, name)
        elif path.exists():
            raise UserError(f"{name}: give a folder of pictures, or a .npy file")
        else:
            raise UserError(f"{name}: there is no such file or folder")
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[3] != 1:
        raise UserError(
            f"{name}: holds an array {list(images.shape)}; give [count, height, width] "
            "or [count, height, width, 1]"
        )
    return to_unit_range(images, name)


def to_unit_range(images: np.ndarray, name: str) -> np.ndarray:
    """Images as float32 from 0 to 1: whole numbers are divided by 255.

    Raises:
      UserError: if they are no numbers, or of another range.
    """
    if images.dtype.kind not in "uif":
        raise UserError(f"{name}: holds {images.dtype}, not numbers")
    top = 1.0 if images.dtype.kind == "f" else 255.0
    low, high = (float(f(images)) if images.size else 0.0 for f in (np.min, np.max))
    if not (low >= -1e-3 * top and high <= 1.001 * top):  # NaN is out of range too
        kind = "floats from 0 to 1" if top == 1.0 else "whole numbers from 0 to 255"
        raise UserError(f"{name}: holds values from {low:g} to {high:g}; give {kind}")
    return np.clip(np.asarray(images, np.float32) / np.float32(top), 0.0, 1.0)


def _read_folder(folder: Path, name: str) -> np.ndarray:
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS)
    if not paths:
        raise UserError(f"{name}: holds no pictures ({', '.join(ENDINGS)})")
    images = []
    for path in tqdm(paths, "reading", disable=None, leave=False, unit="file"):
        try:
            image = imageio.imread(path, plugin="pillow", mode="L", index=0)
        except Exception as error:  # a damaged file can raise anything
            reason = first_line(error)
            raise UserError(f"{name}: {path.name} cannot be read ({reason})") from None
        if images and image.shape != images[0].shape:
            raise UserError(
                f"{name}: {path.name} has {image.shape[0]}×{image.shape[1]} pixels, "
                f"others {images[0].shape[0]}×{images[0].shape[1]}; give one size"
            )
        images.append(image)
    return np.stack(images)


def _read_array(path: Path, name: str) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except ValueError as error:
        raise UserError(f"{name}: is no array ({first_line(error)})") from None
