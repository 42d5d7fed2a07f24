"""Writes a trained model for TensorFlow Serving, as its next version."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tfgan_mnist.model import ModelFlags, parse_model_flags
from tfgan_mnist.serving.saved_model import check_outside, read_metadata
from tfgan_mnist.system import command, interrupts
from tfgan_mnist.system.errors import UserError, first_line, path_errors
from tfgan_mnist.system.files import atomic_folder
from tfgan_mnist.system.flags import flag, grouped_help
from tfgan_mnist.training.run_directory import RunDirectory

EXAMPLES = (
    "tfgan-mnist export --run_dir=runs/dcgan_fast --serving_dir=serving/dcgan_fast",
    "tfgan-mnist export --run_dir=runs/dcgan_fast --best --serving_dir=serving/best",
    "tfgan-mnist export --pretrained=cdcgan_fast --serving_dir=serving/digits",
)


@dataclasses.dataclass(frozen=True)
class Flags(ModelFlags):
    serving_dir: str = flag(
        "", "Output", "the server's --model_base_path; gets the next numbered version"
    )

    def __post_init__(self):
        super().__post_init__()
        if not self.serving_dir:
            raise UserError("--serving_dir is missing: give a folder")


def next_version(serving_dir: Path) -> int:
    """One more than the largest version there, 1 at first."""
    if not serving_dir.is_dir():
        return 1
    names = [p.name for p in serving_dir.iterdir()]
    versions = [int(name) for name in names if re.fullmatch("[0-9]{1,19}", name)]
    version = max(versions, default=0) + 1
    if version >= 2**63:
        raise UserError(
            f"{serving_dir}: version {version - 1} is the last there can be"
        )
    return version


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        print(command.page(__doc__, EXAMPLES, grouped_help(Flags)))
        return
    flags = Flags(**parse_model_flags(argv, Flags))
    serving_dir = Path(flags.serving_dir)
    flags.imitates()
    name = f"--serving_dir={serving_dir}"
    check_outside(serving_dir, name)
    if flags.run_dir:
        RunDirectory(flags.run_dir).check_output(serving_dir, name)
    with path_errors(name):
        folders = [serving_dir, *serving_dir.absolute().parents]
        ancestor = next(folder for folder in folders if folder.exists())
        if not ancestor.is_dir():
            raise UserError(f"{name}: {ancestor} is a file")
        if not os.access(ancestor, os.W_OK | os.X_OK):
            raise UserError(f"{name}: no permission to write there")
        version = serving_dir / str(next_version(serving_dir))

    from tfgan_mnist.system.runtime import load_tensorflow

    with interrupts.deferred():
        load_tensorflow()
        import tensorflow as tf

        from tfgan_mnist.serving.reader import LoadedModel
        from tfgan_mnist.serving.warmup import write_warmup

    with flags.folder() as saved_model:
        # Loaded before anything is written, so that a damaged model leaves no trace.
        signatures = LoadedModel(saved_model, flags.given).signatures
        try:
            with path_errors(name), atomic_folder(version) as unfinished:
                shutil.copytree(saved_model, unfinished, dirs_exist_ok=True)
                write_warmup(unfinished, signatures, serving_dir.absolute().name)
        except tf.errors.OpError as error:
            raise UserError(f"{name}: {first_line(error)}") from None
        step = read_metadata(saved_model).get("step", "?")
    print(f"version {version.name}, of step {step}, is in {version}")


if __name__ == "__main__":
    sys.exit(command.run(main))
