"""``tfgan-mnist COMMAND`` and ``python -m tfgan_mnist COMMAND``: the commands."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from tfgan_mnist import __version__
from tfgan_mnist.system import command
from tfgan_mnist.system.errors import UserError, nearest

COMMANDS = {
    "train": "train a recipe, or go on with a run",
    "sweep": "train a recipe from many seeds, or with many values of flags",
    "sample": "draw from a trained model",
    "invert": "find what a model would have made an image of",
    "translate": "turn pictures into others, by a trained model",
    "evaluate": "measure a trained model's samples",
    "judge": "make a judge of images that are not MNIST's, to measure by",
    "export": "write a trained model for TensorFlow Serving",
    "doctor": "what was found here, what will be slow, what to do",
    "completion": "a script that completes commands and flags in a shell",
}

SUMMARY = "GANs on MNIST: train, resume, sample, measure and serve them."
EXAMPLES = (
    "tfgan-mnist sample --pretrained=cdcgan_fast --label=0-9",
    "tfgan-mnist train dcgan_fast",
    "tfgan-mnist evaluate --run_dir=runs/dcgan_fast",
)


def _main(argv: Sequence[str]) -> None:
    if argv and argv[0] in COMMANDS:
        importlib.import_module(f"tfgan_mnist.{argv[0]}").main(argv[1:])
    elif command.take(argv[:1], "version"):
        print(__version__)
    elif command.take(argv[:1], "help", "h"):
        lines = [f"  {name:<12}{meaning}" for name, meaning in COMMANDS.items()]
        commands = "Commands (COMMAND --help: its flags):\n" + "\n".join(lines)
        print(command.page(SUMMARY, EXAMPLES, commands))
    elif argv:
        raise UserError(f"{argv[0]!r} is no command; {nearest(argv[0], COMMANDS)}")
    else:
        raise UserError(f"which command? {nearest('', COMMANDS)}")


def console() -> int:
    """The ``tfgan-mnist`` program."""
    return command.run(_main)


if __name__ == "__main__":
    sys.exit(console())
