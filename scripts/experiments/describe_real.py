"""Writes tfgan_mnist/evaluation/metrics/real.npz: real MNIST as the judge sees it.

    python scripts/experiments/describe_real.py [--data_dir=FOLDER]

To be run after train_judge.py; prints the file's SHA-256, which belongs into real.py
beside it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import Parser

ROOT = Path(__file__).parents[2]
KEPT = 10_000


def main(argv: Sequence[str]) -> None:
    parser = Parser(__doc__)
    parser.add_data_dir()
    parser.add_argument("--output", default="tfgan_mnist/evaluation/metrics/real.npz")
    arguments = parser.parse_args(argv)

    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.data.mnist import mnist
    from tfgan_mnist.evaluation.metrics import judge

    # Shuffled, since the later half of the test images is harder than the first: any
    # first so many are then a fair sample.
    random = np.random.default_rng(1)
    kept = {}
    for split in ("train", "test"):
        images, labels = mnist(arguments.data_dir, split)
        features = judge.features(images / np.float32(255.0))
        chosen = random.permutation(len(images))[:KEPT]
        kept[split] = features[chosen]
        if split == "test":
            kept["test_labels"] = labels[chosen].astype(np.uint8)
        if split == "train":
            kept["mean"] = features.mean(axis=0, dtype=np.float64)
            kept["covariance"] = np.cov(features.astype(np.float64), rowvar=False)
            kept["class_shares"] = np.bincount(labels, minlength=10) / len(labels)
    for split in ("train", "test"):
        kept[split] = kept[split].astype(np.float16)
    path = ROOT / arguments.output
    np.savez_compressed(path, **kept)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path.name}: {path.stat().st_size:,} bytes, SHA-256 {digest}")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tfgan_mnist.system import command

    sys.exit(command.run(main))
