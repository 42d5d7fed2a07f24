"""``tfgan-mnist COMMAND`` and ``python -m tfgan_mnist COMMAND``: the commands."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from tfgan_mnist import __version__
from tfgan_mnist.system.command import run, take
from tfgan_mnist.system.errors import UserError, nearest

COMMANDS = {
    "train": "train a recipe, or go on with a run",
    "sample": "draw from a trained model",
    "evaluate": "measure a trained model's samples",
    "export": "write a trained model for TensorFlow Serving",
}


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


if __name__ == "__main__":
    sys.exit(console())
