"""The game in which G is given an image, and D asks whether another belongs to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar

import keras
import tensorflow as tf

from tfgan_mnist.gans import translation
from tfgan_mnist.gans.gan import Batch, Signature, Terms
from tfgan_mnist.gans.unconditional import Unconditional


class Pix2Pix(Unconditional):
    """Isola et al., 2017 (arXiv:1611.07004).

    Networks: ``generator``, [noise, sources] → images in [-1, 1]; ``discriminator``,
    [images, sources] → logits, one for each patch. A batch has ``sources`` beside its
    ``samples``, the targets. G minimises the mean absolute difference of its images and
    the targets too (equation 4).
    """

    @dataclasses.dataclass(frozen=True)
    class Options(Unconditional.Options):
        """With ``adversarial_weight`` 0 there is no D: G learns from L1 alone."""

        # No flags: noise is dropout's; what was changed would not fit its source.
        latent_distribution: ClassVar[str] = "standard_uniform"
        augmentation_target: ClassVar[float] = 0.0
        adversarial_weight: float = 1.0
        l1_weight: float = 100.0

    def __init__(self, networks, options, classes=0, clusters=None):
        super().__init__(networks, options, classes, clusters)
        discriminator, generator = self.sides
        generator = dataclasses.replace(generator, uses_batch=True)
        if weight := options.adversarial_weight:
            won = None if generator.won is None else weight * generator.won
            self.sides = discriminator, dataclasses.replace(generator, won=won)
        else:
            self.sides = (dataclasses.replace(generator, contest=(), won=None),)

    def _fakes(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        sources = batch["sources"]
        noise = self.draw_latents(sources.shape[0], seed)
        samples = self.generator([noise, sources], training=True)
        return {"samples": samples, "sources": sources}

    def _taken(self, some: Batch) -> list[tf.Tensor]:
        return [some["samples"], some["sources"]]

    def _told(self, inputs: Batch) -> list[tf.Tensor]:
        return [inputs["sources"]]

    def losses(
        self, batch: Batch, fakes: Batch, sides: Sequence[str]
    ) -> Mapping[str, Terms]:
        weight = self.options.adversarial_weight
        found = dict(super().losses(batch, fakes, sides)) if weight else {}
        if "generator" in sides:
            terms = {n: weight * t for n, t in found.get("generator", {}).items()}
            error = tf.reduce_mean(tf.abs(batch["samples"] - fakes["samples"]))
            found["generator"] = terms | {"l1": self.options.l1_weight * error}
        return found

    def inputs(self, count: int, seed: tf.Tensor, examples: Batch) -> Batch:
        """The noise, the examples' ``sources``, and their ``targets`` to show."""
        return {
            "latents": self.draw_latents(count, seed),
            "sources": examples["sources"],
            "targets": examples["samples"],
        }

    def show(
        self, networks: Mapping[str, keras.Model], inputs: Batch
    ) -> Sequence[tf.Tensor]:
        """Sources, samples and targets."""
        sources, targets = (inputs[k] * 0.5 + 0.5 for k in ("sources", "targets"))
        return sources, self.sample(networks, inputs), targets

    def signatures(self) -> Mapping[str, Signature]:
        """``translate`` and ``translate_png``: see ``translation.signatures``."""

        def translate(images, seed):
            noise = self.row_inputs(seed, tf.ones_like(seed, tf.float32))
            return self.sample(self.networks, {**noise, "sources": images * 2.0 - 1.0})

        return translation.signatures(translate, self.generator.inputs[1].shape[1:])
