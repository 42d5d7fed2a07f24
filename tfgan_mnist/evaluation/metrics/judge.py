"""The judge: a small digit classifier whose features and answers the metrics rest on.

Its weights ship with the package (``judge.npz``, half precision).
``python scripts/experiments/train_judge.py`` trained it on MNIST's training images and
found 99.65 % of the 10,000 test images right. Metrics by different judges are not
comparable, so all are given with ``VERSION``.
"""

from __future__ import annotations

import functools
import hashlib
import io
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from scipy import special

from tfgan_mnist.system.errors import UserError

VERSION = "judge-1"
SHA256 = "462775e615c77dc58df2047b0adb61a71574cf07c174a177216f16cc28157707"
CLASSES = 10
FEATURES = 64
BATCH = 500


def judge_network(seed: int = 0) -> keras.Model:
    """Images [n, 28, 28, 1] in [0, 1] → (features [n, 64], logits [n, 10]).

    224,794 parameters: convolutions 3×3 of 16, 32, 32, 64, 64 and 96 channels with
    batch normalisation (28×28 → 14×14 → 7×7 → 4×4), dense 64 with ReLU, dense 10.
    """
    seeds = keras.random.SeedGenerator(seed)
    init = keras.initializers.HeNormal(seed=seeds)
    images = x = keras.Input([28, 28, 1], name="images")
    for channels, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (96, 2)):
        x = layers.Conv2D(
            channels, 3, stride, "same", use_bias=False, kernel_initializer=init
        )(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
    x = layers.Dropout(0.3, seed=seed)(layers.Flatten()(x))
    features = layers.Dense(FEATURES, activation="relu", kernel_initializer=init)(x)
    logits = layers.Dense(CLASSES, kernel_initializer=init)(features)
    return keras.Model(images, [features, logits], name="judge")


@functools.cache
def load_judge() -> keras.Model:
    """The judge with its weights.

    Raises:
      UserError: if the file of the weights is not the one that was measured.
    """
    judge = judge_network()
    weights = packaged("judge.npz", SHA256)
    judge.set_weights([array.astype(np.float32) for array in weights.values()])
    judge.trainable = False
    return judge


def packaged(name: str, digest: str) -> dict[str, np.ndarray]:
    """The arrays of a file beside this one, in their order.

    Raises:
      UserError: if its SHA-256 is not the digest.
    """
    path = Path(__file__).with_name(name)
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != digest:
        raise UserError(f"{path}: is damaged or not {VERSION}'s; install again")
    with np.load(io.BytesIO(content)) as file:
        return {key: file[key] for key in file.files}


@functools.cache
def _network():
    judge = load_judge()
    layer = keras.Model(judge.input, judge.output[0])
    return tf.function(lambda batch: layer(batch, training=False))


def features(images: np.ndarray) -> np.ndarray:
    """The judge's penultimate features of images.

    Args:
      images: float [count, height, width, 1] in [0, 1]; of another size than 28×28 they
        are resized.

    Returns:
      float32 [count, 64], the same whatever else is judged with an image.
    """
    found = [np.empty([0, FEATURES], np.float32)]
    for first in range(0, len(images), BATCH):
        part = as_28(images[first : first + BATCH])
        filled = np.zeros([BATCH, 28, 28, 1], np.float32)
        filled[: len(part)] = part
        found.append(_network()(filled).numpy()[: len(part)])
    return np.concatenate(found)


def as_28(images: np.ndarray) -> np.ndarray:
    """Images [count, height, width, 1] as float32 [count, 28, 28, 1]: as they are, or
    resized (bilinear, anti-aliased)."""
    images = np.asarray(images, np.float32)
    if images.shape[1:3] == (28, 28):
        return images
    return tf.image.resize(images, [28, 28], antialias=True).numpy()


def probabilities(features: np.ndarray) -> np.ndarray:
    """The judge's probability [count, 10] of each digit, from features [count, 64]."""
    weights, offset = load_judge().layers[-1].get_weights()
    return special.softmax(features.astype(np.float64) @ weights + offset, axis=1)


def digits_of(features: np.ndarray) -> np.ndarray:
    """The digits int [count] that the judge sees, from its features [count, 64]."""
    return probabilities(features).argmax(axis=1)
