import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_gan
from tfgan_mnist.gans.penalties import orthogonal


@pytest.fixture(scope="module")
def gan():
    return build_gan(tiny_config("biggan"))


def test_g_has_a_penalty_on_kernels_that_are_not_orthogonal(gan):
    fakes = {"samples": tf.zeros([2, 28, 28, 1]), "condition": tf.constant([1, 2])}
    terms = gan.losses(fakes, fakes, ["generator"])["generator"]
    # Its weights begin orthogonal; a kernel that is wider than high cannot be.
    kernels = [v for v in gan.generator.trainable_variables if len(v.shape) > 1]
    wide = [
        float(orthogonal(tf.convert_to_tensor(v)))
        for v in kernels
        if "embeddings" not in v.path
    ]
    assert len(wide) == len(kernels) - 1
    expected = gan.options.orthogonal_weight * sum(wide)
    np.testing.assert_allclose(terms["orthogonal"], expected, rtol=1e-4)


def test_truncated_rows_are_times_their_temperature(gan):
    seeds = tf.constant([1, 2, 1], tf.int64)
    truncation = tf.constant(3 * [0.4])
    factors = tf.constant([1.0, 1.0, 0.5])
    rows = gan.row_inputs(seeds, factors, truncation=truncation)
    latents = rows["latents"].numpy()
    assert latents.shape == (3, gan.latent_dim)
    assert np.abs(latents[:2]).max() <= 0.4
    np.testing.assert_array_equal(latents[2], 0.5 * latents[0])


def test_both_networks_are_spectrally_normalised(gan):
    for network in gan.networks.values():
        directions = [w for w in network.weights if w.path.endswith("direction")]
        kernels = [w for w in network.trainable_weights if len(w.shape) > 1]
        assert len(directions) == len(kernels)
