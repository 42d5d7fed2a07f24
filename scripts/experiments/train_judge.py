"""Trains the metrics' judge on MNIST's training images; measures it on the test's.

    python scripts/experiments/train_judge.py [--data_dir=FOLDER]

Writes judge.npz and real.npz into tfgan_mnist/evaluation/metrics, and prints their
SHA-256, which belong into judge.py and real.py there, with a new VERSION. What
``tfgan-mnist judge`` makes of one's own images, this makes of the packaged one.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import Parser

ROOT = Path(__file__).parents[2]


def main(argv: Sequence[str]) -> None:
    parser = Parser(__doc__)
    parser.add_data_dir()
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default="tfgan_mnist/evaluation/metrics")
    arguments = parser.parse_args(argv)

    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.data.mnist import mnist
    from tfgan_mnist.evaluation.judges import About, make_judge

    own = make_judge(
        *mnist(arguments.data_dir),
        About("mnist", 10),
        mnist(arguments.data_dir, "test"),
        arguments.epochs,
        arguments.seed,
    )
    folder = ROOT / arguments.output
    weights = [weight.astype(np.float16) for weight in own.judge.network.get_weights()]
    np.savez(folder / "judge.npz", **{f"{i:02d}": w for i, w in enumerate(weights)})
    np.savez_compressed(folder / "real.npz", **own.real.arrays())
    print(f"{own.about.accuracy:.2%} of {own.about.held_out:,} test images right")
    for path in (folder / "judge.npz", folder / "real.npz"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"{path.name}: {path.stat().st_size:,} bytes, SHA-256 {digest}")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tfgan_mnist.system import command

    sys.exit(command.run(main))
