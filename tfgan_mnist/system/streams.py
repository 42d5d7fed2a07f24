"""Standard streams that may be closed, full, left by their reader, or plain ASCII."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import sys
from typing import TextIO


class Tolerant(io.FileIO):
    """A file descriptor that takes what it can: what is lost ends nobody's work.

    Attributes:
      lost: the first error there was, but for a reader that has left.
    """

    lost: OSError | None = None

    def write(self, some: bytes) -> int:
        try:
            # None: it would have to wait, as a terminal shared over a network may.
            while (written := super().write(some)) is None:
                select.select([], [self], [])
            return written
        except OSError as error:
            if error.errno != errno.EPIPE:
                self.lost = self.lost or error
            return len(some)


_OPENED: dict[str, Tolerant] = {}


def open_streams() -> None:
    """Makes stdout and stderr the process's own ``Tolerant`` ones, once.

    A descriptor that is closed is opened on nothing: the next file to be opened would
    get its number, and what libraries print would go into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
        stream = getattr(sys, name)
        if not number or name in _OPENED or stream is not getattr(sys, f"__{name}__"):
            continue
        if stream is not None:
            stream.flush()
        _OPENED[name] = raw = Tolerant(number, "w", closefd=False)
        text = io.TextIOWrapper(
            io.BufferedWriter(raw),
            encoding=stream.encoding if stream else "utf-8",
            errors="backslashreplace",
            line_buffering=number == 2 or raw.isatty(),
        )
        setattr(sys, name, text)


def say(line: str, stream: TextIO | None = None) -> None:
    """Prints a line, to stdout unless told otherwise, if somebody is there to hear."""
    with contextlib.suppress(OSError, ValueError):  # left or full; closed
        print(line, file=stream, flush=True)


def warn(message: str) -> None:
    """Prints a warning in one line, if there is somebody to hear it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(f"warning: {message}", file=sys.stderr, flush=True)


def lost() -> OSError | None:
    """Why some of stdout was lost, if it was, and not because its reader has left."""
    sys.stdout.flush()
    return _OPENED["stdout"].lost if "stdout" in _OPENED else None
