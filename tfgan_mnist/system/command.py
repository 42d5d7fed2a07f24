"""How commands and scripts end: one line and an exit code, whatever happened."""

from __future__ import annotations

import contextlib
import gc
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence

from tfgan_mnist.system import interrupts, streams
from tfgan_mnist.system.errors import (
    RunStopped,
    UserError,
    first_line,
    is_out_of_memory,
    os_error,
)
from tfgan_mnist.system.runtime import less_of_keras


def run(
    main: Callable[[Sequence[str]], None], argv: Sequence[str] | None = None
) -> int:
    """Calls a command on its words; its exit code, after one line if it failed."""
    streams.open_streams()
    warnings.showwarning = _show_warning
    try:
        with interrupts.raised(), less_of_keras(), _collecting_seldom():
            main(list(sys.argv[1:] if argv is None else argv))
        if error := streams.lost():
            print(f"error: stdout: {error.strerror}; lines are lost", file=sys.stderr)
            return 1
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except RunStopped as stop:
        print(stop, file=sys.stderr)
        return stop.exit_code
    except KeyboardInterrupt as interrupt:
        print("interrupted; what was saved before is kept", file=sys.stderr)
        return 128 + interrupts.number_of(interrupt)
    except OSError as error:
        print("error: " + "; ".join(os_error(error)), file=sys.stderr)
        return 2
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        print(
            "error: out of memory; ask for less at once (--batch_size, --steps_per_call"
            ", --base_channels, --count)",
            file=sys.stderr,
        )
        return 2
    return 0


SELDOM = 50_000, 20, 50
"""After how many new objects Python looks for garbage, in a command.

TensorFlow's modules and graphs are of many objects, which live on: looking through them
again and again takes a fifth of the time that building graphs takes.
"""


@contextlib.contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Has Python look for garbage ``SELDOM``, in the block."""
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def page(summary: str, examples: Sequence[str], flags: str) -> str:
    """What ``--help`` prints of a command: a sentence, examples, then the flags."""
    lines = "\n".join(f"  {example}" for example in examples)
    return f"{summary.strip()}\n\nExamples:\n{lines}\n\n{flags}"


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    """A library's warning in one line, without a place in its source."""
    print(f"warning: {first_line(message)}", file=sys.stderr)


def take(argv: Sequence[str], *names: str) -> bool:
    """Whether one of these flags without a value is among the words."""
    return any(word.startswith("-") and word.lstrip("-") in names for word in argv)
