"""A game of one's own; what the package's declare is looked at in test_recipes.py."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import write_model

from tfgan_mnist.gans.clusters import Clusters
from tfgan_mnist.gans.gan import GAN, Side, Signature


class Copycat(GAN):
    """The smallest game there can be: it shows its inputs, and learns nothing."""

    sides = (Side("copier", "C", ("copier",)),)

    def generate(self, batch, seed, step):
        return batch

    def losses(self, batch, fakes, sides):
        return {side: {} for side in sides}

    def inputs(self, count, seed, examples):
        return {"latents": tf.random.stateless_uniform([count, 2], seed)}

    def sample(self, networks, inputs):
        return networks["copier"](inputs["latents"])

    def signatures(self):
        def copy(latents):
            return {"points": self.sample(self.networks, {"latents": latents})}

        inputs = {"latents": tf.TensorSpec([None, 2], tf.float32, name="latents")}
        return {"serving_default": Signature(copy, inputs, {"latents": (0.0, 1.0)})}


def copier() -> dict[str, keras.Model]:
    layers = [keras.Input([2]), keras.layers.Dense(2, kernel_initializer="identity")]
    return {"copier": keras.Sequential(layers, name="copier")}


def test_a_game_owns_what_it_was_given_and_no_state_unless_it_has_clusters():
    networks, options = copier(), object()
    gan = Copycat(networks, options)
    assert (gan.networks, gan.options, gan.classes) == (networks, options, 0)
    assert gan.state == {}
    assert tuple(gan.frozen) == tuple(gan.resources) == ()
    clusters = Clusters.unknown(1, 3, 2, 0.25)
    assert Copycat(networks, options, 10, clusters).state is clusters.state


def test_what_is_shown_are_the_samples_unless_a_game_says_more():
    gan = Copycat(copier(), None)
    inputs = gan.inputs(5, tf.constant([1, 2]), {})
    (shown,) = gan.show(gan.networks, inputs)
    np.testing.assert_array_equal(shown, inputs["latents"])


@pytest.mark.parametrize("method", sorted(GAN.__abstractmethods__))
def test_a_game_without_one_of_its_methods_cannot_be_made(method):
    less = type("Less", (Copycat,), {method: getattr(GAN, method)})
    with pytest.raises(TypeError, match=method):
        less({}, None)


def test_a_side_is_what_it_was_declared():
    side = Side("critic", "C", ("critic",))
    assert side.uses_batch
    assert not side.generates
    assert side.won is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        side.won = 1.0


def test_a_signature_s_ranges_belong_to_it_alone():
    one = Signature(lambda: {}, {})
    assert dict(one.ranges) == {}
    with pytest.raises(TypeError):
        one.ranges["images"] = (0.0, 1.0)


def test_a_game_of_one_s_own_is_saved_and_its_ranges_are_checked(tmp_path):
    write_model(Copycat(copier(), None), tmp_path / "model")
    answer = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    latents = tf.constant([[0.25, 0.5], [1.0, 0.0]])
    np.testing.assert_array_equal(answer(latents=latents)["points"], latents)
    with pytest.raises(tf.errors.InvalidArgumentError, match="latents: must be from 0"):
        answer(latents=2.0 * latents)
