"""The contract: what a GAN says of itself, so that everything else can iterate over it.

Building, training, averaging, checkpoints, pictures, metrics and SavedModels know
nothing of a particular game. They read what is declared here.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import keras
import tensorflow as tf

from tfgan_mnist.gans.clusters import Clusters

Batch = Mapping[str, tf.Tensor]
"""Samples of the data or of a network, and what belongs to them, by name."""

Terms = dict[str, tf.Tensor]
"""Named terms of a loss; their sum is minimised, so what is logged is optimised."""


@dataclasses.dataclass(frozen=True)
class Side:
    """One that moves: what it trains, and how it is watched.

    Args:
      name: heads its columns in the logs and names its optimizer.
      symbol: its name in a log line ("D").
      networks: names of those that it trains.
      generates: whether its gradient flows through the fakes.
      uses_batch: whether its loss looks at real samples.
      contest: the terms of its loss that tell who is winning.
      won: the sum of those terms below which it has won and the other side learns
        nothing; None if there is no such value.
      advice: what usually helps then.
    """

    name: str
    symbol: str
    networks: tuple[str, ...]
    generates: bool = False
    uses_batch: bool = True
    contest: tuple[str, ...] = ()
    won: float | None = None
    advice: str = ""


class Signature(NamedTuple):
    """What a SavedModel answers: a function of tensors by name, and what they are.

    A request is checked before the function sees it, so that it is right or refused.

    Args:
      function: of inputs with one row a sample; so are its answers.
      inputs: by name.
      ranges: of inputs, from least to largest value; others need only be finite.
    """

    function: Callable[..., Mapping[str, tf.Tensor]]
    inputs: Mapping[str, tf.TensorSpec]
    ranges: Mapping[str, tuple[float, float]] = MappingProxyType({})


def shown(images: tf.Tensor) -> tf.Tensor:
    """Images of [-1, 1] in [0, 1], as a model answers with them."""
    return tf.clip_by_value(images * 0.5 + 0.5, 0.0, 1.0)


def png_answer(images: tf.Tensor) -> dict[str, tf.Tensor]:
    """Images [n, height, width, channels] in [0, 1] as PNG files."""
    pixels = tf.cast(tf.round(images * 255.0), tf.uint8)
    # TensorFlow Serving encodes outputs whose name ends so in base64.
    png = tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)
    return {"image_bytes": png}


class GAN(abc.ABC):
    """Networks that play a game. It owns no optimizer, file or clock.

    A subclass sets ``sides`` and nests a frozen dataclass ``Options``, whose fields are
    flags.

    Args:
      networks: by name; what is trained, averaged and saved.
      options: an instance of the class's ``Options``.
      classes: labels that samples carry are from 0 to below it; 0 if they have none.
      clusters: of the training images, if the networks are told them.

    Attributes:
      sides: in the order in which they move.
      state: variables that a checkpoint keeps beside the networks' own, by name.
      frozen: networks that no side trains, whose weights are those of another run.
      resources: what signatures use that is no variable, such as a table of words; a
        SavedModel keeps it.
    """

    sides: Sequence[Side]
    frozen: Sequence[str] = ()
    resources: Sequence[object] = ()

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        options: object,
        classes: int = 0,
        clusters: Clusters | None = None,
    ):
        self.networks = networks
        self.options = options
        self.classes = classes
        self.clusters = clusters
        self.state: Mapping[str, tf.Variable] = clusters.state if clusters else {}

    def renew(self, seed: int) -> None:
        """Finds anew what follows from other state, once that was assigned.

        Args:
          seed: of what is random in it.
        """
        if self.clusters and self.clusters.rejected:
            self.clusters.limits.assign(self.clusters.find_limits(seed).ravel())

    @abc.abstractmethod
    def generate(self, batch: Batch, seed: tf.Tensor, step: tf.Tensor) -> Batch:
        """As many fakes as the batch has samples, in training.

        Args:
          batch: real samples and what belongs to them.
          seed: int32 [2], of all that is random in it.
          step: scalar int32, from 0.
        """

    @abc.abstractmethod
    def losses(
        self, batch: Batch, fakes: Batch, sides: Sequence[str]
    ) -> Mapping[str, Terms]:
        """The terms of the named sides' losses, each network's passes made once.

        Args:
          batch: real samples.
          fakes: what ``generate`` answered; without gradient unless one of the sides
            generates.
          sides: names of the sides that are about to move.
        """

    @abc.abstractmethod
    def inputs(self, count: int, seed: tf.Tensor, examples: Batch) -> Batch:
        """What samples are drawn from: latents, labels, source images …

        Args:
          count: how many.
          seed: int32 [2].
          examples: what the data set offers for them, with ``count`` rows each.
        """

    @abc.abstractmethod
    def sample(self, networks: Mapping[str, keras.Model], inputs: Batch) -> tf.Tensor:
        """Samples, images in [0, 1], in inference.

        Args:
          networks: the GAN's own, or their weight averages.
          inputs: as ``inputs`` makes them.
        """

    def show(
        self, networks: Mapping[str, keras.Model], inputs: Batch
    ) -> Sequence[tf.Tensor]:
        """What stands side by side in a picture, each [count, ...] in [0, 1].

        The samples, and what belongs beside them where they were made from images.
        """
        return (self.sample(networks, inputs),)

    @abc.abstractmethod
    def signatures(self) -> Mapping[str, Signature]:
        """What the SavedModel answers, by the name of the signature."""
