"""The game of two translations that must undo each other; no pairs are needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from tfgan_mnist.gans import translation
from tfgan_mnist.gans.gan import GAN, Batch, Side, Signature, Terms, shown
from tfgan_mnist.gans.losses import Loss
from tfgan_mnist.system.replicas import all_rows, take_own
from tfgan_mnist.system.seeds import fold_in

POOL = 50
"""Earlier fakes of either kind that D is shown (Zhu et al., section 4)."""


class CycleGAN(GAN):
    """Zhu et al., 2017 (arXiv:1703.10593).

    A batch has ``sources`` and ``samples``, images of two kinds that do not belong
    together. Networks: ``generator`` turns sources into samples and ``generator_back``
    the other way; ``discriminator`` sees samples and ``discriminator_back`` sources, a
    logit for each patch. G's side minimises, beside its adversarial terms, the mean
    absolute difference of an image and the same one there and back (``cycle``), and
    that of an image of the kind that a network makes and what it makes of it
    (``identity``, section 5.2).

    D's side sees, instead of each fake, with probability ½ an earlier one from a pool,
    which keeps the new one in its place (Shrivastava et al., 2017, arXiv:1612.07828).
    """

    @dataclasses.dataclass(frozen=True)
    class Options:
        """What both sides minimise; the fields are flags."""

        loss: Loss
        adversarial_weight: float = 1.0
        discriminator_loss_weight: float = 1.0
        cycle_weight: float = 10.0
        identity_weight: float = 5.0

    def __init__(self, networks, options, classes=0, clusters=None):
        super().__init__(networks, options, classes, clusters)
        both = 2.0 * options.loss.won.get("discriminator", 0.0)
        self.sides = (
            Side(
                "discriminator",
                "D",
                ("discriminator", "discriminator_back"),
                contest=("real", "fake", "real_back", "fake_back"),
                won=both * options.discriminator_loss_weight or None,
                advice="a lower --discriminator_learning_rate",
            ),
            Side("generator", "G", ("generator", "generator_back"), generates=True),
        )
        shape = list(networks["generator"].outputs[0].shape[1:])
        shape_back = list(networks["generator_back"].outputs[0].shape[1:])
        self.pools = {
            "samples": Pool(shape, "samples"),
            "sources": Pool(shape_back, "sources"),
        }
        self.state = {
            name: variable
            for pool in self.pools.values()
            for name, variable in pool.state.items()
        }
        self.sample_shape = tuple(shape)

    def generate(self, batch: Batch, seed: tf.Tensor, step: tf.Tensor) -> Batch:
        """Translations both ways, and what the pools' choices follow from."""
        samples = self.networks["generator"](batch["sources"], training=True)
        sources = self.networks["generator_back"](batch["samples"], training=True)
        return {
            "samples": samples,
            "sources": sources,
            "seeds": tf.stack([fold_in(seed, 1), fold_in(seed, 2)]),
        }

    def losses(
        self, batch: Batch, fakes: Batch, sides: Sequence[str]
    ) -> Mapping[str, Terms]:
        found = {}
        if "discriminator" in sides:
            found["discriminator"] = self._discriminator_loss(batch, fakes)
        if "generator" in sides:
            found["generator"] = self._generator_loss(batch, fakes)
        return found

    def _discriminator_loss(self, batch: Batch, fakes: Batch) -> Terms:
        terms = {}
        for i, (kind, suffix) in enumerate(KINDS.items()):
            discriminator = self.networks[f"discriminator{suffix}"]
            shown = self.pools[kind].exchange(fakes[kind], fakes["seeds"][i])
            real = discriminator(batch[kind], training=True)
            fake = discriminator(shown, training=True)
            pair = self.options.loss.discriminator(real, fake)
            weight = self.options.discriminator_loss_weight
            terms |= {f"{name}{suffix}": weight * t for name, t in pair.items()}
        return terms

    def _generator_loss(self, batch: Batch, fakes: Batch) -> Terms:
        options, terms = self.options, {}
        for kind, other in (("samples", "sources"), ("sources", "samples")):
            suffix = KINDS[kind]
            discriminator = self.networks[f"discriminator{suffix}"]
            real = None
            if options.loss.needs_real:
                real = discriminator(batch[kind], training=True)
            fake = discriminator(fakes[kind], training=True)
            pair = options.loss.generator(real, fake)
            terms |= {
                f"{name}{suffix}": options.adversarial_weight * term
                for name, term in pair.items()
            }
            make = self.networks[f"generator{suffix}"]  # of this kind
            again = make(fakes[other], training=True)
            terms[f"cycle{suffix}"] = options.cycle_weight * _l1(batch[kind], again)
            if options.identity_weight:
                same = make(batch[kind], training=True)
                weight = options.identity_weight
                terms[f"identity{suffix}"] = weight * _l1(batch[kind], same)
        return terms

    def inputs(self, count: int, seed: tf.Tensor, examples: Batch) -> Batch:
        """The examples of both kinds."""
        return {kind: examples[kind] for kind in KINDS}

    def sample(self, networks: Mapping[str, keras.Model], inputs: Batch) -> tf.Tensor:
        """What becomes of the sources."""
        return shown(networks["generator"](inputs["sources"], training=False))

    def show(
        self, networks: Mapping[str, keras.Model], inputs: Batch
    ) -> Sequence[tf.Tensor]:
        """An image, its translation and that back again, of either kind."""
        there, back = networks["generator"], networks["generator_back"]
        found = []
        for image, first, second in (
            (inputs["sources"], there, back),
            (inputs["samples"], back, there),
        ):
            translated = first(image, training=False)
            found += [image, translated, second(translated, training=False)]
        return [shown(images) for images in found]

    def signatures(self) -> Mapping[str, Signature]:
        """``translate`` and ``translate_png``, and both with ``_back``: see
        ``translation.signatures``. There is no noise, so the seed decides nothing."""
        found = {}
        for suffix in KINDS.values():
            network = self.networks[f"generator{suffix}"]

            def translate(images, seed, network=network):
                return shown(network(images * 2.0 - 1.0, training=False))

            shape = network.inputs[0].shape[1:]
            found |= translation.signatures(translate, shape, suffix)
        return found


