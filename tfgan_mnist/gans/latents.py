"""Samples drawn from latents alone, and what belongs to them: labels, say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import keras
import tensorflow as tf

from tfgan_mnist.gans.gan import GAN, Batch, Signature, png_answer, shown
from tfgan_mnist.system.replicas import own_rows
from tfgan_mnist.system.seeds import CANDIDATES, fold_in

TEMPERATURES = (0.0, 100.0)
"""From the least to the largest that is served."""


def draw(distribution: str, shape: list, seed: tf.Tensor) -> tf.Tensor:
    """Latents of a shape: uniform(-1, 1), standard_uniform(0, 1) or normal(0, 1).

    The generator is named (Philox), so that a seed gives the same latents on every
    kind of device; but a step that XLA compiles draws other numbers of the same seed.
    A replica of several draws its own rows of what one would draw for all of them.
    """

    def rows(count: int) -> tf.Tensor:
        options = {"shape": [count, *shape[1:]], "seed": seed, "alg": "philox"}
        if distribution == "uniform":
            return tf.random.stateless_uniform(minval=-1.0, maxval=1.0, **options)
        if distribution == "standard_uniform":
            return tf.random.stateless_uniform(**options)
        return tf.random.stateless_normal(**options)

    return own_rows(rows, shape[0])


def row_latents(
    distribution: str, latent_dim: int, seeds: tf.Tensor, draw_number: int = 0
) -> tf.Tensor:
    """Latents [n, latent_dim], each row from its own seed.

    Args:
      distribution: as for ``draw``.
      latent_dim: numbers in a row.
      seeds: int64 [n].
      draw_number: of one seed, another number gives other latents.
    """
    second = tf.cast(draw_number, tf.int64)

    @tf.autograph.experimental.do_not_convert
    def row(seed: tf.Tensor) -> tf.Tensor:
        return draw(distribution, [latent_dim], tf.stack([seed, second]))

    return tf.map_fn(row, seeds, fn_output_signature=tf.float32)


LEAST_TRUNCATION = 0.02
DRAWN_AGAIN = 32  # at once


def truncated_row_latents(
    distribution: str, latent_dim: int, seeds: tf.Tensor, truncation: tf.Tensor
) -> tf.Tensor:
    """``row_latents`` in which those beyond a row's truncation are drawn again.

    What lies within stays as it was: the truncation trick of Brock et al., 2019
    (arXiv:1809.11096, section 3.1).

    Args:
      distribution, latent_dim, seeds: as for ``row_latents``.
      truncation: float32 [n], the largest magnitude of a latent, at least
        ``LEAST_TRUNCATION``.
    """
    limit = tf.maximum(truncation, LEAST_TRUNCATION)[:, tf.newaxis]

    def beyond(rows):
        return tf.abs(rows) > limit

    def draw_again(number, rows):
        others = row_latents(distribution, latent_dim * DRAWN_AGAIN, seeds, number)
        others = tf.reshape(others, [-1, latent_dim, DRAWN_AGAIN])
        within = tf.abs(others) <= limit[..., tf.newaxis]
        place = tf.argmax(tf.cast(within, tf.int8), axis=2)  # 0 if there is none
        first = tf.gather(others, place, batch_dims=2)
        return number + 1, tf.where(beyond(rows), first, rows)

    _, rows = tf.while_loop(
        lambda number, rows: tf.reduce_any(beyond(rows)),
        draw_again,
        [tf.constant(1), row_latents(distribution, latent_dim, seeds)],
    )
    return rows


class FromLatents(GAN):
    """A game whose samples come from latents; its SavedModel has these signatures.

    Every input is batched along dimension 0 and every output is a dictionary, as
    TensorFlow Serving wants them. Images are in [0, 1]; a toy's model has ``points``
    [n, dimensions] in their place, and no ``sample_png``. A game with labels takes
    ``label`` int64 [n] too; one with controls takes them, float [n], in both samples.

        serving_default(latents [n, latent_dim])            → images
        sample(seed int64 [n], temperature float [n])       → images, latents
        sample_png(seed int64 [n], temperature float [n])   → image_bytes (PNG files)

    Attributes:
      sampler: the name of the network that turns latents into samples: images [batch,
        height, width, channels] in [-1, 1], or points [batch, dimensions].
      controls: what a row of ``sample`` can be told beside its temperature: names, and
        the least and largest value.
    """

    sampler: str
    controls: Mapping[str, tuple[float, float]] = MappingProxyType({})

    def __init__(self, networks, options, classes=0, clusters=None):
        super().__init__(networks, options, classes, clusters)
        network = networks[self.sampler]
        self.latent_dim = network.inputs[0].shape[-1]
        self.sample_shape = tuple(network.outputs[0].shape[1:])

    @property
    def makes_images(self) -> bool:
        """Whether samples are images, which leave in [0, 1], or points."""
        return len(self.sample_shape) == 3

    def draw_latents(
        self, count: int, seed: tf.Tensor, labels: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Latents [count, latent_dim] that follow from a seed.

        Args:
          count: how many.
          seed: int32 [2].
          labels: int32 [count], of a game with classes: which latents are drawn where
            there are clusters can depend on it.
        """
        distribution = self.options.latent_distribution
        latents = draw(distribution, [count, self.latent_dim], seed)
        return self._clear(
            latents,
            lambda *shape: draw(
                distribution, [count, *shape], fold_in(seed, CANDIDATES)
            ),
            labels,
        )

    def _clear(
        self,
        latents: tf.Tensor,
        draw_others: Callable[..., tf.Tensor],
        labels: tf.Tensor | None,
    ) -> tf.Tensor:
        """Latents, of which those that choose a cluster are drawn again if they must.

        Args:
          latents: [n, latent_dim].
          draw_others: a shape → other latents, [n, *shape].
          labels: as for ``draw_latents``.
        """
        if not self.clusters or self.clusters.candidates == 1:
            return latents
        if self.classes and labels is None:
            raise ValueError("which latents are drawn depends on labels: give some")
        choosing = self.clusters.choosing
        others = draw_others(self.clusters.candidates - 1, choosing)
        first = latents[:, tf.newaxis, :choosing]
        candidates = tf.concat([first, others], axis=1)
        clear = self.clusters.first_clear(candidates, labels)
        return tf.concat([clear, latents[:, choosing:]], axis=1)

    def inputs(self, count: int, seed: tf.Tensor, examples: Batch) -> Batch:
        """``latents``, and ``labels`` int32 [count] of the examples with classes."""
        if not self.classes:
            return {"latents": self.draw_latents(count, seed)}
        labels = tf.convert_to_tensor(examples["labels"])
        return {"latents": self.draw_latents(count, seed, labels), "labels": labels}

    def row_inputs(
        self,
        seed: tf.Tensor,
        temperature: tf.Tensor,
        labels: tf.Tensor | None = None,
        **controls: tf.Tensor,
    ) -> Batch:
        """What ``sample`` takes, but for labels: each row from its own seed.

        Args:
          seed: int64 [n].
          temperature: float32 [n], a factor on the latents; below 1 less variety, above
            1 more. Latents that are rejected are so before it.
          labels: as for ``draw_latents``.
          controls: float32 [n], of the game's.
        """
        distribution = self.options.latent_distribution

        def draw_others(*shape: int) -> tf.Tensor:
            others = row_latents(distribution, math.prod(shape), seed, draw_number=1)
            return tf.reshape(others, [-1, *shape])

        rows = row_latents(distribution, self.latent_dim, seed)
        rows = self._clear(rows, draw_others, labels)
        return {"latents": rows * temperature[:, tf.newaxis]}

    def _told(self, inputs: Batch) -> list[tf.Tensor]:
        """What the sampler takes beside the latents."""
        return []

    def sample(self, networks: Mapping[str, keras.Model], inputs: Batch) -> tf.Tensor:
        taken = [inputs["latents"], *self._told(inputs)]
        samples = networks[self.sampler](
            taken if taken[1:] else taken[0], training=False
        )
        return shown(samples) if self.makes_images else samples

    @property
    def _kind(self) -> str:
        return "images" if self.makes_images else "points"

    @property
    def _label_specs(self) -> dict[str, tf.TensorSpec]:
        if not self.classes:
            return {}
        return {"label": tf.TensorSpec([None], tf.int64, name="label")}

    @property
    def _ranges(self) -> dict[str, tuple[float, float]]:
        """Of the inputs of all signatures."""
        labels = {"label": (0, self.classes - 1)} if self.classes else {}
        images = {"images": (0.0, 1.0)} if self.makes_images else {}
        return {"temperature": TEMPERATURES, **self.controls, **labels, **images}

    def _labels(self, given: Batch) -> Batch:
        """Labels as ``sample`` takes them, if any."""
        return {"labels": tf.cast(given["label"], tf.int32)} if given else {}

    def signatures(self) -> Mapping[str, Signature]:
        kind, labels = self._kind, self._label_specs

        def generate(latents, **label):
            given = {"latents": latents, **self._labels(label)}
            return {kind: self.sample(self.networks, given)}

        def sample(seed, temperature, **given):
            controls = {name: given.pop(name) for name in self.controls}
            inputs = dict(self._labels(given))
            labels = inputs.get("labels")
            inputs |= self.row_inputs(seed, temperature, labels=labels, **controls)
            samples = self.sample(self.networks, inputs)
            return {kind: samples, "latents": inputs["latents"]}

        def sample_png(**inputs):
            return png_answer(sample(**inputs)["images"])

        latents = tf.TensorSpec([None, self.latent_dim], tf.float32, name="latents")
        rows = {
            "seed": tf.TensorSpec([None], tf.int64, name="seed"),
            **{
                name: tf.TensorSpec([None], tf.float32, name=name)
                for name in ("temperature", *self.controls)
            },
            **labels,
        }
        given, ranges = {"latents": latents, **labels}, self._ranges
        found = {
            "serving_default": Signature(generate, given, ranges),
            "sample": Signature(sample, rows, ranges),
        }
        if self.makes_images:
            found["sample_png"] = Signature(sample_png, rows, ranges)
        return found
