"""Ctrl-C, SIGTERM and SIGHUP at a moment of our choosing, and never lost."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

ENDING = tuple(
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    if name in signal.Signals.__members__
)
"""What asks a program to end: Ctrl-C, ``kill``, and a terminal that is closed."""


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP, felt as Ctrl-C is, so that what is half written is removed.

    Args:
      number: the signal's.
    """

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


def number_of(interrupt: KeyboardInterrupt) -> int:
    """The number of the signal that an interrupt stands for."""
    return getattr(interrupt, "number", int(signal.SIGINT))


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """In the block SIGTERM and SIGHUP raise ``Terminated``, unless they are ignored."""

    def end(number: int, frame: object) -> None:
        raise Terminated(number)

    before = {
        which: signal.signal(which, end)
        for which in ENDING[1:]
        if signal.getsignal(which) == signal.SIG_DFL
    }
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


@contextlib.contextmanager
def caught(*signals: signal.Signals) -> Iterator[list[int]]:
    """Yields a list that gets the number of the first of these signals.

    A second one acts as it always does. What the process was started to ignore stays
    ignored. Only the main thread can catch signals; in another one the list stays
    empty.
    """
    numbers: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield numbers
        return
    handlers = {which: signal.getsignal(which) for which in signals}
    # None is a handler that Python cannot put back.
    before = {
        which: handler
        for which, handler in handlers.items()
        if handler not in (signal.SIG_IGN, None)
    }

    def restore() -> None:
        for which, handler in before.items():
            signal.signal(which, handler)

    def catch(number: int, frame: object) -> None:
        restore()
        if numbers:  # the second, while handlers were being changed
            signal.raise_signal(number)
        else:
            numbers.append(number)

    try:
        for which in before:
            signal.signal(which, catch)
        yield numbers
    finally:
        restore()


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Holds the first of these signals back until the end of the block.

    Where libraries are imported, in their callbacks and bare ``except`` clauses,
    Python drops a KeyboardInterrupt, and the program goes on as if nobody had spoken.
    """
    numbers: list[int] = []
    try:
        with caught(*ENDING) as numbers:
            yield
    finally:
        if numbers:
            signal.raise_signal(numbers[0])
