import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.networks import dcgan
from tfgan_mnist.registry import NETWORKS, find

# Parameters counted by hand from the published layer lists, statistics included.
G32 = (
    (100 * 4096 + 4096)
    + (9 * 256 * 128 + 128)
    + (9 * 128 * 64 + 64)
    + (16 * 64 + 1)
    + 4 * (128 + 64)
)
D32 = (
    (9 * 16 + 16)
    + (9 * 16 * 32 + 32)
    + (9 * 32 * 64 + 64)
    + (16 * 64 * 128 + 128)
    + (128 + 1)
)
PARAMETERS = {
    "dcgan": (
        # dense; 5×5 kernels and biases; offset and two statistics of BN
        (100 * 4608 + 4608)
        + (25 * 512 * 256 + 256)
        + (25 * 256 * 128 + 128)
        + (25 * 128 * 64 + 64)
        + (25 * 64 + 1)
        + 3 * (512 + 256 + 128 + 64),
        (25 * 64 + 64)
        + (25 * 64 * 128 + 128)
        + (25 * 128 * 256 + 256)
        + (25 * 256 * 512 + 512)
        + (2 * 2 * 512 + 1)
        + 3 * (128 + 256 + 512),
    ),
    "dcgan_tutorial": (
        100 * 12544 + 25 * (256 * 128 + 128 * 64 + 64) + 4 * (12544 + 128 + 64),
        (25 * 64 + 64) + (25 * 64 * 128 + 128) + (7 * 7 * 128 + 1),
    ),
    "dcgan32": (G32, D32 + 4 * (32 + 64 + 128)),
    "dcgan32_unnormalised": (G32, D32),
    "dcgan_fast": (
        100 * 49 * 256
        + 16 * (256 * 128 + 128 * 64)
        + (9 * 64 + 1)
        + 4 * (256 + 128 + 64),
        (16 * 64 + 64)
        + (16 * 64 * 128 + 128)
        + (16 * 128 * 256 + 256)
        + (4 * 4 * 256 + 1),
    ),
}
SHAPES32 = ([(4, 4), (9, 9), (17, 17), (32, 32)], [16, 8, 4, 1])
SHAPES = {
    "dcgan": ([(3, 3), (6, 6), (12, 12), (24, 24), (28, 28)], [14, 7, 4, 2]),
    "dcgan_tutorial": ([(7, 7), (7, 7), (14, 14), (28, 28)], [14, 7]),
    "dcgan32": SHAPES32,
    "dcgan32_unnormalised": SHAPES32,
    "dcgan_fast": ([(7, 7), (14, 14), (28, 28)], [14, 7, 4]),
}


def make(name: str, latent_dim: int, base_channels: int, seed: int) -> dcgan.Pair:
    return find(NETWORKS[name].make)(latent_dim, base_channels, seed)


@pytest.mark.parametrize("name", PARAMETERS)
def test_published_parameters_and_shapes(name):
    generator, discriminator = make(name, 100, 64, 1)
    assert (generator.count_params(), discriminator.count_params()) == PARAMETERS[name]
    maps, sizes = SHAPES[name]
    found = [
        layer.output.shape[1:3]
        for layer in generator.layers
        if isinstance(layer, keras.layers.Reshape | keras.layers.Conv2DTranspose)
    ]
    if name.startswith("dcgan32"):  # cropped after each but the first
        assert found == [(4, 4), (9, 9), (19, 19), (36, 36)]
        assert generator.output_shape == (None, 32, 32, 1)
    else:
        assert found == maps
    convolutions = [
        layer.output.shape[1]
        for layer in discriminator.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    assert convolutions == sizes


@pytest.mark.parametrize("name", PARAMETERS)
def test_ranges_and_modes(name):
    generator, discriminator = make(name, 100, 4, 1)
    latents = tf.random.stateless_normal([6, 100], [1, 2]) * 10
    images = generator(latents, training=True)
    assert abs(images.numpy()).max() <= 1.0
    logits = discriminator(images, training=True)
    assert logits.shape == [6, 1]
    # In inference an image is its latents' alone; in training it is its batch's.
    alone = generator(latents[:1], training=False)
    np.testing.assert_allclose(alone, generator(latents, training=False)[:1], atol=1e-5)


@pytest.mark.parametrize("name", PARAMETERS)
def test_seed_makes_the_initial_weights(name):
    def weights(seed):
        return [w for n in make(name, 10, 4, seed) for w in n.get_weights()]

    for one, same in zip(weights(1), weights(1), strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(weights(1)[0], weights(2)[0])


def test_normalisation_of_dcgan_has_an_offset_and_no_scale():
    for network in dcgan.dcgan(10, 4, 1):
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                assert (layer.scale, layer.center) == (False, True)
                assert (layer.momentum, layer.epsilon) == (0.9, 0.001)


def test_initial_weights_of_dcgan32():
    generator, _ = dcgan.dcgan32(100, 64, 1)
    kernel = next(
        layer.kernel.numpy()
        for layer in generator.layers
        if isinstance(layer, keras.layers.Conv2DTranspose)
    )
    np.testing.assert_allclose(kernel.std(), 0.02, rtol=0.02)
    scales = np.concatenate(
        [
            layer.gamma.numpy()
            for layer in generator.layers
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
    )
    np.testing.assert_allclose(scales.mean(), 1.0, atol=0.01)
    np.testing.assert_allclose(scales.std(), 0.02, rtol=0.3)


def test_dcgan32_unnormalised_judges_each_image_alone():
    generator, discriminator = dcgan.dcgan32_unnormalised(100, 8, 1)
    normalised, _ = dcgan.dcgan32(100, 8, 1)
    for ours, theirs in zip(generator.weights, normalised.weights, strict=True):
        assert ours.shape == theirs.shape
        # Of the paper are the kernels of both; biases are PyTorch's in the other alone.
        if "conv2d_transpose" in ours.path and ours.path.endswith("kernel"):
            for kernel in (ours.numpy(), theirs.numpy()):
                np.testing.assert_allclose(kernel.std(), 0.02, rtol=0.15)
        if ours.path.endswith("bias"):
            assert not ours.numpy().any()
            assert theirs.numpy().any()
    images = tf.random.stateless_uniform([6, 32, 32, 1], [1, 2], -1.0, 1.0)
    logits = discriminator(images, training=True)
    alone = discriminator(images[:1], training=True)
    np.testing.assert_allclose(alone, logits[:1], atol=1e-5)
    # Glorot's deviation; what passes through is neither nothing nor huge.
    kernel = discriminator.layers[-4].kernel.numpy()
    assert kernel.shape == (4, 4, 8, 16)
    deviation = np.sqrt(2.0 / (16 * 8 + 16 * 16))
    np.testing.assert_allclose(kernel.std(), deviation, rtol=0.05)
    assert 0.01 < np.std(logits) < 10.0
