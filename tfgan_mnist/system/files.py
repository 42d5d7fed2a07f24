"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from tfgan_mnist.system.errors import UNFINISHED, UserError, path_errors

_OUTGOING = ".outgoing-"  # what gives way to a new folder


def check_output(path: Path, flag: str = "--output") -> None:
    """Raises UserError unless a file that a flag names can be written."""
    name = f"{flag}={path}"
    with path_errors(name):
        if path.is_dir() or not path.parent.is_dir():
            what = "is a folder" if path.is_dir() else f"no folder {path.parent}"
            raise UserError(f"{name}: {what}")
        if path.exists() and not path.is_file():
            raise UserError(f"{name}: is no ordinary file")
    if not os.access(path.parent, os.W_OK):
        raise UserError(f"{name}: no permission to write there")


def check_folder(path: Path, flag: str) -> None:
    """Raises UserError unless a folder that a flag names is there."""
    with path_errors(f"{flag}={path}"):
        if not path.is_dir():
            what = "is no folder" if path.exists() else "there is no such folder"
            raise UserError(f"{flag}={path}: {what}")


def read_file(path: Path) -> bytes:
    """What a file holds. A pipe in its place, which would hang, is an OSError too."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "is no ordinary file", str(path))
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Gives a path to write to, which takes the place of ``path`` when that went well.

    The given path has the same ending, for writers that look at it.
    """
    unfinished = path.with_name(UNFINISHED + path.name)
    try:
        yield unfinished
        _sync(unfinished)
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
    _sync(path.parent)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """The same for a folder; one that is there already gives way at the very end."""
    unfinished = path.with_name(UNFINISHED + path.name)
    outgoing = path.with_name(_OUTGOING + path.name)
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    _put_back(outgoing, path)  # an earlier call was killed midway
    _remove(unfinished)
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        for file in unfinished.rglob("*"):
            if file.is_file():
                _sync(file)
        if path.exists():
            os.replace(path, outgoing)
        os.replace(unfinished, path)
        _remove(outgoing)
    except BaseException:
        _put_back(outgoing, path)
        _remove(unfinished)
        raise
    _sync(path.parent)


def tidy(folder: Path) -> None:
    """Removes what killed processes left half written, and puts back what gave way."""
    for outgoing in folder.glob(f"{_OUTGOING}*"):
        _put_back(outgoing, folder / outgoing.name.removeprefix(_OUTGOING))
    for unfinished in folder.glob(f"{UNFINISHED}*"):
        _remove(unfinished)


def _put_back(outgoing: Path, path: Path) -> None:
    """Undoes half an exchange of folders; after a whole one, removes the old one."""
    if outgoing.exists() and not path.exists():
        os.replace(outgoing, path)
    else:
        _remove(outgoing)


def _remove(path: Path) -> None:
    """Removes a file, a link or a folder, if it is there; one more time if refused."""
    for _ in range(2):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
        if not os.path.lexists(path):
            return


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
