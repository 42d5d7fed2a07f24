"""One's own images: a folder of pictures, or arrays in an ``.npz`` file.

What they are is told from names and headers alone (``describe…``), without TensorFlow;
then they are cropped to a square around their middle and resized.
"""

from __future__ import annotations

import copy
import os
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from tfgan_mnist.system import progress
from tfgan_mnist.system.errors import UserError, first_line, path_errors

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
PEEKED = 1_000
"""Pictures whose headers are looked at before anything is trained, evenly spaced."""
MOST_PIXELS = 50_000_000
"""A larger picture is refused before it is decoded."""
IN_MEMORY = 2 * 2**30
"""Bytes of images kept in memory; pictures that need more are read when needed."""
MOST_CLASSES = 1_000

Facts = dict[str, Any]
"""What ``registry.DataSet`` says of a data set, by the names of its fields."""


class Files:
    """The pictures of a folder, each read when it is indexed.

    Args:
      paths: of the pictures.
      size: height and width that each is cropped and resized to.
      channels: 1 for grey, 3 for colour.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, paths: Sequence[Path], size: int, channels: int):
        self.paths = paths
        self.shape = (len(paths), size, size, channels)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """uint8 [n, size, size, channels], with a progress bar.

        Raises:
          UserError: if one cannot be read.
        """
        found = np.empty([len(indices), *self.shape[1:]], np.uint8)
        # Decoding leaves Python's lock, so that threads share the work.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            images = pool.map(self.read, indices)
            bar = progress.bar(images, "reading", len(found), leave=False, unit="file")
            for i, image in enumerate(bar):
                found[i] = image
        return found

    def part(self, indices: Sequence[int] | np.ndarray) -> Files:
        """Some of them."""
        found = copy.copy(self)
        found.paths = [self.paths[i] for i in indices]
        found.shape = (len(indices), *self.shape[1:])
        return found

    def read(self, index: int) -> np.ndarray:
        """One of them, uint8 [size, size, channels]."""
        return read_picture(self.paths[index], *self.shape[2:])


def describe_folder(place: str) -> Facts:
    """What ``folder:PLACE`` holds; its sub-folders with pictures, if several, are
    classes.

    Raises:
      UserError: if it is no folder, holds too little, or something unfit.
    """
    name = f"--dataset=folder:{_shown(place)}"
    paths, _, classes = _listed(place, name)
    chosen = np.linspace(0, len(paths) - 1, min(len(paths), PEEKED), dtype=int)
    sides, colours = [], {}
    for path in (paths[i] for i in chosen):
        with opened(path) as picture:
            sides.append(min(picture.size))
            colours.setdefault(channels_of(picture), path)
    return {
        "count": len(paths),
        "classes": len(classes),
        "class_names": classes,
        "image_size": min(sides),
        "channels": 0 if len(colours) > 1 else min(colours),
    }


def load_folder(
    place: str, data_dir: str, size: int, channels: int
) -> tuple[np.ndarray | Files, np.ndarray | None]:
    """The pictures of a folder, sorted by name, and their classes if there are some.

    Args:
      place: the folder.
      data_dir: not needed.
      size, channels: what they are made to be.

    Returns:
      uint8 [count, size, size, channels], or ``Files`` if that would take more than
      ``IN_MEMORY`` bytes; and int32 [count] or None.

    Raises:
      UserError: if one cannot be read.
    """
    paths, labels, classes = _listed(place, f"--dataset=folder:{_shown(place)}")
    files = Files(paths, size, channels)
    if np.prod(files.shape) > IN_MEMORY:
        for path in progress.bar(paths, "looking", leave=False, unit="file"):
            with opened(path):
                pass
        return files, labels if classes else None
    return files[range(len(files))], labels if classes else None


def describe_arrays(place: str) -> Facts:
    """What an ``.npz`` file holds: ``images`` and, if they are there, ``labels``.

    Raises:
      UserError: if it holds something else.
    """
    name = f"--dataset={_shown(place)}"
    with path_errors(name):
        shape, dtype = _header(place, name)
    channels = shape[3] if len(shape) == 4 else 1
    if len(shape) not in (3, 4) or channels not in (1, 3) or not all(shape):
        raise UserError(
            f"{name}: images has the shape {list(shape)}; give [count, height, width], "
            "or [count, height, width, 1 or 3]"
        )
    if dtype.kind not in "uif":
        raise UserError(f"{name}: images holds {dtype}, not numbers")
    if shape[0] < 2:
        raise UserError(f"{name}: holds one image; a GAN learns from many")
    labels = _labels(place, name, shape[0])
    return {
        "count": shape[0],
        "classes": 0 if labels is None else int(labels.max()) + 1,
        "image_size": min(shape[1:3]),
        "channels": channels,
    }


def load_arrays(
    place: str, data_dir: str, size: int, channels: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """The images of an ``.npz`` file and their labels, as ``load_folder`` gives them.

    Raises:
      UserError: if they are not in range, or need more than ``IN_MEMORY`` bytes.
    """
    name = f"--dataset={_shown(place)}"
    shape, dtype = _header(place, name)
    stored = int(np.prod(shape)) * dtype.itemsize
    size_in_memory = max(stored, shape[0] * size * size * channels)
    if size_in_memory > IN_MEMORY:
        raise UserError(
            f"{name}: images takes {size_in_memory:,} bytes, more than the "
            f"{IN_MEMORY:,} that are kept in memory; write them as a folder of "
            "pictures, which are read when they are needed"
        )
    try:
        with np.load(place, allow_pickle=False) as file:
            images = file["images"]
    except Exception as error:  # a damaged file can raise anything
        raise UserError(f"{name}: cannot be read ({first_line(error)})") from None
    images = images[..., np.newaxis] if images.ndim == 3 else images
    images = as_bytes(images, name)
    found = np.empty([len(images), size, size, channels], np.uint8)
    for i, image in enumerate(
        progress.bar(images, "resizing", leave=False, unit="image")
    ):
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        found[i] = fitted(picture, size, channels)
    return found, _labels(place, name, len(images))


def as_bytes(images: np.ndarray, name: str) -> np.ndarray:
    """Images of whole numbers from 0 to 255, or of floats from 0 to 1, as uint8.

    Raises:
      UserError: if they are out of range.
    """
    top = white_of(images, f"{name}: images")
    if images.dtype == np.uint8:
        return images
    return np.rint(images * (255.0 / top)).astype(np.uint8)


def white_of(images: np.ndarray, name: str, slack: float = 0.0) -> float:
    """What white is in images: 255 in those of whole numbers, 1 in those of floats.

    Raises:
      UserError: if they go beyond it, or below black, by more than that share of it; or
        if they are whole numbers of which the greatest is 1.
    """
    white = 1.0 if images.dtype.kind == "f" else 255.0
    low, high = float(images.min()), float(images.max())
    fits = low >= -slack * white and high <= (1.0 + slack) * white  # NaN does not
    if not fits or (white == 255.0 and high == 1.0):
        kind = "floats from 0 to 1" if white == 1.0 else "whole numbers from 0 to 255"
        raise UserError(f"{name} holds values from {low:g} to {high:g}; give {kind}")
    return white


def read_picture(path: Path, size: int, channels: int) -> np.ndarray:
    """A picture's middle, resized: uint8 [size, size, channels].

    Raises:
      UserError: if it cannot be decoded.
    """
    with opened(path) as picture:
        # A JPEG is decoded at a fraction of its size where that is enough.
        picture.draft(None, (2 * size, 2 * size))
        try:
            return fitted(ImageOps.exif_transpose(picture), size, channels)
        except Exception as error:  # a damaged file can raise anything
            raise UserError(
                f"{_shown(path)}: cannot be read ({first_line(error)})"
            ) from None


def fitted(picture: Image.Image, size: int, channels: int) -> np.ndarray:
    """Cropped to a square around its middle and resized, as uint8 [size, size, c].

    Bilinear, with anti-aliasing where it shrinks. What is transparent becomes black.
    """
    picture = opaque(picture, channels)
    picture = ImageOps.fit(picture, (size, size), Image.Resampling.BILINEAR)
    return np.asarray(picture).reshape(size, size, channels)


def opaque(picture: Image.Image, channels: int) -> Image.Image:
    """Grey (1 channel) or of three channels, on black where it is transparent."""
    if picture.has_transparency_data:
        black = Image.new("RGBA", picture.size, "black")
        picture = Image.alpha_composite(black, picture.convert("RGBA"))
    return picture.convert("L" if channels == 1 else "RGB")


def opened(path: Path, animated: bool = False) -> Image.Image:
    """A picture whose header was read, animated only if it may be.

    Raises:
      UserError: if it is unfit.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(path)
    except Image.DecompressionBombError:
        reason = f"has more than {MOST_PIXELS:,} pixels"
        raise UserError(f"{_shown(path)}: {reason}; make it smaller") from None
    except Exception as error:  # a damaged file can raise anything
        reason = first_line(error)
        if isinstance(error, OSError) and error.strerror:
            reason = error.strerror
        elif isinstance(error, Image.UnidentifiedImageError):
            reason = "no picture, whatever its name says"
        raise UserError(f"{_shown(path)}: cannot be read ({reason})") from None
    width, height = picture.size
    unfit = ""
    if width * height > MOST_PIXELS:
        unfit = f"has {width:,} × {height:,} pixels, more than {MOST_PIXELS:,}"
    elif getattr(picture, "is_animated", False) and not animated:
        unfit = "is animated; keep one frame of it"
    elif picture.mode.startswith(("I", "F")):  # as bytes, these would be white
        unfit = "has more than 8 bits a channel; convert it"
    if unfit:
        picture.close()
        raise UserError(f"{_shown(path)}: {unfit}, or take it out of the folder")
    return picture


