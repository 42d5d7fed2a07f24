"""The judge: a small classifier whose features and answers the metrics rest on.

That of MNIST's digits ships with the package (``judge.npz``, half precision).
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


def judge_network(
    seed: int = 0, image_size: int = 28, channels: int = 1, classes: int = CLASSES
) -> keras.Model:
    """Images [n, size, size, channels] in [0, 1] → (features [n, 64], logits).

    Convolutions 3×3 of 16, 32, 32, 64, 64 and 96 channels with batch normalisation
    (28×28 → 14×14 → 7×7 → 4×4), dense 64 with ReLU, dense of the classes: 224,794
    parameters for digits.
    """
    seeds = keras.random.SeedGenerator(seed)
    init = keras.initializers.HeNormal(seed=seeds)
    images = x = keras.Input([image_size, image_size, channels], name="images")
    for filters, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (96, 2)):
        x = layers.Conv2D(
            filters, 3, stride, "same", use_bias=False, kernel_initializer=init
        )(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
    x = layers.Dropout(0.3, seed=seed)(layers.Flatten()(x))
    features = layers.Dense(FEATURES, activation="relu", kernel_initializer=init)(x)
    logits = layers.Dense(classes, kernel_initializer=init)(features)
    return keras.Model(images, [features, logits], name="judge")


class Judge:
    """A network of ``judge_network``'s kind, and what it sees.

    Args:
      network: with its weights.
      version: its name; metrics by judges of different names are not comparable.

    Attributes:
      image_size, channels: of the images that it looks at.
    """

    def __init__(self, network: keras.Model, version: str):
        network.trainable = False
        self.network = network
        self.version = version
        _, self.image_size, _, self.channels = network.input_shape
        layer = keras.Model(network.input, network.output[0])
        self._features = tf.function(
            lambda batch: layer(batch, training=False), autograph=False
        )

    def features(self, images: np.ndarray) -> np.ndarray:
        """Its penultimate features of images.

        Args:
          images: float [count, height, width, channels] in [0, 1]; of another size than
            its own they are resized.

        Returns:
          float32 [count, 64], the same whatever else is judged with an image.
        """
        found = [np.empty([0, FEATURES], np.float32)]
        for first in range(0, len(images), BATCH):
            part = self.resized(images[first : first + BATCH])
            filled = np.zeros([BATCH, *part.shape[1:]], np.float32)
            filled[: len(part)] = part
            found.append(self._features(filled).numpy()[: len(part)])
        return np.concatenate(found)

    def resized(self, images: np.ndarray) -> np.ndarray:
        """Images in [0, 1] as float32 of its own size: as they are, or resized
        (bilinear, anti-aliased). Raises UserError if they have other channels."""
        images = np.asarray(images, np.float32)
        if images.shape[-1] != self.channels:
            raise UserError(
                f"{self.version} knows images of {self.channels} channels, not of "
                f"{images.shape[-1]}; give another --judge"
            )
        size = [self.image_size, self.image_size]
        if list(images.shape[1:3]) == size:
            return images
        return tf.image.resize(images, size, antialias=True).numpy()

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Its probability [count, classes] of each class, from features [count, 64]."""
        weights, offset = self.network.layers[-1].get_weights()
        return special.softmax(features.astype(np.float64) @ weights + offset, axis=1)

    def classes_of(self, features: np.ndarray) -> np.ndarray:
        """The classes int [count] that it sees, from its features [count, 64]."""
        return self.probabilities(features).argmax(axis=1)


@functools.cache
def load_judge() -> Judge:
    """The judge of digits, with its weights.

    Raises:
      UserError: if the file of the weights is not the one that was measured.
    """
    network = judge_network()
    weights = packaged("judge.npz", SHA256)
    network.set_weights([array.astype(np.float32) for array in weights.values()])
    return Judge(network, VERSION)


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
