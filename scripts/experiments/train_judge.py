"""Trains the metrics' judge on MNIST's training images; measures it on the test's.

    python scripts/experiments/train_judge.py [--data_dir=FOLDER]

Writes judge.npz and real.npz into tfgan_mnist/evaluation/metrics, and prints their
SHA-256, which belong into judge.py and real.py there, with a new VERSION. What
``tfgan-mnist judge`` makes of one's own images, this makes of the packaged one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from collections.abc import Sequence

import numpy as np
from common import ROOT, DataFlags, read_words

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag


@dataclasses.dataclass(frozen=True)
class Flags(DataFlags):
    epochs: int = flag(25, "Training", "passes over the images", low=1)
    seed: int = flag(1, "Training", "of weights and order", low=0)
    output: str = flag("tfgan_mnist/evaluation/metrics", "Results", "the folder")


def main(argv: Sequence[str]) -> None:
    flags, _ = read_words(argv, __doc__, Flags)

    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.data.mnist import mnist
    from tfgan_mnist.evaluation.judges import About, make_judge

    own = make_judge(
        *mnist(flags.data_dir),
        About("mnist", 10),
        mnist(flags.data_dir, "test"),
        flags.epochs,
        flags.seed,
    )
    folder = ROOT / flags.output
    weights = [weight.astype(np.float16) for weight in own.judge.network.get_weights()]
    np.savez(folder / "judge.npz", **{f"{i:02d}": w for i, w in enumerate(weights)})
    np.savez_compressed(folder / "real.npz", **own.real.arrays())
    print(f"{own.about.accuracy:.2%} of {own.about.held_out:,} test images right")
    for path in (folder / "judge.npz", folder / "real.npz"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"{path.name}: {path.stat().st_size:,} bytes, SHA-256 {digest}")


if __name__ == "__main__":
    sys.exit(command.run(main))
