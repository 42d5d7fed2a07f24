"""How a command ends early without being broken, and the words for it."""

from __future__ import annotations

import contextlib
import difflib
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


class NotFiniteError(Exception):
    """A loss or a variable is NaN or infinite; the message says which, and when."""


@contextlib.contextmanager
def path_errors(what: str) -> Iterator[None]:
    """Turns an OSError about a path (too long, forbidden …) into a UserError.

    Args:
      what: the flag and its value.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"{what}: {error.strerror or error}") from None


def first_line(error: Exception) -> str:
    """What an exception says, in a line that fits into another one."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def nearest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'dcgan'? `` or the list of what there is, for an error line."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(repr(match) for match in close) + "?"
    return "there are: " + ", ".join(known)