def channels_of(picture: Image.Image) -> int:
    return 1 if picture.mode in ("1", "L", "LA", "La") else 3


def _listed(
    place: str, name: str
) -> tuple[list[Path], np.ndarray | None, tuple[str, ...]]:
    """The pictures of a folder, sorted; and if it has classes their labels and names.

    Hidden files and folders are passed over, as are files with other endings.
    """
    folder = Path(place)
    with path_errors(name):
        if not folder.is_dir():
            what = "is no folder" if folder.exists() else "there is no such folder"
            raise UserError(f"{name}: {what}")
        paths = sorted(below(folder))
    if not paths:
        raise UserError(f"{name}: holds no pictures ({' '.join(ENDINGS)})")
    if len(paths) < 2:
        raise UserError(f"{name}: holds one picture; a GAN learns from many")
    inside = [path.relative_to(folder).parts for path in paths]
    for parts in inside:
        try:
            os.path.join(*parts).encode()
        except UnicodeEncodeError:
            shown = _shown(os.path.join(*parts))
            raise UserError(f"{name}: {shown} is no UTF-8; rename it") from None
    classes = tuple(sorted({parts[0] for parts in inside if len(parts) > 1}))
    if len(classes) < 2:  # all in one sub-folder, say
        return paths, None, ()
    alone = next((parts[0] for parts in inside if len(parts) == 1), None)
    if alone:
        raise UserError(
            f"{name}: {alone} is in no sub-folder, but others are, and sub-folders are "
            "classes; move it into one"
        )
    if len(classes) > MOST_CLASSES:
        raise UserError(f"{name}: {len(classes):,} classes; at most {MOST_CLASSES:,}")
    numbers = {name: i for i, name in enumerate(classes)}
    return paths, np.array([numbers[p[0]] for p in inside], np.int32), classes


