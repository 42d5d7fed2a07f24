"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tfgan_mnist.system.errors import UserError, path_errors


def check_output(path: Path) -> None:
    """Raises UserError unless a command's ``--output`` can be written."""
    name = f"--output={path}"
    with path_errors(name):
        if path.is_dir() or not path.parent.is_dir():
            what = "is a folder" if path.is_dir() else f"no folder {path.parent}"
            raise UserError(f"{name}: {what}")
    if not os.access(path.parent, os.W_OK):
        raise UserError(f"{name}: no permission to write there")


def check_folder(path: Path, flag: str) -> None:
    """Raises UserError unless a folder that a flag names is there."""
    with path_errors(f"{flag}={path}"):
        if not path.is_dir():
            what = "is no folder" if path.exists() else "there is no such folder"
            raise UserError(f"{flag}={path}: {what}")


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives a path to write to, which takes the place of ``path`` when that went well.

    The given path has the same ending, for writers that look at it.
    """
    unfinished = path.with_name(f".unfinished-{path.name}")
    try:
        yield unfinished
        _sync(unfinished)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync(path.parent)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """The same for a folder; one that is there already gives way at the very end."""
    unfinished = path.with_name(f".unfinished-{path.name}")
    outgoing = path.with_name(f".outgoing-{path.name}")
    if outgoing.exists() and not path.exists():  # an earlier call was killed midway
        os.replace(outgoing, path)
    for left in (unfinished, outgoing):
        shutil.rmtree(left, ignore_errors=True)
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        for file in unfinished.rglob("*"):
            if file.is_file():
                _sync(file)
        if path.exists():
            os.replace(path, outgoing)
        os.replace(unfinished, path)
    except BaseException:
        if outgoing.exists() and not path.exists():
            os.replace(outgoing, path)
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    shutil.rmtree(outgoing, ignore_errors=True)
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Makes what was written outlast a power cut, where the system can."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # not every system opens folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
