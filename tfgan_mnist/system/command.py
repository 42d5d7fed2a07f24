"""What the commands and scripts share: their dispatch, and how they end."""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from tfgan_mnist import __version__
from tfgan_mnist.system.errors import RunStopped, UserError, nearest
from tfgan_mnist.system.files import check_folder

COMMANDS = {
    "train": "train a recipe, or go on with a run",
    "sample": "draw from a trained model",
    "evaluate": "measure a trained model's samples",
    "export": "write a trained model for TensorFlow Serving",
}


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


def run_command(name: str, words: Sequence[str]) -> None:
    """Runs a command in a process of its own; if it fails, which it explains, so do we.

    Raises:
      SystemExit: with the command's exit code.
    """
    done = subprocess.run([sys.executable, "-m", f"tfgan_mnist.{name}", *words])
    if done.returncode:
        sys.exit(done.returncode)


class Parser(argparse.ArgumentParser):
    """A script's words: its docstring is the help, and a mistake is a UserError."""

    def __init__(self, doc: str):
        plain = argparse.RawDescriptionHelpFormatter
        super().__init__(description=doc, formatter_class=plain)

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (--help tells what there is)")

    def add_data_dir(self) -> None:
        def folder(value: str) -> str:
            if value:
                check_folder(Path(value), "--data_dir")
            return value

        of_it = "a prepared copy of MNIST"
        self.add_argument("--data_dir", default="", type=folder, help=of_it)


def take(argv: Sequence[str], *names: str) -> bool:
    """Whether one of these flags without a value is among the words."""
    return any(word.startswith("-") and word.lstrip("-") in names for word in argv)


def _main(argv: Sequence[str]) -> None:
    if argv and argv[0] in COMMANDS:
        importlib.import_module(f"tfgan_mnist.{argv[0]}").main(argv[1:])
    elif take(argv[:1], "version"):
        print(__version__)
    elif take(argv[:1], "help", "h"):
        print("tfgan-mnist COMMAND --flags…   (COMMAND --help: its flags)\n")
        for name, meaning in COMMANDS.items():
            print(f"  {name:<10}{meaning}")
    elif argv:
        raise UserError(f"{argv[0]!r} is no command; {nearest(argv[0], COMMANDS)}")
    else:
        raise UserError(f"which command? {nearest('', COMMANDS)}")


def console() -> int:
    """The ``tfgan-mnist`` program."""
    return run(_main)