KINDS = {"samples": "", "sources": "_back"}
"""The kinds of images, and how the names of their networks end."""


def _l1(images: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.abs(images - others))


class Pool:
    """Earlier fakes, kept in variables.

    Each replica has all of it, and changes it as the others do.

    Args:
      shape: of an image.
      name: heads the names of the variables.
      size: how many it keeps.

    Attributes:
      state: its variables, by name.
    """

    def __init__(self, shape: Sequence[int], name: str, size: int = POOL):
        self.size = size
        self.images, self.filled = (
            tf.Variable(
                start,
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
            for start in (tf.zeros([size, *shape]), tf.constant(0))
        )
        self.state = {
            f"pool_{name}/images": self.images,
            f"pool_{name}/filled": self.filled,
        }

    def exchange(self, fakes: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """What D is shown in place of fakes, of which the pool keeps some.

        While there is room a fake is kept, and shown. Then each is either shown, or
        exchanged for one of the pool, with the same probability; no two for the same,
        so that those beyond the pool's size are shown.

        Args:
          fakes: [n, ...]; no gradient goes through.
          seed: int32 [2].
        """
        fakes = all_rows(tf.stop_gradient(fakes))
        count = fakes.shape[0]
        kept = self.filled + tf.range(count)  # the place of each, if there is room
        room = kept < self.size
        places = max(self.size, count)
        order = tf.argsort(
            tf.random.stateless_uniform([places], fold_in(seed, 0), alg="philox")
        )
        coin = tf.random.stateless_uniform([count], fold_in(seed, 1), alg="philox")
        place = tf.where(room, kept, order[:count])
        swapped = ~room & (coin < 0.5) & (place < self.size)
        place = tf.minimum(place, self.size - 1)
        stored = tf.concat([self.images, fakes], axis=0)
        # Those that find room come first: what is exchanged may be one of them.
        sources = tf.range(self.size)
        rows = self.size + tf.range(count)
        sources = _replaced(sources, place, rows, room)
        before = tf.gather(stored, sources)
        shown = tf.where(
            swapped[:, tf.newaxis, tf.newaxis, tf.newaxis],
            tf.gather(before, place),
            fakes,
        )
        sources = _replaced(sources, place, rows, swapped)
        self.images.assign(tf.gather(stored, sources))
        self.filled.assign(tf.minimum(self.filled + count, self.size))
        return take_own(shown)


def _replaced(values: tf.Tensor, places: tf.Tensor, new: tf.Tensor, which: tf.Tensor):
    """Values [m] with new ones [n] at places, but only those that are to be."""
    nowhere = tf.size(values)  # a place after the last, which is dropped again
    places = tf.where(which, places, nowhere)[:, tf.newaxis]
    longer = tf.concat([values, new[:1]], axis=0)
    return tf.tensor_scatter_nd_update(longer, places, new)[:-1]
