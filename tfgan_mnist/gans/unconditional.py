"""The plain game: G turns latents into samples, D tells them from real ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from tfgan_mnist.gans import penalties
from tfgan_mnist.gans.augmentation import Augmentation
from tfgan_mnist.gans.gan import Batch, Side, Signature, Terms
from tfgan_mnist.gans.latents import FromLatents, draw
from tfgan_mnist.gans.losses import Loss
from tfgan_mnist.system.seeds import CHANGES, REAL_CHANGES, SHARE, fold_in

_CALMER_D = "lower learning rates or an R1 penalty (--r1_weight=0.1) for D, or more "
_SLOWER_G = "more --discriminator_updates, or a lower --generator_learning_rate"


class Unconditional(FromLatents):
    """Goodfellow et al., 2014 (arXiv:1406.2661).

    Networks: ``generator``, latents [batch, latent_dim] → samples; ``discriminator``,
    samples → logits [batch, 1]. A discriminator whose input holds several samples side
    by side sees so many as one, and gives so many times fewer logits.

    Beside ``FromLatents``' signatures:

        discriminate(images [n, height, width, channels])   → logits, probability [n]
    """

    sampler = "generator"
    makers: Sequence[str] = ("generator",)  # the networks that make the fakes

    @dataclasses.dataclass(frozen=True)
    class Options:
        """What both sides minimise; the fields are flags."""

        latent_distribution: str
        loss: Loss
        discriminator_loss_weight: float = 1.0
        r1_weight: float = 0.0
        r2_weight: float = 0.0
        gradient_penalty_weight: float = 0.0
        augmentation_target: float = 0.0

    def __init__(self, networks, options, classes=0, clusters=None):
        super().__init__(networks, options, classes, clusters)
        self.augmentation = None
        if options.augmentation_target:
            self.augmentation = Augmentation(options.augmentation_target)
            self.state = {**self.state, **self.augmentation.state}
        loss = options.loss
        won = dict(loss.won)
        if "discriminator" in won:
            won["discriminator"] *= options.discriminator_loss_weight
        self.sides = (
            Side(
                "discriminator",
                "D",
                ("discriminator",),
                contest=("real", "fake", "pairs"),
                won=won.get("discriminator"),
                advice=f"{_CALMER_D}--generator_updates",
            ),
            Side(
                "generator",
                "G",
                tuple(self.makers),
                generates=True,
                uses_batch=loss.needs_real,
                contest=("fake", "pairs"),
                won=won.get("generator"),
                advice=_SLOWER_G,
            ),
        )

    @property
    def generator(self) -> keras.Model:
        return self.networks["generator"]

    @property
    def discriminator(self) -> keras.Model:
        return self.networks["discriminator"]

    def generate(self, batch: Batch, seed: tf.Tensor, step: tf.Tensor) -> Batch:
        """With a gradient penalty fakes carry where between real and fake it is; with
        augmentation, what is done to them and to the real samples."""
        fakes = self._fakes(batch, seed)
        if self.augmentation:
            change, real = self.augmentation.draw, batch["samples"]
            fakes["changes"] = change(fakes["samples"], fold_in(seed, CHANGES))
            fakes["real_changes"] = change(real, fold_in(seed, REAL_CHANGES))
        if self.options.gradient_penalty_weight:
            count = self._packed(fakes["samples"]).shape[0]
            fakes["share"] = draw("standard_uniform", [count], fold_in(seed, SHARE))
        return fakes

    def _fakes(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        latents = self.draw_latents(batch["samples"].shape[0], seed)
        return {"samples": self.generator(latents, training=True)}

    def logits(self, some: Batch, training: bool = True) -> tf.Tensor:
        """D's logits [batch, 1] on a batch, or on fakes."""
        return self._pass(some, training)[0]

    def _pass(self, some: Batch, training: bool = True) -> list[tf.Tensor]:
        """D's answers on a batch or on fakes: its logits, and what else it gives."""
        found = self.discriminator(self._taken(some), training=training)
        return found if isinstance(found, list) else [found]

    def _taken(self, some: Batch) -> tf.Tensor | list[tf.Tensor]:
        """What D takes of a batch."""
        return self._packed(some["samples"])

    def _packed(self, samples: tf.Tensor) -> tf.Tensor:
        """Samples as D takes them: several side by side if it sees them as one."""
        return tf.reshape(samples, [-1, *self.discriminator.inputs[0].shape[1:]])

    def losses(
        self, batch: Batch, fakes: Batch, sides: Sequence[str]
    ) -> Mapping[str, Terms]:
        """Real and generated samples go through D in separate passes.

        Batch normalisation in D thus sees statistics of real or of generated samples,
        never of a mixture of both. With augmentation D sees them changed, and R1 is of
        what it sees.
        """
        if self.augmentation:
            change = self.augmentation.apply
            real = change(batch["samples"], fakes["real_changes"])
            fake = change(fakes["samples"], fakes["changes"])
            batch, fakes = {**batch, "samples": real}, {**fakes, "samples": fake}
        if "discriminator" not in sides:
            real = self._pass(batch) if self.options.loss.needs_real else None
            return {"generator": self._generator_loss(real, self._pass(fakes), fakes)}
        real, r1 = self._pass_with_penalty(batch, self.options.r1_weight, "r1")
        fake, r2 = self._pass_with_penalty(fakes, self.options.r2_weight, "r2")
        if self.augmentation:
            self.augmentation.adapt(real[0])
        terms = self._discriminator_loss(real, fake, batch, fakes)
        weight = self.options.discriminator_loss_weight
        if weight != 1.0:
            terms = {name: weight * term for name, term in terms.items()}
        terms |= r1 | r2 | self._gradient_penalty(batch, fakes)
        found = {"discriminator": terms}
        if "generator" in sides:
            found["generator"] = self._generator_loss(real, fake, fakes)
        return found

    def _discriminator_loss(self, real, fake, batch: Batch, fakes: Batch) -> Terms:
        """D's terms, penalties aside, from its answers."""
        return dict(self.options.loss.discriminator(real[0], fake[0]))

    def _generator_loss(self, real, fake, fakes: Batch) -> Terms:
        """G's terms from D's answers; ``real`` is None unless the loss needs it."""
        return dict(self.options.loss.generator(real and real[0], fake[0]))

    def _gradient_penalty(self, batch: Batch, fakes: Batch) -> Terms:
        """The penalty between real and generated samples, unless it has no weight."""
        weight = self.options.gradient_penalty_weight
        if not weight:
            return {}
        penalty = penalties.one_centred(
            lambda samples: self.logits({**batch, "samples": samples}),
            self._packed(batch["samples"]),
            self._packed(fakes["samples"]),
            fakes["share"],
        )
        return {"gradient_penalty": weight * penalty}

    def _pass_with_penalty(
        self, some: Batch, weight: float, name: str
    ) -> tuple[list[tf.Tensor], Terms]:
        """D's answers, and its gradient penalty there unless it has no weight."""
        if not weight:
            return self._pass(some), {}
        penalty, answers = penalties.zero_centred(
            lambda samples: self._pass({**some, "samples": samples}),
            self._packed(some["samples"]),
        )
        return answers, {name: weight * penalty}

    def signatures(self) -> Mapping[str, Signature]:
        kind, labels = self._kind, self._label_specs

        def discriminate(**given):
            samples = given.pop(kind)
            some = {"samples": samples * 2.0 - 1.0 if self.makes_images else samples}
            some |= self._labels(given)
            logits = self.logits(some, training=False)[:, 0]
            return {"logits": logits, "probability": tf.sigmoid(logits)}

        # A D that sees several samples as one takes them side by side, as one row.
        shape = self.discriminator.inputs[0].shape
        seen = {kind: tf.TensorSpec(shape, tf.float32, name=kind)}
        discriminate = Signature(discriminate, seen | labels, self._ranges)
        return {**super().signatures(), "discriminate": discriminate}
