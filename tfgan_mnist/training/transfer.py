"""Starting from another run's weights, wherever names and shapes match."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_mnist import pretrained
from tfgan_mnist.serving.saved_model import check_saved_model
from tfgan_mnist.system.errors import UserError, first_line
from tfgan_mnist.system.streams import warn
from tfgan_mnist.training.checkpoint import read_newest, variables_of

SHOWN = 3  # names in the sentence; the rest is counted


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Networks' weights and a game's state by name, without optimizers' slots.

    Args:
      path: a run's folder, whose newest checkpoint is read; a SavedModel's; or the
        name of a model of the package.

    Raises:
      UserError: if there are none that can be read.
    """
    name = f"--init_from={path}"
    if pretrained.is_named(str(path)):
        return pretrained.read_weights(pretrained.find(str(path)))
    if (path / "saved_model.pb").exists():
        check_saved_model(path, name)
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
            raise UserError(
                f"{name}: the SavedModel does not name its weights, as those of this "
                "package do since version 0.2; give the folder of its run"
            )
        return found
    arrays = read_newest(path / "checkpoints", warn)
    if arrays is None:
        raise UserError(f"{name}: holds neither a SavedModel nor a checkpoint of a run")
    found = variables_of(arrays)
    return {name: x for name, x in found.items() if "_optimizer/" not in name}


# As TensorFlow names what ``serving.writer`` stores; a slash in a name becomes ".S".
_PREFIX, _SUFFIX = "variables_by_name/", "/.ATTRIBUTES/VARIABLE_VALUE"


def _name_of(key: str) -> str:
    name = key.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    return name.replace(".S", "/").replace("..", ".")


class Start:
    """Weights of another run for the variables of this one.

    They are read and compared at once, so that nothing of a run need be touched before
    it is known that they fit. A weight average that is not there begins as the weight.

    Args:
      path: as for ``read_weights``.
      variables: of this run, by name. Optimizers' slots are left alone.
      frozen: networks that this run does not train. They must be there whole; averages
        of their weights come first, if there are some.

    Attributes:
      sentence: what is taken and what is not.

    Raises:
      UserError: if the weights cannot be read, or none fits, or not all of the frozen
        networks'.
    """

    def __init__(
        self,
        path: str | Path,
        variables: Mapping[str, Any],
        frozen: Collection[str] = (),
    ):
        weights = read_weights(Path(path))
        wanted = [name for name in variables if "_optimizer/" not in name]
        self._taken, left = {}, []
        for name in wanted:
            network, _, weight = name.partition("/")
            names = [name, f"{network.removesuffix('_average')}/{weight}"]
            if network in frozen:
                names.insert(0, f"{network}_average/{weight}")
            there = next((weights[n] for n in names if n in weights), None)
            shape = tuple(variables[name].shape)
            if there is None:
                left.append(f"{name} (not there)")
            elif there.shape != shape:
                left.append(f"{name} ({list(there.shape)} there, {list(shape)} here)")
            else:
                self._taken[name] = there
        # In part they would mean other things to G than to D.
        parts = [name for name in wanted if name.startswith("clusters/")]
        if missing := [name for name in parts if name not in self._taken]:
            for name in parts:
                if self._taken.pop(name, None) is not None:
                    left.append(f"{name} (without {missing[0]})")
        if lacking := [n for n in left if n.partition("/")[0] in frozen]:
            raise UserError(
                f"--init_from={path}: lacks what this run goes on from and does not "
                f"train, {lacking[0]}"
            )
        if not self._taken:
            raise UserError(
                f"--init_from={path}: none of its weights fits these networks"
            )
        taken = f"took {len(self._taken)} of {len(wanted)} variables"
        self.sentence = f"started from {path}: {taken}"
        if left:
            more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
            self.sentence += f"; not {', '.join(left[:SHOWN])}{more}"

    def assign(self, variables: Mapping[str, Any]) -> None:
        """Gives variables the weights, in place."""
        for name, array in self._taken.items():
            variables[name].assign(array)