def below(folder: Path) -> Iterator[Path]:
    """The pictures in a folder and below it; hidden files and folders are passed over.

    Raises:
      OSError: if a folder cannot be read.
    """

    def raise_it(error: OSError):
        raise error

    for place, folders, files in os.walk(folder, onerror=raise_it):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.lower().endswith(ENDINGS) and not name.startswith("."):
                yield Path(place, name)


def _shown(path: str | Path) -> str:
    """A path that can be printed, whatever its bytes are."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _header(place: str, name: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of ``images`` in an ``.npz`` file, which is not read further."""
    if not Path(place).is_file():
        raise UserError(f"{name}: there is no such file")
    try:
        with zipfile.ZipFile(place) as archive:
            members = archive.namelist()
            if "images.npy" in members:
                with archive.open("images.npy") as file:
                    version = np.lib.format.read_magic(file)
                    read = {
                        (1, 0): np.lib.format.read_array_header_1_0,
                        (2, 0): np.lib.format.read_array_header_2_0,
                    }[version]
                    shape, _, dtype = read(file)
                    return shape, dtype
    except Exception as error:  # a damaged file can raise anything
        raise UserError(f"{name}: cannot be read ({first_line(error)})") from None
    found = ", ".join(member.removesuffix(".npy") for member in members) or "nothing"
    raise UserError(f"{name}: holds {found}; it must hold images, and may hold labels")


def _labels(place: str, name: str, count: int) -> np.ndarray | None:
    """``labels`` int32 [count] of an ``.npz`` file, if it holds them."""
    try:
        with np.load(place, allow_pickle=False) as file:
            if "labels" not in file:
                return None
            labels = file["labels"]
    except Exception as error:  # a damaged file can raise anything
        raise UserError(f"{name}: cannot be read ({first_line(error)})") from None
    if labels.shape != (count,) or labels.dtype.kind not in "ui":
        raise UserError(
            f"{name}: labels are {labels.dtype} {list(labels.shape)}; give one whole "
            f"number for each of the {count:,} images"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= MOST_CLASSES:
        raise UserError(
            f"{name}: labels go from {low} to {high}; give classes from 0 on, at most "
            f"{MOST_CLASSES:,} of them"
        )
    missing = np.setdiff1d(np.arange(high + 1), labels)
    if len(missing):
        raise UserError(
            f"{name}: labels go from 0 to {high}, but no image is of class "
            f"{missing[0]}; number the classes without gaps"
        )
    return labels.astype(np.int32) if high else None
