import numpy as np
import pytest

from tfgan_mnist.networks import toys
from tfgan_mnist.registry import NETWORKS

PARAMETERS = {
    "gaussian": (
        1,
        50,
        (1 * 50 + 50) + (50 * 50 + 50) + (50 + 1),
        (200 * 50 + 50) + (50 * 50 + 50) + (50 + 1),
    ),
    "gaussian_raw": (
        1,
        50,
        (1 * 50 + 50) + (50 * 50 + 50) + (50 + 1),
        (100 * 50 + 50) + (50 * 50 + 50) + (50 + 1),
    ),
    "gaussian_single": (
        1,
        50,
        (1 * 50 + 50) + (50 * 50 + 50) + (50 + 1),
        (1 * 50 + 50) + (50 * 50 + 50) + (50 + 1),
    ),
    "moons": (
        32,
        128,
        (32 * 128 + 128) + (128 * 2 + 2),
        (2 * 128 + 128) + (128 + 1),
    ),
    "points": (
        16,
        128,
        (16 * 128 + 128) + 2 * (128 * 128 + 128) + (128 * 2 + 2),
        (2 * 128 + 128) + 2 * (128 * 128 + 128) + (128 + 1),
    ),
    "maxout": (
        2,
        400,
        (2 * 400 + 3 * 400 * 400) + 4 * 4 * 400 + (400 * 2 + 2),
        (2 * 1000 + 1000) + 2 * (200 * 1000 + 1000) + (200 + 1),
    ),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_by_hand(name):
    latent_dim, width, *expected = PARAMETERS[name]
    pair = getattr(toys, name)(latent_dim, width, 1)
    assert [network.count_params() for network in pair] == expected
    dimensions = 1 if NETWORKS[name].makes == "values" else 2
    assert pair[0].output_shape == (None, dimensions)
    assert pair[1].input_shape == (None, dimensions * NETWORKS[name].packing)


def test_every_toy_of_the_flags_is_counted():
    pairs = NETWORKS.items()
    toy_networks = {n for n, p in pairs if p.makes not in ("images", "stacks")}
    assert toy_networks == set(PARAMETERS)


def test_d_of_the_gaussian_sees_deviations_from_the_mean_of_its_minibatch():
    _, discriminator = toys.gaussian(1, 4, 1)
    inner = discriminator.layers
    values = np.random.default_rng(1).normal(size=[2, 100]).astype(np.float32)
    concatenated = next(layer for layer in inner if "concatenate" in layer.name)
    import keras

    seen = keras.Model(discriminator.input, concatenated.output)(values).numpy()
    np.testing.assert_array_equal(seen[:, :100], values)
    expected = (values - values.mean(axis=1, keepdims=True)) ** 2
    np.testing.assert_allclose(seen[:, 100:], expected, rtol=1e-4, atol=1e-6)


def test_a_maxout_unit_is_the_largest_of_five_products():
    _, discriminator = toys.maxout(2, 4, 1)
    dense = [layer for layer in discriminator.layers if layer.name.startswith("dense")]
    x = np.random.default_rng(1).normal(size=[3, 2]).astype(np.float32)
    for layer in dense[:-1]:
        weights, offset = layer.get_weights()
        x = (x @ weights + offset).reshape(3, 2, 5).max(axis=-1)
    weights, offset = dense[-1].get_weights()
    points = np.random.default_rng(1).normal(size=[3, 2]).astype(np.float32)
    np.testing.assert_allclose(discriminator(points), x @ weights + offset, rtol=1e-4)
