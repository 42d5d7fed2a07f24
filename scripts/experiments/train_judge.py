"""Trains the metrics' judge on MNIST's training images; measures it on the test's.

    python scripts/experiments/train_judge.py [--data_dir=FOLDER]

Writes tfgan_mnist/evaluation/metrics/judge.npz and prints its SHA-256, which belongs
into judge.py beside it, with a new VERSION.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import Parser

ROOT = Path(__file__).parents[2]


def augmented(tf, keras):
    """images [n, 28, 28, 1] → as many, each turned, moved and scaled a little."""
    steps = [
        keras.layers.RandomRotation(0.035, fill_mode="constant", seed=1),
        keras.layers.RandomTranslation(0.08, 0.08, fill_mode="constant", seed=2),
        keras.layers.RandomZoom(0.1, 0.1, fill_mode="constant", seed=3),
    ]

    def change(images, labels):
        for step in steps:
            images = step(images, training=True)
        return images, labels

    return change


def main(argv: Sequence[str]) -> None:
    parser = Parser(__doc__)
    parser.add_data_dir()
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default="tfgan_mnist/evaluation/metrics/judge.npz")
    arguments = parser.parse_args(argv)

    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    import keras
    import tensorflow as tf

    from tfgan_mnist.data.mnist import mnist
    from tfgan_mnist.evaluation.metrics.judge import judge_network

    keras.utils.set_random_seed(arguments.seed)
    images, labels = mnist(arguments.data_dir)
    test_images, test_labels = mnist(arguments.data_dir, "test")
    images, test_images = (x.astype(np.float32) / 255.0 for x in (images, test_images))

    batch = 100
    data = (
        tf.data.Dataset.from_tensor_slices((images, labels))
        .shuffle(len(images), seed=arguments.seed)
        .batch(batch, drop_remainder=True)
        .map(augmented(tf, keras), num_parallel_calls=1)
        .prefetch(4)
    )
    judge = judge_network(arguments.seed)
    classifier = keras.Model(judge.input, judge.output[1])
    steps = arguments.epochs * len(images) // batch
    classifier.compile(
        keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                3e-3, steps - steps // 10, warmup_target=3e-3, warmup_steps=steps // 10
            ),
            weight_decay=1e-2,
        ),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.05),
        metrics=["accuracy"],
    )
    one_hot = data.map(lambda x, y: (x, tf.one_hot(y, 10)))
    classifier.fit(one_hot, epochs=arguments.epochs, verbose=2)

    # Kept in half precision, and measured as it is kept.
    halves = [weight.astype(np.float16) for weight in judge.get_weights()]
    judge.set_weights([weight.astype(np.float32) for weight in halves])
    answers = classifier.predict(test_images, batch_size=500, verbose=0).argmax(1)
    right = int((answers == test_labels).sum())
    path = ROOT / arguments.output
    np.savez(path, **{f"{i:02d}": weight for i, weight in enumerate(halves)})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{right / len(test_labels):.2%} of {len(test_labels):,} test images right")
    print(f"{path.name}: {path.stat().st_size:,} bytes, SHA-256 {digest}")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tfgan_mnist.system import command

    sys.exit(command.run(main))
