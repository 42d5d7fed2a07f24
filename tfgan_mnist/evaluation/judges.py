"""Judges of one's own data: trained, or random where there are no labels; their files.

A file holds the weights and what the judge sees of real images, so that it is all that
is needed to measure. Its judge is named after the data and the file's contents.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import math
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tfgan_mnist.data.pictures import IN_MEMORY, Files
from tfgan_mnist.evaluation.metrics.frechet import FEWEST
from tfgan_mnist.evaluation.metrics.judge import Judge, judge_network
from tfgan_mnist.evaluation.metrics.real import Real
from tfgan_mnist.evaluation.protocols import Protocol, judged
from tfgan_mnist.system import progress
from tfgan_mnist.system.errors import UserError, first_line, path_errors
from tfgan_mnist.system.files import atomic_file

EPOCHS = 25
BATCH = 100


@dataclasses.dataclass(frozen=True)
class About:
    """What a judge is of, and how good.

    Args:
      dataset: what it knows, without its place.
      classes: how many; 0 if it has random weights.
      class_names: where they have names.
      accuracy: the share of held-out images that it gets right; None if random.
      count: images that its statistics are of.
      held_out: images that it has not learned from.
    """

    dataset: str
    classes: int = 0
    class_names: tuple[str, ...] = ()
    accuracy: float | None = None
    count: int = 0
    held_out: int = 0


@dataclasses.dataclass(frozen=True)
class OwnJudge:
    """A judge, what it sees of real images, and what it is of."""

    judge: Judge
    real: Real
    about: About

    @property
    def protocol(self) -> Protocol:
        """The metrics that rest on it; as many samples as there are images to compare
        with, 10,000 at most."""
        count = len(self.real.train)
        quick_count = min(1_000, count)
        # How likely each class is among so many real samples; and how many surely are.
        shown = -np.expm1(-self.real.class_shares * quick_count)
        surely = shown.sum() - 3.0 * np.sqrt((shown * (1.0 - shown)).sum())
        return judged(
            lambda: (self.judge, self.real),
            self.judge.version,
            self.about.classes,
            min(10_000, count),
            quick_count,
            trained=self.about.classes > 0,
            common=max(0, math.floor(surely)),
        )


Images = np.ndarray | Files


def make_judge(
    images: Images,
    labels: np.ndarray | None,
    about: About,
    held_out: tuple[Images, np.ndarray | None] | None = None,
    epochs: int = EPOCHS,
    seed: int = 1,
    most: int = 100_000,
) -> OwnJudge:
    """Trains a judge on labelled images; of others, one with random weights.

    Args:
      images: uint8 [count, size, size, channels].
      labels: int [count], or None.
      about: the data set's name and classes.
      held_out: images and labels to test it on; if None, a tenth of the others.
      epochs, seed: of the training.
      most: images of either kind that are looked at.

    Raises:
      UserError: if there are fewer than ``FEWEST``.
    """
    random = np.random.default_rng(seed)
    if len(images) < FEWEST:
        raise UserError(
            f"--dataset={about.dataset}: {len(images)} images are too few to judge "
            f"by; at least {FEWEST}"
        )
    order = random.permutation(len(images))
    if held_out is None:
        few = min(len(images) // 10, most)
        held_out = _some(images, labels, order[:few])
        order = order[few:]
    else:
        held_out = _some(*held_out, random.permutation(len(held_out[0]))[:most])
    most = min(most, max(1, IN_MEMORY // int(np.prod(images.shape[1:]))))
    images, labels = _some(images, labels, order[:most])
    shape = {"image_size": images.shape[1], "channels": images.shape[3]}
    if labels is None:
        network = judge_network(seed, **shape, classes=1)
    else:
        network = judge_network(seed, **shape, classes=about.classes)
        train_judge(network, images, labels, epochs, seed)
    halves = [weight.astype(np.float16) for weight in network.get_weights()]
    network.set_weights([weight.astype(np.float32) for weight in halves])  # as kept
    judge = Judge(network, "")
    features = [_features(judge, x) for x in (images, held_out[0])]
    accuracy = None
    if labels is not None:
        accuracy = float(np.mean(judge.classes_of(features[1]) == held_out[1]))
    about = dataclasses.replace(
        about,
        classes=0 if labels is None else about.classes,
        accuracy=accuracy,
        count=len(images),
        held_out=len(held_out[0]),
    )
    real = Real.of(features[0], labels, features[1], held_out[1], about.classes)
    # As its file has it, so that it is the same judge before and after.
    return _read(_content(network, real, about))


def train_judge(
    network: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    epochs: int = EPOCHS,
    seed: int = 1,
) -> None:
    """Trains a network of ``judge_network``.

    Images are turned, moved and scaled a little; labels are smoothed. AdamW, whose rate
    rises for a tenth of the steps to 3e-3 and falls to 0.

    Args:
      images: uint8 [n, size, size, channels].
      labels: int [n].
    """
    keras.utils.set_random_seed(seed)
    classes = network.output_shape[1][1]
    batch = min(BATCH, len(images))
    steps = max(2, epochs * len(images) // batch)
    data = (
        tf.data.Dataset.from_tensor_slices((images, labels))
        .shuffle(len(images), seed=seed)
        .batch(batch, drop_remainder=True)
        .map(lambda x, y: (tf.cast(x, tf.float32) / 255.0, tf.one_hot(y, classes)))
        .map(_changed(), num_parallel_calls=1)
        .prefetch(4)
    )
    classifier = keras.Model(network.input, network.output[1])
    rising = max(1, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        3e-3, steps - rising, warmup_target=3e-3, warmup_steps=rising
    )
    classifier.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-2),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.05),
    )
    with progress.bar(total=epochs, desc="training the judge", unit="pass") as bar:
        after = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: bar.update())
        # Data that shuffles itself: Keras would warn that it cannot.
        classifier.fit(data, epochs=epochs, shuffle=False, verbose=0, callbacks=[after])


def _changed():
    """(images, labels) → as many, each image turned, moved and scaled a little."""
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


def _some(images: Images, labels: np.ndarray | None, chosen: np.ndarray):
    return images[chosen], None if labels is None else labels[chosen]


def _features(judge: Judge, images: np.ndarray) -> np.ndarray:
    parts = np.array_split(images, max(1, len(images) // 1_000))
    bar = progress.bar(parts, "looking at real images", leave=False)
    return np.concatenate([judge.features(x / np.float32(255.0)) for x in bar])


def write_judge(own: OwnJudge, path: Path) -> None:
    """Writes a judge as one file."""
    content = _content(own.judge.network, own.real, own.about)
    with path_errors(f"--output={path}"), atomic_file(path) as unfinished:
        unfinished.write_bytes(content)


def read_judge(path: str | Path) -> OwnJudge:
    """The judge of a file.

    Raises:
      UserError: if it cannot be read.
    """
    with path_errors(f"--judge={path}"):
        content = Path(path).read_bytes()
    try:
        return _read(content)
    except Exception as error:  # a damaged file can raise anything
        raise UserError(
            f"--judge={path}: is no judge ({first_line(error)}); "
            "tfgan-mnist judge --dataset=… --output=FILE.npz writes one"
        ) from None


def _content(network: keras.Model, real: Real, about: About) -> bytes:
    weights = {
        f"weights/{i:02d}": weight.astype(np.float16)
        for i, weight in enumerate(network.get_weights())
    }
    described = {f"real/{name}": array for name, array in real.arrays().items()}
    text = np.array(json.dumps(dataclasses.asdict(about)))
    shape = np.array(network.input_shape[2:])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, about=text, shape=shape, **weights, **described)
    return buffer.getvalue()


def _read(content: bytes) -> OwnJudge:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    about = About(**json.loads(str(arrays["about"])))
    about = dataclasses.replace(about, class_names=tuple(about.class_names))
    image_size, channels = map(int, arrays["shape"])
    network = judge_network(0, image_size, channels, max(1, about.classes))
    network.set_weights(
        [
            arrays[name].astype(np.float32)
            for name in sorted(n for n in arrays if n.startswith("weights/"))
        ]
    )
    real = {
        n.removeprefix("real/"): x for n, x in arrays.items() if n.startswith("real/")
    }
    kind = "judge" if about.classes else "random"
    digest = hashlib.sha256(content).hexdigest()[:8]
    name = about.dataset.rpartition(":")[2].replace("/", "-").removesuffix(".npz")
    judge = Judge(network, f"{name}-{kind}-{digest}")
    return OwnJudge(judge, Real.from_arrays(real), about)
