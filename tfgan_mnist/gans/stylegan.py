"""The plain game with a G in two parts: latents become styles, styles images."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

import keras
import tensorflow as tf

from tfgan_mnist.gans import penalties
from tfgan_mnist.gans.gan import Batch, Signature, Terms, shown
from tfgan_mnist.gans.latents import draw, row_latents
from tfgan_mnist.gans.unconditional import Unconditional
from tfgan_mnist.system.replicas import mean_of_all
from tfgan_mnist.system.seeds import OWN, fold_in

MEAN_DECAY = 0.995  # a draw of fakes, of the mean style
PATH_LENGTH_DECAY = 0.99  # a time that the path length is taken, of its mean
PATH_LENGTH_EVERY = 4  # steps; its weight is so many times as large then

# What it draws besides.
OTHERS, MIXED, PLACE, NOISE, PATH, DIRECTIONS = range(OWN, OWN + 6)


class StyleGAN(Unconditional):
    """Karras et al., 2019 (arXiv:1812.04948) and 2020 (arXiv:1912.04958).

    Networks: ``mapping``, latents [batch, latent_dim] → styles [batch, latent_dim];
    ``synthesis``, styles [batch, layers, latent_dim] and noise [batch, numbers] →
    images; ``discriminator``. A share of the fakes has its last layers' styles from
    other latents (2019, section 3.1). G's loss has path length regularisation
    (2020, section 3.2). ``sample`` takes ``truncation_psi`` (2019, appendix B), and the
    noise of a row follows from its seed.

    Beside ``Unconditional``'s signatures:

        styles(latents, truncation_psi)  → styles [n, layers, latent_dim]
        synthesize(styles)               → images
        style_mixing(seed, column_seed, truncation_psi) → images, coarse styles of the
            one seed, fine ones of the other
        noise(seed, column_seed, truncation_psi) → images, styles of the one seed, noise
            of the other

    ``synthesize`` and ``serving_default``, which have no seed, take the same noise for
    every row.

    Attributes:
      state: ``mean_style`` [latent_dim]; ``path_length``, its running mean.
    """

    makers = ("mapping", "synthesis")
    sampler = "synthesis"
    controls = MappingProxyType({"truncation_psi": (-2.0, 2.0)})

    @dataclasses.dataclass(frozen=True)
    class Options(Unconditional.Options):
        style_mixing: float = 0.0
        path_length_weight: float = 0.0

    def __init__(self, networks, options, classes=0, clusters=None):
        super().__init__(networks, options, classes, clusters)
        self.latent_dim = networks["mapping"].inputs[0].shape[-1]
        styles, noise = networks["synthesis"].inputs
        self.layers, self.noise_dim = styles.shape[1], noise.shape[1]
        mean = tf.VariableAggregation.MEAN  # of replicas
        self.mean_style = tf.Variable(tf.zeros([self.latent_dim]), aggregation=mean)
        self.path_length = tf.Variable(0.0, aggregation=mean)
        self.state = {
            **self.state,
            "mean_style": self.mean_style,
            "path_length": self.path_length,
        }

    def generate(self, batch: Batch, seed: tf.Tensor, step: tf.Tensor) -> Batch:
        fakes = dict(super().generate(batch, seed, step))
        if self.options.path_length_weight:
            fakes |= {"step": step, "path_seed": fold_in(seed, PATH)}
        return fakes

    def _fakes(self, batch: Batch, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        styles = self._training_styles(batch["samples"].shape[0], seed)
        mean = tf.stop_gradient(tf.reduce_mean(styles[:, 0], axis=0))
        self.mean_style.assign(MEAN_DECAY * self.mean_style + (1.0 - MEAN_DECAY) * mean)
        return {"samples": self._rendered(styles, fold_in(seed, NOISE))}

    def _training_styles(self, count: int, seed: tf.Tensor) -> tf.Tensor:
        """Styles [count, layers, latent_dim], some of them mixed."""
        mapping = self.networks["mapping"]
        latents = self.draw_latents(count, seed)
        styles = self._of_all_layers(mapping(latents, training=True))
        if not self.options.style_mixing:
            return styles
        others = mapping(self.draw_latents(count, fold_in(seed, OTHERS)), training=True)
        mixed, place = (
            draw("standard_uniform", [count, 1], fold_in(seed, i))
            for i in (MIXED, PLACE)
        )
        # At least one layer of either, where they are mixed.
        first = 1.0 + tf.floor(place * (self.layers - 1))
        fine = tf.range(self.layers, dtype=tf.float32) >= first
        fine &= mixed < self.options.style_mixing
        return tf.where(fine[..., tf.newaxis], self._of_all_layers(others), styles)

    def _of_all_layers(self, styles: tf.Tensor) -> tf.Tensor:
        """Styles [n, latent_dim], the same for each layer."""
        styles = tf.cast(styles, tf.float32)
        return tf.tile(styles[:, tf.newaxis], [1, self.layers, 1])

    def _rendered(self, styles: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Images of styles and of noise from a seed, in training."""
        noise = draw("normal", [styles.shape[0], self.noise_dim], seed)
        return self.networks["synthesis"]([styles, noise], training=True)

    def _generator_loss(self, real, fake, fakes: Batch) -> Terms:
        terms = super()._generator_loss(real, fake, fakes)
        weight = self.options.path_length_weight
        if weight:
            terms["path_length"] = PATH_LENGTH_EVERY * weight * self._unevenness(fakes)
        return terms

    def _unevenness(self, fakes: Batch) -> tf.Tensor:
        """The mean squared difference of path lengths from their mean over all times.

        They are taken of half a batch (2020, appendix B), in some steps; else it is 0.
        """
        count, seed = max(1, fakes["samples"].shape[0] // 2), fakes["path_seed"]

        def measured() -> tf.Tensor:
            styles = self._training_styles(count, seed)
            directions = draw(
                "normal", [count, *self.sample_shape], fold_in(seed, DIRECTIONS)
            )
            return penalties.path_lengths(
                lambda styles: self._rendered(styles, fold_in(seed, NOISE)),
                styles,
                directions,
            )

        now = fakes["step"] % PATH_LENGTH_EVERY == 0
        lengths = tf.cond(now, measured, lambda: tf.zeros([count]))
        # The first mean is taken as it is. Replicas cannot talk within a condition.
        decay = tf.where(self.path_length > 0.0, PATH_LENGTH_DECAY, 0.0)
        mean = decay * self.path_length
        mean += (1.0 - decay) * mean_of_all(tf.reduce_mean(lengths))
        self.path_length.assign(tf.where(now, mean, self.path_length))
        differences = tf.where(now, lengths - mean, 0.0)
        return tf.reduce_mean(tf.square(differences))

    def inputs(self, count: int, seed: tf.Tensor, examples: Batch) -> Batch:
        """``latents`` and ``noise_seed`` int64 [count]."""
        noise_seed = tf.cast(seed[0], tf.int64) + tf.range(count, dtype=tf.int64)
        return {**super().inputs(count, seed, examples), "noise_seed": noise_seed}

    def row_inputs(
        self,
        seed: tf.Tensor,
        temperature: tf.Tensor,
        labels: tf.Tensor | None = None,
        *,
        truncation_psi: tf.Tensor,
    ) -> Batch:
        rows = super().row_inputs(seed, temperature, labels)
        return {**rows, "noise_seed": seed, "truncation_psi": truncation_psi}

    def sample(self, networks: Mapping[str, keras.Model], inputs: Batch) -> tf.Tensor:
        """Images of latents, or of ``styles`` if those are given.

        Without ``noise_seed`` all rows have the same noise; without ``truncation_psi``
        styles are as they are.
        """
        styles = inputs.get("styles")
        if styles is None:
            psi = inputs.get("truncation_psi", tf.ones_like(inputs["latents"][:, 0]))
            styles = self._styles(networks, inputs["latents"], psi)
        seeds = inputs.get("noise_seed", tf.zeros([1], tf.int64))
        noise = row_latents("normal", self.noise_dim, seeds, draw_number=1)
        if "noise_seed" not in inputs:
            noise = tf.repeat(noise, tf.shape(styles)[0], axis=0)
        images = networks["synthesis"]([styles, noise], training=False)
        return shown(images)

    def _styles(self, networks, latents: tf.Tensor, psi: tf.Tensor) -> tf.Tensor:
        """Styles [n, layers, latent_dim], drawn towards the mean one."""
        styles = self._of_all_layers(networks["mapping"](latents, training=False))
        psi = psi[:, tf.newaxis, tf.newaxis]
        return self.mean_style + psi * (styles - self.mean_style)

    def signatures(self) -> Mapping[str, Signature]:
        found = dict(super().signatures())
        networks, coarse = self.networks, self.layers // 2

        def styles(latents, truncation_psi):
            return {"styles": self._styles(networks, latents, truncation_psi)}

        def synthesize(styles):
            return {"images": self.sample(networks, {"styles": styles})}

        def mixed(seed, column_seed, truncation_psi):
            rows, columns = (
                self._styles(networks, self._row(seeds), truncation_psi)
                for seeds in (seed, column_seed)
            )
            both = tf.concat([rows[:, :coarse], columns[:, coarse:]], axis=1)
            inputs = {"styles": both, "noise_seed": seed}
            return {"images": self.sample(networks, inputs)}

        def noise(seed, column_seed, truncation_psi):
            rows = self._styles(networks, self._row(seed), truncation_psi)
            inputs = {"styles": rows, "noise_seed": column_seed}
            return {"images": self.sample(networks, inputs)}

        def spec(name, *shape, kind=tf.float32):
            return {name: tf.TensorSpec([None, *shape], kind, name=name)}

        psi, ranges = spec("truncation_psi"), self._ranges
        cells = spec("seed", kind=tf.int64) | spec("column_seed", kind=tf.int64) | psi
        return found | {
            "styles": Signature(styles, spec("latents", self.latent_dim) | psi, ranges),
            "synthesize": Signature(
                synthesize, spec("styles", self.layers, self.latent_dim)
            ),
            "style_mixing": Signature(mixed, cells, ranges),
            "noise": Signature(noise, cells, ranges),
        }

    def _row(self, seeds: tf.Tensor) -> tf.Tensor:
        distribution = self.options.latent_distribution
        return row_latents(distribution, self.latent_dim, seeds)
