"""One's own pictures of two kinds: in pairs, or in two folders that are unrelated.

``pairs:FOLDER`` has folders ``a`` and ``b`` in it, with pictures of the same names, or
pictures that hold both kinds side by side; ``unpaired:FOLDER`` has folders ``a`` and
``b`` with any pictures. What they are is told from names and headers alone, without
TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfgan_mnist.data.images import list_pictures, matched_pictures
from tfgan_mnist.data.pictures import (
    IN_MEMORY,
    Facts,
    Files,
    channels_of,
    fitted,
    opened,
    read_picture,
)
from tfgan_mnist.system import progress
from tfgan_mnist.system.errors import UserError, first_line

Pair = tuple[Path, Path] | tuple[Path]
"""Two pictures, or one that holds both side by side."""


class PairFiles(Files):
    """Pairs of pictures, each read when it is indexed: both kinds as one image's depth.

    Args:
      paths: of the pairs.
      size: height and width that each picture is cropped and resized to.
      channels: 1 for grey, 3 for colour; of either kind.
    """

    def __init__(self, paths: Sequence[Pair], size: int, channels: int):
        super().__init__(paths, size, 2 * channels)

    def read(self, index: int) -> np.ndarray:
        """A pair, uint8 [size, size, 2 * channels]."""
        size, channels = self.shape[2], self.shape[3] // 2
        paths = self.paths[index]
        if len(paths) == 2:
            both = [read_picture(path, size, channels) for path in paths]
        else:
            both = _halves(paths[0], size, channels)
        return np.concatenate(both, axis=-1)


def _halves(path: Path, size: int, channels: int) -> list[np.ndarray]:
    with opened(path) as picture:
        width, height = picture.size
        try:
            return [
                fitted(picture.crop((x, 0, x + width // 2, height)), size, channels)
                for x in (0, width // 2)
            ]
        except Exception as error:  # a damaged file can raise anything
            reason = first_line(error)
            raise UserError(f"{path}: cannot be read ({reason})") from None


def _pairs(place: str) -> list[Pair]:
    """The pairs of a folder."""
    folder, flag = Path(place), "--dataset"
    if (folder / "a").is_dir() and (folder / "b").is_dir():
        return list(matched_pictures(folder / "a", flag, folder / "b", flag))
    for kind, other in ("ab", "ba"):
        if (folder / kind).is_dir():
            raise UserError(
                f"--dataset=pairs:{place}: has a folder {kind}, and lacks its "
                f"counterpart {other}"
            )
    found = list_pictures(folder, flag)
    if not folder.is_dir():
        raise UserError(f"--dataset=pairs:{place}: is a file; give a folder")
    return [(path,) for path in found.values()]


def _look(paths: Sequence[Path]) -> tuple[tuple[int, int], int]:
    """The size of pictures, from all of their headers, and their channels.

    Raises:
      UserError: if one cannot be read, or has another size than the first.
    """
    first, channels = None, 1
    for path in progress.bar(paths, "looking", leave=False, unit="file"):
        with opened(path) as picture:
            first = first or picture.size
            if picture.size != first:
                raise UserError(
                    f"{path}: has {picture.size[0]}×{picture.size[1]} pixels, others "
                    f"{first[0]}×{first[1]}; give one size"
                )
            channels = max(channels, channels_of(picture))
    return first, channels


def describe_pairs(place: str) -> Facts:
    """What ``pairs:PLACE`` holds.

    Raises:
      UserError: if there is no such folder, a picture has no counterpart, cannot be
        read or is of another size than the rest.
    """
    pairs = _pairs(place)
    size, channels = _look([path for pair in pairs for path in pair])
    width, height = size
    if len(pairs[0]) == 1:
        if width != 2 * height:
            raise UserError(
                f"{pairs[0][0]}: has {width}×{height} pixels; give folders a and b in "
                f"{place}, or pictures twice as wide as high that hold both kinds"
            )
        width //= 2
    return {
        "count": len(pairs),
        "image_size": min(width, height),
        "channels": channels,
    }


def load_pairs(
    place: str, data_dir: str, size: int, channels: int
) -> tuple[np.ndarray | PairFiles, None]:
    """The pairs of a folder: uint8 [count, size, size, 2 * channels], the first kind
    before the second."""
    files = PairFiles(_pairs(place), size, channels)
    return _in_memory(files), None


def _in_memory(files: Files) -> np.ndarray | Files:
    """All of them, unless they need more than ``IN_MEMORY`` bytes."""
    return files if np.prod(files.shape) > IN_MEMORY else files[range(len(files))]


def _kinds(place: str) -> list[list[Path]]:
    return [
        list(list_pictures(Path(place, kind), "--dataset").values())
        for kind in ("a", "b")
    ]


def describe_unpaired(place: str) -> Facts:
    """What ``unpaired:PLACE`` holds. Raises UserError as ``describe_pairs``."""
    kinds = _kinds(place)
    sizes, channels = zip(*(_look(paths) for paths in kinds), strict=True)
    return {
        "count": min(map(len, kinds)),
        "image_size": min(side for size in sizes for side in size),
        "channels": max(channels),
    }


def load_unpaired(
    place: str, data_dir: str, size: int, channels: int
) -> tuple[np.ndarray | Files, np.ndarray | Files]:
    """The pictures of both kinds, each uint8 [count, size, size, channels]."""
    return tuple(_in_memory(Files(paths, size, channels)) for paths in _kinds(place))
