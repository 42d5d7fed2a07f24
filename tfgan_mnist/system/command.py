"""How commands and scripts end: one line and an exit code, whatever happened."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from tfgan_mnist.system.errors import RunStopped, UserError


def run(
    main: Callable[[Sequence[str]], None], argv: Sequence[str] | None = None
) -> int:
    """Calls a command on its words; its exit code, after one line if it failed."""
    try:
        main(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except RunStopped as stop:
        print(stop, file=sys.stderr)
        return stop.exit_code
    except KeyboardInterrupt:
        print("interrupted; what was saved before is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def page(summary: str, examples: Sequence[str], flags: str) -> str:
    """What ``--help`` prints of a command: a sentence, examples, then the flags."""
    lines = "\n".join(f"  {example}" for example in examples)
    return f"{summary.strip()}\n\nExamples:\n{lines}\n\n{flags}"


def take(argv: Sequence[str], *names: str) -> bool:
    """Whether one of these flags without a value is among the words."""
    return any(word.startswith("-") and word.lstrip("-") in names for word in argv)
