"""The conditional game in which both sides are told a sentence, in two stages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import keras
import tensorflow as tf

from tfgan_mnist.gans.conditional import Conditional
from tfgan_mnist.gans.gan import Batch, Terms, shown
from tfgan_mnist.gans.penalties import normal_divergence


class StackGAN(Conditional):
    """Zhang et al., 2017 (arXiv:1612.03242).

    Networks: of the first stage ``generator``, [latents, captions] → samples, and mean
    and log variance of the condition; of the second one the same, which no side trains,
    and ``refiner``, [latents, captions, generator's samples] → the same three; and
    ``discriminator``, [samples, captions] → logits. A batch has ``captions`` int64
    [batch, words], by their numbers, and ``wrong_captions``, which are not true.

    The loss of the side that makes samples also keeps conditions near the standard
    normal distribution (section 3.2, equation 2). Its SavedModel takes ``prompt``
    string [n] where others take a label.

    Args:
      vectorize: sentences string [n] → numbers of words int64 [n, most words + 1]: 0
        fills up, 1 is an unknown word; the last is 0 unless there are too many.
      others: as of ``Conditional``.
    """

    @dataclasses.dataclass(frozen=True)
    class Options(Conditional.Options):
        kl_weight: float = 1.0

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        options: Options,
        classes: int,
        clusters: None,
        vectorize: keras.layers.TextVectorization,
    ):
        self.sampler = "refiner" if "refiner" in networks else "generator"
        self.makers = (self.sampler,)
        self.frozen = () if self.sampler == "generator" else ("generator",)
        super().__init__(networks, options, classes, clusters)
        self.vectorize = vectorize
        self.resources = (vectorize,)

    def _made(
        self,
        networks: Mapping[str, keras.Model],
        latents: tf.Tensor,
        captions: tf.Tensor,
        training: bool,
    ) -> list[tf.Tensor]:
        """Samples in [-1, 1], mean and log variance of the last stage's condition."""
        given = [latents, captions]
        if self.frozen:
            small, *_ = networks["generator"](given, training=False)
            given.append(small)
        return networks[self.sampler](given, training=training)

    def _fakes(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Fakes of the batch's own captions."""
        captions = batch["captions"]
        latents = self.draw_latents(batch["samples"].shape[0], seed)
        made = self._made(self.networks, latents, captions, training=True)
        found = dict(zip(("samples", "mean", "log_variance"), made, strict=True))
        return found | {"condition": captions}

    def _condition_of(self, some: Batch) -> tf.Tensor:
        return some["condition"] if "condition" in some else self._captions(some)

    def _captions(self, some: Batch) -> tf.Tensor:
        """Captions; of labels alone, the digits themselves."""
        if "captions" in some:
            return some["captions"]
        return self.vectorize(tf.strings.as_string(some["labels"]))

    def _wrong_condition(self, batch: Batch, fakes: Batch) -> tf.Tensor:
        return batch["wrong_captions"]

    def _generator_loss(self, real, fake, fakes: Batch) -> Terms:
        terms = super()._generator_loss(real, fake, fakes)
        divergence = normal_divergence(fakes["mean"], fakes["log_variance"])
        return terms | {"kl": self.options.kl_weight * divergence}

    def inputs(self, count: int, seed: tf.Tensor, examples: Batch) -> Batch:
        """``latents``, ``labels``, and ``captions`` if the examples have some."""
        found = dict(super().inputs(count, seed, examples))
        if "captions" in examples:
            found["captions"] = examples["captions"]
        return found

    def sample(self, networks: Mapping[str, keras.Model], inputs: Batch) -> tf.Tensor:
        """Images of ``captions``, or else of ``labels``."""
        captions = self._captions(inputs)
        samples, *_ = self._made(networks, inputs["latents"], captions, training=False)
        return shown(samples)

    @property
    def _label_specs(self) -> dict[str, tf.TensorSpec]:
        return {"prompt": tf.TensorSpec([None], tf.string, name="prompt")}

    def _labels(self, given: Batch) -> Batch:
        """Prompts as ``sample`` takes them; those that cannot be read are refused."""
        prompts = given["prompt"]
        captions = self.vectorize(prompts)
        for wrong, what in (
            (tf.reduce_all(captions == 0, axis=1), "has no words"),
            (tf.reduce_any(captions == 1, axis=1), "has words that are not known"),
            (captions[:, -1] != 0, "has too many words"),
        ):
            found = tf.boolean_mask(prompts, wrong)
            tf.debugging.Assert(tf.size(found) == 0, [f"prompt: {what}", found])
        return {"captions": captions}
