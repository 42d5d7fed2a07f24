"""A second opinion: models measured by a classifier that no choice was made with.

    python scripts/second_judge.py --data_dir=FOLDER SAVED_MODEL [...]

Trains a classifier of another shape, from another seed, than the package's judge (one
to two minutes; kept in runs/second_judge.keras) and measures 10,000 samples of each
SavedModel, and the test images, by its features.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
KEPT = Path("runs") / "second_judge.keras"
COUNT = 10_000
SEED = 2026


def second_judge(images: np.ndarray, labels: np.ndarray):
    """Convolutions of 3×3 and pooling, 64 features; the package's has other ones.

    Args:
      images: float32 [n, 28, 28, 1] in [0, 1].
      labels: int [n].

    Returns:
      a Keras model: images → features [n, 64] and logits [n, 10].
    """
    import keras
    from keras import layers

    keras.utils.set_random_seed(SEED)
    inputs = x = keras.Input([28, 28, 1])
    for channels in (16, 32):
        x = layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)
        x = layers.Dropout(0.1)(x)
    features = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    logits = layers.Dense(10)(layers.Dropout(0.3)(features))
    classifier = keras.Model(inputs, logits)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(1e-3), loss)
    classifier.fit(images, labels, batch_size=128, epochs=6, verbose=2)
    return keras.Model(inputs, [features, logits])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_dir", default="", help="a prepared copy of MNIST")
    parser.add_argument("models", nargs="+", metavar="SAVED_MODEL")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from tfgan_mnist.errors import UserError
    from tfgan_mnist.saved_model import check_saved_model

    try:
        for path in arguments.models:
            check_saved_model(path, "SAVED_MODEL")
        measure(arguments.models, arguments.data_dir)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def measure(models: list[str], data_dir: str) -> None:
    """Prints what the second judge says of each model, as Markdown."""
    from tfgan_mnist.runtime import load_tensorflow

    load_tensorflow()
    import keras

    from tfgan_mnist.data.mnist import mnist
    from tfgan_mnist.errors import UserError
    from tfgan_mnist.files import whole_file
    from tfgan_mnist.metrics.frechet import frechet_distance
    from tfgan_mnist.metrics.judge import as_28
    from tfgan_mnist.metrics.manifold import manifold, radii
    from tfgan_mnist.protocols import PROTOCOLS
    from tfgan_mnist.saving import SavedGenerator, row_seeds

    (images, labels), (test_images, test_labels) = (
        (part[0] / np.float32(255.0), part[1])
        for part in (mnist(data_dir), mnist(data_dir, "test"))
    )
    if KEPT.is_file():
        judge = keras.saving.load_model(KEPT)
    else:
        judge = second_judge(images, labels)
        KEPT.parent.mkdir(exist_ok=True)
        with whole_file(KEPT) as unfinished:
            judge.save(unfinished)

    def look(samples):
        return judge.predict(as_28(samples), batch_size=500, verbose=0)

    known, _ = look(images)
    mean, covariance = known.mean(axis=0), np.cov(known, rowvar=False)
    chosen = known[np.random.default_rng(1).permutation(len(known))[:COUNT]]
    there = radii(chosen)

    def row(name: str, samples, asked) -> str:
        features, logits = look(samples)
        found = manifold(features, chosen, radii(features), there)
        right = "–" if asked is None else f"{(logits.argmax(1) == asked).mean():.4f}"
        distance = frechet_distance(features, mean, covariance)
        return (
            f"| {name} | {distance:.2f} | {found['precision']:.3f} "
            f"| {found['recall']:.3f} | {right} |"
        )

    print("| model | distance | precision | recall | as asked |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for path in models:
        model = SavedGenerator(path)
        makes = model.signatures["sample"].structured_outputs[model.kind].shape
        if model.kind != "images" or makes[-1] != 1:
            raise UserError(f"SAVED_MODEL={path}: does not make single digits")
        asked = PROTOCOLS["mnist"].labels(COUNT) if model.classes else None
        samples = model.sample(row_seeds(1, COUNT), labels=asked)
        print(row(path, samples, asked), flush=True)
    print(row("test images", test_images, test_labels))


if __name__ == "__main__":
    main()
