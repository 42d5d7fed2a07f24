"""How a command ends early without being broken, and the words for it."""

from __future__ import annotations

import contextlib
import difflib
import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator


class UserError(Exception):
    """Something the user can mend: one line that says what, where and how.

    Commands print it without a traceback and exit with code 2.
    """


class RunStopped(Exception):
    """A run that ended before its last step, with everything saved.

    Args:
      message: one sentence on why, and how to go on.
      exit_code: what the process ends with (128 + signal number, or 1).
    """

    def __init__(self, message: str, exit_code: int = 1):
        super().__init__(message)
        self.exit_code = exit_code


class WorkerLost(RunStopped):
    """A run that ended because another of its workers has gone."""


class NotFiniteError(Exception):
    """A loss or a variable is NaN or infinite; the message says which, and when."""


NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
"""The disk, a file or the user's share of the disk is full."""

UNFINISHED = ".unfinished-"
"""What the name of a file begins with while it is written."""

_REMEDIES = {
    **dict.fromkeys(NO_ROOM, "make room"),
    errno.EROFS: "choose another disk, or make this one writable",
    errno.EACCES: "fix its permissions",
    errno.EPERM: "fix its permissions",
    errno.EISDIR: "move it away",
    errno.ENOTDIR: "move it away",
    errno.EEXIST: "move it away",
    errno.ENOENT: "do not delete or move a folder in use",
    errno.EIO: "check the disk",
    errno.EMFILE: "close files, or raise ulimit -n",
}
_WORDS = {
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EISDIR: "a folder where a file should be",
    errno.ENOTDIR: "a file where a folder should be",
    errno.EEXIST: "a file where a folder should be",
    errno.ENOENT: "is not there, or not any more",
    errno.EIO: "the disk is damaged (input/output error)",
}


def os_error(error: OSError) -> tuple[str, str]:
    """What an OSError means, beginning with the file's name, and what helps."""
    if isinstance(error, shutil.Error):  # of many files, as texts
        *_, (_, copy, text) = error.args[0]
        if number := re.match(r"\[Errno (\d+)\]", str(text)):
            number = int(number[1])
            error = OSError(number, os.strerror(number), copy)
    # Of two names, as of a file that was to get another one, the second is the user's.
    name = error.filename2 or error.filename
    where = f"{os.fspath(name)!s}: " if isinstance(name, (str, os.PathLike)) else ""
    what = _WORDS.get(error.errno, error.strerror or first_line(error))
    if error.errno == errno.EEXIST and where and os.path.islink(name):
        what = "a link that leads nowhere"
    remedy = _REMEDIES.get(error.errno, "see to it")
    return f"{where.replace(UNFINISHED, '')}{what}", remedy


@contextlib.contextmanager
def path_errors(what: str) -> Iterator[None]:
    """Turns an OSError about a path (too long, forbidden …) into a UserError.

    Args:
      what: the flag and its value.
    """
    try:
        yield
    except OSError as error:
        reason, remedy = os_error(error)
        name = what.partition("=")[2]
        reason = reason.removeprefix(f"{name}: ")
        help_ = f"; {remedy}" if error.errno in _REMEDIES else ""
        raise UserError(f"{what}: {reason}{help_}") from None
    except ValueError as error:  # Python's own, of a path that holds a NUL
        if "null" not in str(error):
            raise
        raise UserError(f"{what}: holds a NUL character") from None


def is_out_of_memory(error: Exception) -> bool:
    """Whether it is Python's, NumPy's or TensorFlow's word for too little memory."""
    named = type(error).__name__ == "ResourceExhaustedError"  # it need not be here
    return named or isinstance(error, MemoryError)


def first_line(error: Exception | Warning | str) -> str:
    """What an exception says, in a line that fits into another one."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def nearest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'dcgan'? `` or the list of what there is, for an error line."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(repr(match) for match in close) + "?"
    return "there are: " + ", ".join(known)
