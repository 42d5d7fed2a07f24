"""Other opinions: models measured by classifiers that are not the package's judge.

    python scripts/experiments/other_judges.py --data_dir=FOLDER [--temperature=1]
        SAVED_MODEL [...]

Trains two classifiers of other shapes, from other seeds, than the package's judge (one
to two minutes each; kept in runs/*_judge.keras until removed), and measures 10,000
samples of each SavedModel, and the test images, by its features and theirs.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from common import DataFlags, read_words

from tfgan_mnist.serving.saved_model import check_saved_model
from tfgan_mnist.system import command
from tfgan_mnist.system.errors import UserError, first_line
from tfgan_mnist.system.flags import flag

if TYPE_CHECKING:  # loading TensorFlow takes seconds
    import keras

KEPT = Path("runs")
COUNT = 10_000
SEEDS = {"second": 2026, "third": 2027}
METRICS = {
    "distance": "{:.2f}",
    "precision": "{:.3f}",
    "recall": "{:.3f}",
    "diversity": "{:.2f}",
    "agreement": "{:.4f}",
}


def network(name: str) -> keras.Model:
    """images [n, 28, 28, 1] in [0, 1] → features and logits [n, 10].

    The second judge has convolutions of 3×3, pooling and 64 features; the third has
    convolutions of 5×5 with stride 2, layer normalisation and 96 features. The
    package's judge is of another shape still.
    """
    import keras
    from keras import layers

    inputs = x = keras.Input([28, 28, 1])
    if name == "second":
        for channels in (16, 32):
            x = layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
            x = layers.MaxPooling2D()(x)
            x = layers.Dropout(0.1)(x)
        features = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    else:
        for channels in (24, 48):
            x = layers.Conv2D(channels, 5, strides=2, padding="same")(x)
            x = layers.Activation("gelu")(layers.LayerNormalization()(x))
        features = layers.Dense(96, activation="gelu")(layers.Flatten()(x))
    logits = layers.Dense(10)(layers.Dropout(0.3)(features))
    return keras.Model(inputs, [features, logits])


def trained(name: str, images: np.ndarray, labels: np.ndarray) -> keras.Model:
    """The judge of that name: what is kept, or trained now and kept.

    Args:
      name: of SEEDS.
      images: float32 [n, 28, 28, 1] in [0, 1].
      labels: int [n].
    """
    import keras

    from tfgan_mnist.system.files import atomic_file

    kept = KEPT / f"{name}_judge.keras"
    if kept.is_file():
        try:
            return keras.saving.load_model(kept)
        except Exception as error:  # whatever a damaged file makes of its reader
            raise UserError(
                f"{kept}: cannot be read ({first_line(error)}); remove it, and the "
                "judge is trained anew"
            ) from None
    keras.utils.set_random_seed(SEEDS[name])
    judge = network(name)
    classifier = keras.Model(judge.input, judge.output[1])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(1e-3), loss)
    classifier.fit(images, labels, batch_size=128, epochs=6, verbose=2)
    kept.parent.mkdir(exist_ok=True)
    with atomic_file(kept) as unfinished:
        judge.save(unfinished)
    return judge


class Opinion:
    """What one judge makes of samples, against the training images.

    Args:
      judge: of ``trained``.
      images: the training images, float32 [n, 28, 28, 1] in [0, 1].
    """

    def __init__(self, judge: keras.Model, images: np.ndarray):
        from tfgan_mnist.evaluation.metrics.manifold import radii

        self.judge = judge
        known, _ = self._look(images)
        self.mean, self.covariance = known.mean(axis=0), np.cov(known, rowvar=False)
        order = np.random.default_rng(1).permutation(len(known))
        self.chosen = known[order[:COUNT]]
        self.radii = radii(self.chosen)

    def _look(self, samples: np.ndarray) -> list[np.ndarray]:
        return self.judge.predict(samples, batch_size=500, verbose=0)

    def metrics(
        self, samples: np.ndarray, asked: np.ndarray | None
    ) -> dict[str, float]:
        """Those of ``METRICS``; agreement only if digits were asked for."""
        from tfgan_mnist.evaluation.metrics.frechet import frechet_distance
        from tfgan_mnist.evaluation.metrics.manifold import diversity, manifold, radii

        features, logits = self._look(samples)
        own = radii(features)
        near = manifold(features, self.chosen, own, self.radii)
        found = {
            "distance": frechet_distance(features, self.mean, self.covariance),
            "precision": near["precision"],
            "recall": near["recall"],
            "diversity": diversity(own, self.radii),
        }
        if asked is not None:
            found["agreement"] = float((logits.argmax(1) == asked).mean())
        return found


def cells(found: dict[str, float]) -> list[str]:
    """What ``Opinion.metrics`` found, for a row of a table."""
    return [
        form.format(found[name]) if name in found else "–"
        for name, form in METRICS.items()
    ]


@functools.cache
def opinions(data_dir: str) -> dict[str, Opinion]:
    """Of both judges, by their names."""
    from tfgan_mnist.data.mnist import mnist

    images, labels = mnist(data_dir)
    images = images / np.float32(255.0)
    return {name: Opinion(trained(name, images, labels), images) for name in SEEDS}


def of_package(samples: np.ndarray, asked: np.ndarray | None) -> dict[str, float]:
    """What ``Opinion.metrics`` would find, by the package's judge."""
    from tfgan_mnist.evaluation.protocols import protocol_of

    protocol = protocol_of("mnist")
    found = protocol.metrics(protocol.features(samples), asked)
    names = {name: name for name in METRICS} | {"distance": "fcd"}
    if asked is None:
        del names["agreement"]
    else:
        names["agreement"] = "digit_agreement"
    # Their names end in the number of samples.
    found = {name.rpartition("_")[0]: value for name, value in found.items()}
    return {name: found[own] for name, own in names.items()}


