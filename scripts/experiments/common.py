"""What the experiments share: how they read their words and run commands."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.files import check_folder


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
