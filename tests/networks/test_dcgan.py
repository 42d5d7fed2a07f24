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
    std = np.sqrt(2.0 / (16 * 8 + 16 * 16))
    np.testing.assert_allclose(kernel.std(), std, rtol=0.05)
    assert 0.01 < np.std(logits) < 10.0


def leaky(x: np.ndarray, slope: float) -> np.ndarray:
    return np.where(x > 0, x, slope * x)


def normalised(x, offset, scale=1.0):
    """In training, over all but the last axis; epsilon is 0.001."""
    axes = tuple(range(x.ndim - 1))
    return (x - x.mean(axes)) / np.sqrt(x.var(axes) + 0.001) * scale + offset


def convolution(x, kernel, bias):
    """5×5, stride 2, "same": what is missing on both sides is 0, more of it after."""
    size = -(-x.shape[1] // 2)
    missing = (size - 1) * 2 + 5 - x.shape[1]
    sides = (missing // 2, missing - missing // 2)
    x = np.pad(x, [(0, 0), sides, sides, (0, 0)])
    y = np.zeros([len(x), size, size, kernel.shape[-1]])
    for i in range(size):
        for j in range(size):
            window = x[:, 2 * i : 2 * i + 5, 2 * j : 2 * j + 5]
            y[:, i, j] = np.einsum("bhwc,hwco->bo", window, kernel)
    return y + bias


def transposed(x, kernel, stride, bias=0.0, same=True):
    """5×5: every place adds a kernel; "same" cuts to stride times the size."""
    size = x.shape[1]
    side = (size - 1) * stride + 5
    y = np.zeros([len(x), side, side, kernel.shape[2]])  # kernel: [h, w, out, in]
    for i in range(size):
        for j in range(size):
            patch = np.einsum("bc,hwoc->bhwo", x[:, i, j], kernel)
            y[:, i * stride : i * stride + 5, j * stride : j * stride + 5] += patch
    if same:
        before = (5 - stride) // 2
        y = y[:, before : before + size * stride, before : before + size * stride]
    return y + bias


def test_a_pass_through_dcgan_by_hand():
    g, d = dcgan.dcgan(6, 2, 1)
    latents = np.random.default_rng(1).normal(size=[4, 6]).astype(np.float32)
    w = iter(g.get_weights())
    x = (latents @ next(w) + next(w)).reshape(4, 3, 3, 16)
    for _ in range(3):
        x = np.maximum(normalised(x, next(w)), 0.0)
        next(w), next(w)  # moving statistics
        x = transposed(x, next(w), 2, next(w))
    x = np.maximum(normalised(x, next(w)), 0.0)
    next(w), next(w)
    images = np.tanh(transposed(x, next(w), 1, next(w), same=False))
    assert images.shape == (4, 28, 28, 1)
    np.testing.assert_allclose(g(latents, training=True), images, atol=1e-4)

    w = iter(d.get_weights())
    x = leaky(convolution(images, next(w), next(w)), 0.2)
    for _ in range(3):
        x = leaky(normalised(convolution(x, next(w), next(w)), next(w)), 0.2)
        next(w), next(w)
    logits = x.reshape(4, -1) @ next(w) + next(w)
    found = d(images.astype(np.float32), training=True)
    np.testing.assert_allclose(found, logits, atol=2e-3)


def test_a_pass_through_dcgan_tutorial_by_hand():
    """G in training; D without its dropout."""
    g, d = dcgan.dcgan_tutorial(6, 2, 1)
    latents = np.random.default_rng(1).normal(size=[4, 6]).astype(np.float32)
    w = iter(g.get_weights())
    x = latents @ next(w)
    for stride in (1, 2, 2):
        scale = next(w)
        x = leaky(normalised(x, next(w), scale), 0.3)
        next(w), next(w)  # moving statistics
        x = transposed(x if x.ndim > 2 else x.reshape(4, 7, 7, 8), next(w), stride)
    images = np.tanh(x)
    assert images.shape == (4, 28, 28, 1)
    np.testing.assert_allclose(g(latents, training=True), images, atol=1e-4)

    w = iter(d.get_weights())
    x = leaky(convolution(images, next(w), next(w)), 0.3)
    x = leaky(convolution(x, next(w), next(w)), 0.3)
    logits = x.reshape(4, -1) @ next(w) + next(w)
    np.testing.assert_allclose(d(images.astype(np.float32)), logits, atol=1e-4)


@pytest.mark.parametrize("name", ["dcgan", "dcgan_tutorial"])
def test_kernels_begin_uniform_as_glorot_and_bengio_have_it(name):
    """Variance 2 / (inputs + outputs), each times the 25 places of a kernel."""
    for network in make(name, 100, 16, 1):
        for layer in network.layers:
            if not hasattr(layer, "kernel"):
                continue
            kernel = layer.kernel.numpy()
            fans = sum(kernel.shape[-2:]) * np.prod(kernel.shape[:-2])
            limit = np.sqrt(6.0 / fans)
            assert np.abs(kernel).max() <= limit
            if kernel.size > 2_000:
                np.testing.assert_allclose(kernel.std(), limit / 3**0.5, rtol=0.05)
            if layer.use_bias:
                assert not np.any(layer.bias)
