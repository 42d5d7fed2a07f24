"""Ctrl-C at a moment of our choosing: noticed at the end of a step, never lost."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def noticed(*signals: signal.Signals) -> Iterator[list[int]]:
    """Yields a list that gets the number of the first of these signals.

    A second one acts as it always does. Only the main thread can catch signals; in
    another one the list stays empty.
    """
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {which: signal.getsignal(which) for which in signals}

    def catch(number: int, frame: object) -> None:
        caught.append(number)
        for which, handler in before.items():
            signal.signal(which, handler)

    for which in before:
        signal.signal(which, catch)
    try:
        yield caught
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Holds the first Ctrl-C back until the end of the block.

    Where libraries are imported, in their callbacks and bare ``except`` clauses,
    Python drops a KeyboardInterrupt, and the program goes on as if nobody had spoken.
    """
    with noticed(signal.SIGINT) as caught:
        yield
    if caught:
        signal.raise_signal(caught[0])
