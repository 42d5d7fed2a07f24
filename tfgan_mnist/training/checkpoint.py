"""Checkpoints: one file each, written whole or not at all, and checked when read."""

from __future__ import annotations

import dataclasses
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tfgan_mnist.files import whole_file

_NAME = re.compile(r"step_(\d{7,})\.npz")


@dataclasses.dataclass
class State:
    """All that a run needs in order to go on as if it had never stopped.

    Args:
      variables: weights, statistics, averages and optimizer slots, by name.
      step: steps made.
      seconds: time spent on them.
      losses: [steps since the last log line, number of losses], not yet logged.
    """

    variables: Mapping[str, object]
    step: int = 0
    seconds: float = 0.0
    losses: np.ndarray = dataclasses.field(
        default_factory=lambda: np.zeros([0, 0], np.float32)
    )


class NotFiniteError(Exception):
    """A variable holds a NaN or an infinity; the message says which."""


class Checkpoints:
    """The newest few states of a run, in a folder of ``step_0001000.npz`` files.

    NumPy's archive keeps a CRC of every array, so a torn or damaged file is noticed.

    Args:
      folder: made when first saved to.
      keep: how many files to keep.
      warn: told, in a line, of each file that cannot be read.
    """

    def __init__(self, folder: Path, keep: int, warn: Callable[[str], None] = print):
        self.folder = folder
        self.keep = keep
        self.warn = warn

    def paths(self) -> list[Path]:
        """The files, oldest first."""
        if not self.folder.is_dir():
            return []
        files = {
            int(match[1]): path
            for path in self.folder.iterdir()
            if (match := _NAME.fullmatch(path.name))
        }
        return [files[step] for step in sorted(files)]

    def save(self, state: State) -> Path:
        """Writes a state and forgets the oldest ones.

        Raises:
          NotFiniteError: if a variable is; nothing is written.
          OSError: if it cannot be written (disk full, say); the files there remain.
        """
        arrays = {name: np.asarray(v) for name, v in state.variables.items()}
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise NotFiniteError(name)
        arrays = {f"variables/{name}": array for name, array in arrays.items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"step_{state.step:07d}.npz"
        with whole_file(path) as unfinished:
            np.savez(
                unfinished,
                step=np.int64(state.step),
                seconds=np.float64(state.seconds),
                losses=state.losses,
                **arrays,
            )
        for old in self.paths()[: -self.keep]:
            old.unlink()
        return path

    def restore(self, state: State) -> Path | None:
        """Reads the newest file that is whole into a state and its variables.

        A file that is not whole is renamed to ``….damaged``, with a warning, so that it
        neither counts as one to keep nor comes up again.

        Returns:
          the file, or None if there is none.

        Raises:
          ValueError: if a file is whole but of other networks or optimizers.
        """
        for path in reversed(self.paths()):
            try:
                with np.load(path) as file:
                    arrays = {name: file[name] for name in file.files}
            except (
                OSError,
                ValueError,
                EOFError,
                KeyError,
                zipfile.BadZipFile,
            ) as error:
                self.warn(
                    f"checkpoint {path.name} is damaged ({error}); "
                    "going back to the one before"
                )
                os.replace(path, path.with_suffix(".damaged"))
                continue
            self._assign(state, arrays, path)
            return path
        return None

    @staticmethod
    def _assign(state: State, arrays: dict[str, np.ndarray], path: Path) -> None:
        step, seconds, losses = (arrays.pop(k) for k in ("step", "seconds", "losses"))
        saved = {name.removeprefix("variables/"): a for name, a in arrays.items()}
        shapes = {name: tuple(v.shape) for name, v in state.variables.items()}
        if shapes != {name: array.shape for name, array in saved.items()}:
            odd = sorted(
                name
                for name in shapes.keys() | saved.keys()
                if name not in saved or shapes.get(name) != saved[name].shape
            )
            raise ValueError(f"{path}: other variables than this run's: {odd[0]}")
        for name, variable in state.variables.items():
            variable.assign(saved[name])
        state.step, state.seconds, state.losses = int(step), float(seconds), losses
