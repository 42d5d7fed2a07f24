"""Measures a trained model: ``python -m tfgan_mnist.evaluate --saved_model=FOLDER``."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tfgan_mnist import command
from tfgan_mnist.config import check_flags, flag, grouped_help, parse_flags
from tfgan_mnist.errors import UserError, naming
from tfgan_mnist.files import check_output, whole_file
from tfgan_mnist.saved_model import check_saved_model


@dataclasses.dataclass(frozen=True)
class Flags:
    saved_model: str = flag("", "Model", "folder of a SavedModel")
    output: str = flag("", "Scores", "a file for the scores as JSON, beside the table")

    def __post_init__(self):
        check_flags(self)
        if not self.saved_model:
            raise UserError("--saved_model is missing: give the folder of a model")
        if self.output:
            if Path(self.output).suffix != ".json":
                raise UserError(f"--output={self.output}: must end in .json")
            check_output(Path(self.output))


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        print(__doc__.strip() + "\n\n" + grouped_help(Flags))
        return
    flags = Flags(**parse_flags(argv, Flags))
    check_saved_model(flags.saved_model)

    from tfgan_mnist.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.saving import SavedGenerator
    from tfgan_mnist.scores import score, table

    found = score(SavedGenerator(flags.saved_model))
    print(table(found))
    if flags.output:
        output = Path(flags.output)
        with naming(f"--output={output}"), whole_file(output) as unfinished:
            unfinished.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(command.run(main))
