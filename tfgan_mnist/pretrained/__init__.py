"""Trained models that are part of the package: ``NAME.npz`` beside this file.

Each holds what a checkpoint's variables are, without optimizers: networks' weights as
float16 (weight averages in place of weights), a game's state as it is, and the metadata
that its SavedModel would have. ``scripts/experiments/pretrained.py`` makes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_mnist.system.errors import UserError, first_line, nearest
from tfgan_mnist.system.files import atomic_file

FOLDER = Path(__file__).parent
_METADATA = "metadata"


def names() -> list[str]:
    """Of the models that there are."""
    return sorted(path.stem for path in FOLDER.glob("*.npz"))


def is_named(value: str) -> bool:
    """Whether this is a model's name, and not a file's or folder's that is here."""
    return value in names() and not Path(value).exists()


def find(name: str) -> Path:
    """The file of a model. Raises UserError if there is none of this name."""
    if name not in names():
        raise UserError(
            f"--pretrained={name}: there is no such model; {nearest(name, names())}"
        )
    return FOLDER / f"{name}.npz"


def read_metadata(path: Path) -> dict[str, Any]:
    """What made a model, as ``serving.saved_model`` gives it of a SavedModel."""
    return json.loads(str(_arrays(path)[_METADATA]))


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Its weights and state by name; float32 again where they were float16."""
    return {
        name: array.astype(np.float32) if array.dtype == np.float16 else array
        for name, array in _arrays(path).items()
        if name != _METADATA
    }


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """All of a file, whose archive has a checksum of each array."""
    try:
        with np.load(path) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # a damaged archive can raise anything
        reason = first_line(error)
        raise UserError(f"{path}: is damaged ({reason}); install again") from None


def write(
    path: Path,
    networks: Mapping[str, np.ndarray],
    state: Mapping[str, np.ndarray],
    metadata: Mapping[str, Any],
) -> None:
    """Writes a model.

    Args:
      path: the file.
      networks: weights by name, written as float16.
      state: variables of the game, by name.
      metadata: what made it.
    """
    arrays: dict[str, Any] = {
        name: x.astype(np.float16) if x.dtype == np.float32 else x
        for name, x in networks.items()
    }
    arrays |= {**state, _METADATA: np.array(json.dumps(metadata))}
    with atomic_file(path) as unfinished:
        np.savez_compressed(unfinished, **arrays)