def measure(models: list[str], data_dir: str, temperature: float) -> None:
    """Prints what all three judges say of each model, as Markdown."""
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.data.mnist import mnist
    from tfgan_mnist.evaluation.metrics.judge import load_judge
    from tfgan_mnist.evaluation.protocols import protocol_of
    from tfgan_mnist.serving.reader import LoadedModel, row_seeds

    test_images, test_labels = mnist(data_dir, "test")
    test_images = test_images / np.float32(255.0)
    loaded = {path: LoadedModel(path) for path in models}
    for path, model in loaded.items():
        if model.kind != "images" or model.sample_shape[-1] != 1:
            raise UserError(f"SAVED_MODEL={path}: does not make single digits")

    def row(name: str, samples: np.ndarray, asked: np.ndarray | None) -> str:
        line, samples = [name], load_judge().resized(samples)
        line += cells(of_package(samples, asked))
        for opinion in opinions(data_dir).values():
            line += cells(opinion.metrics(samples, asked))
        return "| " + " | ".join(line) + " |"

    heads = ["model"]
    for name in ("package's", *SEEDS):
        heads += [f"{name} judge: distance", *list(METRICS)[1:]]
    print("| " + " | ".join(heads) + " |")
    print("| --- |" + " ---: |" * (len(heads) - 1))
    for path, model in loaded.items():
        asked = protocol_of("mnist").labels(COUNT) if model.classes else None
        samples = model.sample(row_seeds(1, COUNT), temperature, asked)
        print(row(path, samples, asked), flush=True)
    print(row("test images", test_images, test_labels))


@dataclasses.dataclass(frozen=True)
class Flags(DataFlags):
    temperature: float = flag(1.0, "Samples", "factor on the latents", low=0, high=100)


def main(argv: Sequence[str]) -> None:
    flags, models = read_words(argv, __doc__, Flags, None, needed="SAVED_MODEL")
    for path in models:
        check_saved_model(path, f"SAVED_MODEL={path}")
    measure(models, flags.data_dir, flags.temperature)


if __name__ == "__main__":
    sys.exit(command.run(main))
