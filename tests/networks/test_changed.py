import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_networks, build_training
from tfgan_mnist.networks import changed, conditional, dcgan
from tfgan_mnist.networks.layers import SpectralNormalization


def kinds(network: keras.Model) -> set[type]:
    return {type(layer) for layer in changed.every_layer(network)}


def norms(networks: dict[str, keras.Model]) -> list[keras.Layer]:
    return [
        layer
        for network in networks.values()
        for layer in changed.every_layer(network)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def test_unchanged_networks_are_those_that_are_made():
    networks = changed.build(dcgan.dcgan32, 5, 4, 1)
    assert list(networks) == ["generator", "discriminator"]
    for network, made in zip(networks.values(), dcgan.dcgan32(5, 4, 1), strict=True):
        assert kinds(network) == kinds(made)
        for own, theirs in zip(network.weights, made.weights, strict=True):
            np.testing.assert_array_equal(own, theirs)
    assert [layer.synchronized for layer in norms(networks)] == 5 * [False]


def test_networks_are_told_of_labels_if_there_are_some():
    told = changed.build(conditional.cgan_embedding, 5, 4, 1, labels=3)
    made = conditional.cgan_embedding(5, 4, 1, 3)
    for network, same in zip(told.values(), made, strict=True):
        shapes = [weight.shape for weight in network.weights]
        assert shapes == [weight.shape for weight in same.weights]
        assert any(shape[0] == 3 for shape in shapes)  # an embedding for each


@pytest.mark.parametrize("of_d", [True, False])
def test_either_side_has_kernels_of_norm_one_if_it_shall(of_d):
    networks = changed.build(
        dcgan.dcgan_fast,
        5,
        4,
        1,
        spectral_normalization=of_d,
        generator_spectral_normalization=not of_d,
    )
    for name, network in networks.items():
        normalised = SpectralNormalization in kinds(network)
        assert normalised == (of_d == (name == "discriminator"))


def test_statistics_are_those_of_all_replicas_if_they_shall():
    networks = changed.build(dcgan.dcgan32, 5, 4, 1, synchronized=True)
    assert [layer.synchronized for layer in norms(networks)] == 5 * [True]


def test_layers_of_networks_in_networks_are_found_in_order():
    dense, relu, last = keras.layers.Dense(3), keras.layers.ReLU(), keras.layers.ReLU()
    inner = keras.Sequential([keras.Input([2]), dense, relu])
    middle = keras.Sequential([keras.Input([2]), inner])
    network = keras.Sequential([keras.Input([2]), middle, last])
    assert list(changed.every_layer(network)) == [dense, relu, last]


def test_a_prelu_is_a_quarter_below_zero_at_first():
    inner = keras.Sequential([keras.Input([3]), keras.layers.LeakyReLU(0.2)])
    network = keras.Sequential([keras.Input([3]), keras.layers.ReLU(), inner])
    found = changed.with_prelu(network)(tf.constant([[-4.0, 0.0, 4.0]]))
    np.testing.assert_array_equal(found, [[-0.25, 0.0, 4.0]])
    assert kinds(network) == {keras.layers.ReLU, keras.layers.LeakyReLU}  # as before


@pytest.mark.parametrize("recipe", ["dcgan_cpu", "cgan_embedding", "moons"])
def test_prelu_has_a_slope_for_every_channel(recipe):
    plain = build_networks(tiny_config(recipe))
    changed = build_networks(tiny_config(recipe, prelu=True))
    kinds = keras.layers.ReLU | keras.layers.LeakyReLU
    for name, network in changed.items():
        layers = [*network._flatten_layers(include_self=False, recursive=True)]
        slopes = [x for x in layers if isinstance(x, keras.layers.PReLU)]
        assert slopes
        assert not any(isinstance(layer, kinds) for layer in layers)
        for layer in slopes:
            (alpha,) = layer.get_weights()
            assert alpha.size == layer.output.shape[-1]
            assert (alpha == 0.25).all()
        more = sum(layer.count_params() for layer in slopes)
        assert network.count_params() == plain[name].count_params() + more
    training = build_training(tiny_config(recipe, prelu=True))
    assert np.isfinite(training.step(tf.constant(0), tf.constant(2))).all()
