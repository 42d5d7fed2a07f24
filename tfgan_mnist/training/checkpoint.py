"""Checkpoints: one file each, written whole or not at all, and checked when read."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import io
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_mnist.system.errors import (
    NotFiniteError,
    UserError,
    first_line,
    is_out_of_memory,
    os_error,
)
from tfgan_mnist.system.files import atomic_file, read_file

_NAME = re.compile(r"step_(\d{7,10})\.npz", re.ASCII)
CHECKPOINT_NAMES = re.compile(r"step_\d{7,10}\.(npz|damaged)", re.ASCII)
"""Of all that ``Checkpoints`` leaves."""
_DAMAGE = (None, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.ELOOP, errno.EIO)
_FILE = "step_{:07d}.npz"


@dataclasses.dataclass
class State:
    """All that a run needs in order to go on as if it had never stopped.

    Args:
      variables: weights, statistics, averages and optimizer slots, by name.
      step: steps made.
      seconds: time spent on them.
      losses: [steps since the last log line, number of losses], not yet logged.
    """

    variables: Mapping[str, Any]
    step: int = 0
    seconds: float = 0.0
    losses: np.ndarray = dataclasses.field(
        default_factory=lambda: np.zeros([0, 0], np.float32)
    )


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
        arrays: dict[str, Any] = {n: np.asarray(v) for n, v in state.variables.items()}
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise NotFiniteError(f"{name} is not finite after step {state.step:,}")
        arrays = {f"variables/{name}": array for name, array in arrays.items()}
        self.folder.mkdir(exist_ok=True)  # not a run's folder that was deleted
        path = self.folder / _FILE.format(state.step)
        with atomic_file(path) as unfinished:
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

        Files that are not are renamed to ``….damaged``, with a warning, so that they
        neither count among those to keep nor come up again.

        Returns:
          the file, or None if there is none.

        Raises:
          UserError: if there are files, but none is whole and of these variables.
          OSError: if one cannot be read for now: forbidden, too many files open …
          MemoryError: if there is too little memory to read it.
        """
        damaged: dict[Path, str] = {}
        for path in reversed(self.paths()):
            try:
                self.load(path, state)
            except Exception as error:  # a damaged archive can raise anything
                passing = isinstance(error, OSError) and error.errno not in _DAMAGE
                if passing or is_out_of_memory(error):
                    raise
                damaged[path] = _reason(error, path)
                continue
            for bad, reason in damaged.items():
                self.warn(f"{bad} is damaged ({reason}); going back to {path.name}")
                with contextlib.suppress(OSError):  # read-only, say: it stays
                    os.replace(bad, bad.with_suffix(".damaged"))
            return path
        if damaged:
            path, reason = next(iter(damaged.items()))
            raise UserError(
                f"{path}: cannot be read ({reason}), nor can one before it; "
                "--overwrite starts again"
            )
        return None

    def load(self, path: Path, state: State) -> None:
        """Makes a state and its variables those of a file.

        Raises:
          Exception: whatever a damaged file makes of its reader, or ValueError if it is
            of another state: then nothing has changed.
        """
        arrays = self._read(path, state)
        for name, variable in state.variables.items():
            variable.assign(arrays[f"variables/{name}"])
        state.step = int(arrays["step"])
        state.seconds = float(arrays["seconds"])
        state.losses = arrays["losses"]

    @staticmethod
    def _read(path: Path, state: State) -> dict[str, np.ndarray]:
        """The arrays of a file, if they are just those of a state."""
        arrays = _arrays(path)
        found = {name: array.shape for name, array in arrays.items()}
        expected = {
            f"variables/{name}": tuple(variable.shape)
            for name, variable in state.variables.items()
        } | {"step": (), "seconds": (), "losses": found.get("losses")}
        if found != expected:
            odd = {name for name, _ in found.items() ^ expected.items()}
            raise ValueError(
                f"other variables than this run's: {min(odd)}; another version of the "
                "package, or other flags, made it"
            )
        if arrays["losses"].ndim != 2 or arrays["losses"].dtype != np.float32:
            raise ValueError("its losses are no table of numbers")
        for name, variable in state.variables.items():
            if arrays[f"variables/{name}"].dtype != np.asarray(variable).dtype:
                raise ValueError(f"variables/{name} is of another type")
        return arrays


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """What a checkpoint's archive holds, if it is that of the step in its name.

    Raises:
      Exception: whatever a damaged archive makes of its reader.
    """
    with np.load(io.BytesIO(read_file(path))) as file:
        arrays = {name: file[name] for name in file.files}
    step, seconds = int(arrays["step"]), float(arrays["seconds"])
    if step != int(_NAME.fullmatch(path.name)[1]):
        raise ValueError(f"it is of step {step}")
    if not 0.0 <= seconds < np.inf:
        raise ValueError(f"it took {seconds} seconds")
    return arrays


def _reason(error: Exception, path: Path) -> str:
    if isinstance(error, OSError) and error.errno:
        return os_error(error)[0].removeprefix(f"{path}: ")
    return first_line(error)


def variables_of(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A run's variables by name, among what a checkpoint holds."""
    return {
        name.removeprefix("variables/"): array
        for name, array in arrays.items()
        if name.startswith("variables/")
    }


def read_step(folder: Path, step: int) -> dict[str, np.ndarray] | None:
    """The arrays of the checkpoint of a step; None if there is no whole one."""
    path = folder / _FILE.format(step)
    try:
        return _arrays(path)
    except Exception as error:  # not there, or damaged, which can raise anything
        if is_out_of_memory(error):
            raise
        return None


def read_newest(
    folder: Path, warn: Callable[[str], None] = lambda line: None
) -> dict[str, np.ndarray] | None:
    """The arrays of the newest whole checkpoint of a run that others may be writing.

    Args:
      folder: the run's.
      warn: told, in a line, of each file that is passed over.

    Returns:
      ``step``, ``seconds``, and each variable under ``variables/`` and its name; None
      if there is no whole checkpoint.
    """
    for _ in range(3):  # a run that goes on may have replaced all that were listed
        paths = Checkpoints(folder, keep=1).paths()
        damaged = {}
        for path in reversed(paths):
            try:
                arrays = _arrays(path)
            except Exception as error:  # gone meanwhile, or damaged: it can be anything
                if is_out_of_memory(error):
                    raise
                damaged[path] = _reason(error, path)
                continue
            for bad, reason in damaged.items():
                if os.path.lexists(bad):
                    warn(f"{bad} is damaged ({reason}); {path.name} is read")
            return arrays
        if all(path.exists() for path in paths):
            break
    return None
