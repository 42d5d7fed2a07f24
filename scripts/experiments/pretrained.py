"""Trains the models that are part of the package, writes them into it, measures them.

    python scripts/experiments/pretrained.py --data_dir=FOLDER [RECIPE ...]

Each is the weights (averages in place of weights) at the end of a run in
runs/pretrained/, which goes on where it was, as float16 in tfgan_mnist/pretrained/.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from common import DataFlags, read_words, run_command

from tfgan_mnist import pretrained
from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag
from tfgan_mnist.training.run_directory import RunDirectory

STEPS = {"dcgan_fast": 12_000, "cdcgan_fast": 4_800}
"""Of training, by recipe."""


def write(name: str, run_dir: Path) -> Path:
    """Writes a finished run's model into the package; its file."""
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.build import build_gan
    from tfgan_mnist.serving.saved_model import read_metadata
    from tfgan_mnist.training.transfer import read_weights

    directory = RunDirectory(run_dir)
    weights = read_weights(directory.saved_model)
    names = build_gan(directory.read_config()).state
    state = {name: weights.pop(name) for name in names}
    path = pretrained.FOLDER / f"{name}.npz"
    metadata = read_metadata(directory.saved_model)
    metadata.pop("files", None)  # checksums of another SavedModel's files
    pretrained.write(path, weights, state, metadata)
    return path


@dataclasses.dataclass(frozen=True)
class Flags(DataFlags):
    steps: int = flag(0, "Training", "of each; 0: as many as in the package", low=0)


def main(argv: Sequence[str]) -> None:
    given, names = read_words(argv, __doc__, Flags, STEPS)
    for name in names or STEPS:
        run_dir = Path("runs") / "pretrained" / name
        flags = [f"--flagfile={name}", f"--run_dir={run_dir}"]
        flags += [f"--steps={given.steps or STEPS[name]}", "--max_seconds=0"]
        flags.append(f"--data_dir={given.data_dir}")
        run_command("train", flags)
        path = write(name, run_dir)
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
        run_command("evaluate", [f"--pretrained={name}"])


if __name__ == "__main__":
    sys.exit(command.run(main))
