"""Images from files: a folder of pictures, or an array in a ``.npy`` file."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tfgan_mnist.data.pictures import ENDINGS, below, opaque, white_of
from tfgan_mnist.system import progress
from tfgan_mnist.system.errors import UserError, first_line, os_error, path_errors
from tfgan_mnist.system.files import read_file

LIMIT = 10_000


def read_images(path: Path, flag: str, channels: int = 1) -> np.ndarray:
    """Images float32 [count, height, width, channels] in [0, 1].

    Args:
      path: a folder with pictures of one size in it and below it, of which up to
        ``LIMIT`` are read, evenly spaced; or a ``.npy`` file of [count, height, width]
        or [count, height, width, channels]: whole numbers from 0 to 255, or floats from
        0 to 1.
      flag: what the user gave it as.
      channels: 1 if they are to be grey, 3 in colour.

    Raises:
      UserError: if it is neither, or holds something else.
    """
    name = f"{flag}={path}"
    with path_errors(name):
        if path.is_dir():
            images = _read_folder(path, name, channels)
        elif path.suffix == ".npy" and path.is_file():
            images = _read_array(path, name)
        elif path.exists():
            raise UserError(f"{name}: give a folder of pictures, or a .npy file")
        else:
            raise UserError(f"{name}: there is no such file or folder")
    return checked(images, name, channels)


def list_pictures(place: Path, flag: str) -> dict[str, Path]:
    """A picture, or those of a folder and below it, by their names without endings.

    Args:
      place: a file or a folder.
      flag: what the user gave it as.

    Raises:
      UserError: if there are none, or two are alike but for their endings.
    """
    name = f"{flag}={place}"
    with path_errors(name):
        if place.is_file():
            return {place.stem: place}
        if not place.is_dir():
            raise UserError(f"{name}: there is no such file or folder")
        paths = sorted(below(place))
    if not paths:
        raise UserError(f"{name}: holds no pictures ({', '.join(ENDINGS)})")
    found: dict[str, Path] = {}
    for path in paths:
        stem = "-".join(path.relative_to(place).with_suffix("").parts)
        if stem in found:
            raise UserError(
                f"{name}: {path.name} and {found[stem].name} have one name but for the "
                "ending; rename one"
            )
        found[stem] = path
    return found


def matched_pictures(
    place: Path, flag: str, other: Path, other_flag: str
) -> list[tuple[Path, Path]]:
    """Pictures of two folders that have the same names.

    Raises:
      UserError: if one of either has no counterpart, or as ``list_pictures``.
    """
    found, others = list_pictures(place, flag), list_pictures(other, other_flag)
    if place.is_file() and other.is_file():
        return [(place, other)]
    for alone, where in (
        (found.keys() - others.keys(), f"{other_flag}={other}"),
        (others.keys() - found.keys(), f"{flag}={place}"),
    ):
        if alone:
            raise UserError(f"{where}: lacks a picture named {min(alone)}")
    return [(path, others[stem]) for stem, path in found.items()]


def checked(images: np.ndarray, name: str, channels: int = 1) -> np.ndarray:
    """Images [count, height, width] or [count, height, width, channels] as
    ``read_images`` gives them.

    Raises:
      UserError: if they are of another shape or range.
    """
    if images.ndim == 3 and channels == 1:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[3] != channels or not all(images.shape):
        or_so = "[count, height, width] or " if channels == 1 else ""
        raise UserError(
            f"{name}: holds an array {list(images.shape)}; give {or_so}"
            f"[count, height, width, {channels}]"
        )
    if images.dtype.kind not in "uif":
        raise UserError(f"{name}: holds {images.dtype}, not numbers")
    white = white_of(images, f"{name}:", slack=1e-3)
    return np.clip(np.asarray(images, np.float32) / np.float32(white), 0.0, 1.0)


def evenly_spaced(count: int, limit: int) -> np.ndarray:
    """Indices below a count: all of them, or evenly spaced ones up to a limit."""
    return np.linspace(0, count - 1, min(count, limit), dtype=int)


def _read_folder(folder: Path, name: str, channels: int) -> np.ndarray:
    paths = sorted(below(folder))
    if not paths:
        raise UserError(f"{name}: holds no pictures ({', '.join(ENDINGS)})")
    paths = [paths[i] for i in evenly_spaced(len(paths), LIMIT)]
    images = []
    for path in progress.bar(paths, "reading", leave=False, unit="file"):
        try:
            with _picture(path) as file:
                if file.mode.startswith(("I", "F")):  # as grey, these would be white
                    raise ValueError("more than 8 bits a pixel")
                image = np.asarray(opaque(file, channels))
        except Exception as error:  # a damaged file can raise anything
            reason = first_line(error)
            if isinstance(error, OSError) and error.errno:
                reason = os_error(error)[0].removeprefix(f"{path}: ")
            raise UserError(f"{name}: {path.name} cannot be read ({reason})") from None
        if images and image.shape != images[0].shape:
            raise UserError(
                f"{name}: {path.name} has {image.shape[0]}×{image.shape[1]} pixels, "
                f"others {images[0].shape[0]}×{images[0].shape[1]}; give one size"
            )
        images.append(image)
    return np.stack(images)


@contextlib.contextmanager
def _picture(path: Path) -> Iterator[Image.Image]:
    """A picture that is an ordinary file, and not so large that it warns."""
    content = io.BytesIO(read_file(path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Image.open(content) as picture:
            yield picture


def _read_array(path: Path, name: str) -> np.ndarray:
    try:
        found = np.load(path, allow_pickle=False)
    except Exception as error:  # a damaged file can raise anything
        raise UserError(f"{name}: is no array ({first_line(error)})") from None
    if not isinstance(found, np.ndarray):
        raise UserError(f"{name}: is an archive of arrays; give one array")
    return found
