import math

import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_training
from tfgan_mnist.gans.penalties import normal_divergence
from tfgan_mnist.gans.vae import pixel_cross_entropy


def test_divergence_from_the_standard_normal_by_hand():
    zero = tf.zeros([2, 3])
    assert float(normal_divergence(zero, zero)) == 0.0
    # ½(m² + s² - log s² - 1), in three dimensions.
    mean, log_variance = tf.fill([2, 3], 2.0), tf.fill([2, 3], math.log(4.0))
    expected = 3 * 0.5 * (4.0 + 4.0 - math.log(4.0) - 1.0)
    assert float(normal_divergence(mean, log_variance)) == pytest.approx(expected)


def test_cross_entropy_of_pixels_by_hand():
    real = tf.constant([[1.0, -1.0], [0.0, 0.0]])
    decoded = tf.constant([[0.5, -0.5], [0.0, 0.5]])
    expected = [-2 * math.log(0.75), math.log(2) - 0.5 * math.log(0.75 * 0.25)]
    found = float(pixel_cross_entropy(real, decoded))
    assert found == pytest.approx(np.mean(expected), rel=1e-5)
    # A pixel that is all wrong costs much, but is finite, and learns.
    wrong = -tf.ones([1, 1])
    with tf.GradientTape() as tape:
        tape.watch(wrong)
        loss = pixel_cross_entropy(tf.ones([1, 1]), wrong)
    assert 10 < float(loss) < 20
    assert float(tape.gradient(loss, wrong)[0, 0]) < -1e4


def test_one_side_trains_both_networks_and_learns_to_reconstruct():
    config = tiny_config("vae", generator_learning_rate=3e-3)
    training = build_training(config)
    (side,) = training.gan.sides
    assert side.networks == ("encoder", "decoder")
    before = {name: v.numpy() for name, v in training.variables.items()}
    first = training.step(tf.constant(0), tf.constant(8)).numpy()
    changed = {
        name.split("/")[0]
        for name, v in training.variables.items()
        if not np.array_equal(before[name], v.numpy())
    }
    assert {"encoder", "decoder", "autoencoder_optimizer"} <= changed
    for i in range(1, 5):
        last = training.step(tf.constant(8 * i), tf.constant(8)).numpy()
    names = training.step.names
    assert names == ("autoencoder", "autoencoder_reconstruction", "autoencoder_kl")
    np.testing.assert_allclose(last[:, 0], last[:, 1] + last[:, 2], rtol=1e-5)
    assert last[:, 1].mean() < 0.8 * first[:, 1].mean()


def test_noise_follows_from_the_seed_alone():
    gan = build_training(tiny_config("vae")).gan
    batch = {"samples": tf.zeros([2, 28, 28, 1])}
    one, again, other = (
        gan.generate(batch, tf.constant([seed, 0]), tf.constant(0))["samples"]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
