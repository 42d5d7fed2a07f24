"""Starting from another run's weights, wherever names and shapes match."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_mnist.system.errors import UserError, first_line
from tfgan_mnist.training.checkpoint import read_newest

SHOWN = 3  # names in the sentence; the rest is counted


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Networks' weights and a game's state by name, without optimizers' slots.

    Args:
      path: a run's folder, whose newest checkpoint is read; or a SavedModel's.

    Raises:
      UserError: if there are none that can be read.
    """
    name = f"--init_from={path}"
    if (path / "saved_model.pb").is_file():
        try:
            reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
            found = {
                _name_of(key): reader.get_tensor(key)
                for key in reader.get_variable_to_shape_map()
                if key.startswith(_PREFIX)
            }
        except Exception as error:  # a damaged file can raise anything
            reason = first_line(error)
            raise UserError(f"{name}: cannot be read ({reason})") from None
        if not found:
            raise UserError(f"{name}: is no SavedModel of this package")
        return found
    arrays = read_newest(path / "checkpoints")
    if arrays is None:
        raise UserError(f"{name}: holds neither a SavedModel nor a checkpoint of a run")
    return {
        key.removeprefix("variables/"): array
        for key, array in arrays.items()
        if key.startswith("variables/") and "_optimizer/" not in key
    }


# As TensorFlow names what ``serving.writer`` stores; a slash in a name becomes ".S".
_PREFIX, _SUFFIX = "variables_by_name/", "/.ATTRIBUTES/VARIABLE_VALUE"


def _name_of(key: str) -> str:
    name = key.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    return name.replace(".S", "/").replace("..", ".")


def start_from(path: str | Path, variables: Mapping[str, Any]) -> str:
    """Gives variables the weights of another run, and says which.

    Args:
      path: as for ``read_weights``.
      variables: by name; changed in place where one of that name and shape is there.
        Optimizers' slots are left alone.

    Returns:
      a sentence on what was taken and what was not.

    Raises:
      UserError: if nothing matches.
    """
    weights = read_weights(Path(path))
    wanted = [name for name in variables if "_optimizer/" not in name]
    taken, left = 0, []
    for name in wanted:
        shape = tuple(variables[name].shape)
        if name not in weights:
            left.append(f"{name} (not there)")
        elif weights[name].shape != shape:
            there = list(weights[name].shape)
            left.append(f"{name} ({there} there, {list(shape)} here)")
        else:
            variables[name].assign(weights[name])
            taken += 1
    if not taken:
        raise UserError(f"--init_from={path}: none of its weights fits these networks")
    sentence = f"started from {path}: took {taken} of {len(wanted)} variables"
    if left:
        more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
        sentence += f"; not {', '.join(left[:SHOWN])}{more}"
    return sentence
