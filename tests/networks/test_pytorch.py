"""Networks of PyTorch sources: counts, initial weights, and a pass computed by hand."""

import dataclasses
import itertools

import keras
import numpy as np
import pytest

from tfgan_mnist.networks import conditional, dcgan, mlp, toys
from tfgan_mnist.networks.pytorch import PyTorch

MLP = {"generator": 1_489_936, "discriminator": 533_505}


def dense_counts(*widths: int) -> int:
    """Weights and biases of dense layers from width to width."""
    return sum(a * b + b for a, b in itertools.pairwise(widths))


def test_parameter_counts_by_hand():
    g, d = mlp.mlp(100, 256, 1)
    assert g.count_params() == dense_counts(100, 256, 512, 1024, 784)
    assert d.count_params() == dense_counts(784, 512, 256, 1)
    g, d = conditional.cgan_onehot(100, 128, 1, 10)
    # Batch normalisation has scale, offset and two moving statistics.
    assert g.count_params() == dense_counts(110, 128, 256, 512, 784) + 4 * (256 + 512)
    assert d.count_params() == dense_counts(794, 512, 256, 1)
    g, d = conditional.cgan_embedding(100, 128, 1, 10)
    norms = 4 * (256 + 512 + 1024)
    assert g.count_params() == (
        dense_counts(110, 128, 256, 512, 1024, 784) + norms + 100
    )
    assert d.count_params() == dense_counts(794, 512, 256, 1) + 4 * 256 + 100
    g, d = toys.gaussian(1, 50, 1)
    assert g.count_params() == dense_counts(1, 50, 50, 1)
    assert d.count_params() == dense_counts(200, 50, 50, 1)
    g, d = toys.moons(32, 128, 1)
    assert g.count_params() == dense_counts(32, 128, 2)
    assert d.count_params() == dense_counts(2, 128, 1)


def test_parameter_counts_of_dcgan32_by_hand():
    g, d = dcgan.dcgan32(100, 64, 1)
    up = 9 * 256 * 128 + 128 + 9 * 128 * 64 + 64 + 16 * 64 + 1
    assert g.count_params() == 101 * 4096 + up + 4 * (128 + 64)
    down = 9 * 16 + 16 + 9 * 16 * 32 + 32 + 9 * 32 * 64 + 64 + 16 * 64 * 128 + 128
    assert d.count_params() == down + 4 * (32 + 64 + 128) + 129


@pytest.mark.parametrize(
    "make",
    [
        lambda: mlp.mlp(100, 256, 1),
        lambda: conditional.cgan_onehot(100, 128, 1, 10),
        lambda: conditional.cgan_embedding(100, 128, 1, 10),
        lambda: toys.gaussian(1, 50, 1),
        lambda: toys.moons(32, 128, 1),
    ],
)
def test_dense_layers_begin_uniform_within_one_over_the_root_of_their_inputs(make):
    seen = 0
    for network in make():
        for layer in network.layers:
            if not isinstance(layer, keras.layers.Dense):
                continue
            kernel, bias = layer.get_weights()
            limit = len(kernel) ** -0.5
            for values in (kernel, bias):
                assert abs(values).max() <= limit
                if values.size > 500:
                    assert abs(values).max() > 0.97 * limit
                    np.testing.assert_allclose(
                        values.std(), limit / 3**0.5, rtol=0.1, err_msg=layer.name
                    )
            if bias.size > 1:
                assert len(np.unique(bias)) == bias.size
            seen += 1
    assert seen >= 4


def test_embeddings_begin_normal_with_deviation_1():
    table = PyTorch(1).embedding(100, 100)
    table.build([None])
    values = table.get_weights()[0]
    np.testing.assert_allclose([values.mean(), values.std()], [0, 1], atol=0.03)


def test_dcgan32_begins_as_its_source_does():
    for network in dcgan.dcgan32(100, 64, 1):
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                gamma, beta, *_ = layer.get_weights()
                np.testing.assert_allclose(gamma.mean(), 1.0, atol=0.02)
                assert 0.01 < gamma.std() < 0.03
                assert not beta.any()
                assert (layer.epsilon, layer.momentum) == (1e-5, 0.9)
            elif isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
                kernel, bias = layer.get_weights()
                np.testing.assert_allclose(kernel.std(), 0.02, rtol=0.2)
                transposed = isinstance(layer, keras.layers.Conv2DTranspose)
                height, width, *channels = kernel.shape
                # Keras keeps […, in, out], transposed […, out, in]; PyTorch's fan of a
                # transposed convolution counts its outputs: the third axis in both.
                fan_in = height * width * channels[0]
                assert abs(bias).max() <= fan_in**-0.5, transposed
                if bias.size >= 32:
                    assert abs(bias).max() > 0.85 * fan_in**-0.5, transposed


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.2 * x)


def test_a_pass_through_mlp_by_hand():
    g, d = mlp.mlp(100, 256, 1)
    x = latents = np.random.default_rng(1).normal(size=[3, 100]).astype(np.float32)
    w = g.get_weights()
    for i in range(3):
        x = leaky(x @ w[2 * i] + w[2 * i + 1])
    images = np.tanh(x @ w[6] + w[7]).reshape(3, 28, 28, 1)
    np.testing.assert_allclose(g(latents), images, atol=1e-5)
    x, w = images.reshape(3, -1), d.get_weights()
    for i in range(2):
        x = leaky(x @ w[2 * i] + w[2 * i + 1])
    np.testing.assert_allclose(d(images), x @ w[4] + w[5], atol=1e-5)


def normalised(x, gamma, beta, epsilon):
    """In training, over all but the last axis."""
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axis=axes), x.var(axis=axes)
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


def test_a_pass_through_cgan_onehot_by_hand():
    """Batch normalisation's epsilon is 0.8."""
    g, d = conditional.cgan_onehot(100, 128, 1, 10)
    latents = np.random.default_rng(1).normal(size=[5, 100]).astype(np.float32)
    labels = np.array([3, 1, 4, 1, 5])
    w = g.get_weights()
    x = np.concatenate([latents, np.eye(10)[labels]], axis=1)
    x = leaky(x @ w[0] + w[1])
    x = leaky(normalised(x @ w[2] + w[3], w[4], w[5], 0.8))
    x = leaky(normalised(x @ w[8] + w[9], w[10], w[11], 0.8))
    images = np.tanh(x @ w[14] + w[15]).reshape(5, 28, 28, 1)
    found = g([latents, labels.astype(np.int32)], training=True)
    np.testing.assert_allclose(found, images, atol=1e-5)

    w = d.get_weights()
    x = np.concatenate([images.reshape(5, 784), np.eye(10)[labels]], axis=1)
    x = leaky(leaky(x @ w[0] + w[1]) @ w[2] + w[3])
    found = d([images, labels.astype(np.int32)], training=True)
    np.testing.assert_allclose(found, x @ w[4] + w[5], atol=1e-5)


def test_a_pass_through_cgan_embedding_by_hand():
    """Normalisation has an epsilon of 0.8 here too, and D has one."""
    g, d = conditional.cgan_embedding(100, 128, 1, 10)
    latents = np.random.default_rng(1).normal(size=[5, 100]).astype(np.float32)
    labels = np.array([3, 1, 4, 1, 5], np.int32)
    table, *w = g.get_weights()
    x = np.concatenate([latents, table[labels]], axis=1)
    x = leaky(x @ w[0] + w[1])
    for i in (2, 8, 14):
        x = x @ w[i] + w[i + 1]
        x = leaky(normalised(x, w[i + 2], w[i + 3], 0.8))
    images = np.tanh(x @ w[20] + w[21]).reshape(5, 28, 28, 1)
    np.testing.assert_allclose(g([latents, labels], training=True), images, atol=1e-5)

    table, *w = d.get_weights()
    x = np.concatenate([images.reshape(5, 784), table[labels]], axis=1)
    x = leaky(x @ w[0] + w[1])
    x = leaky(normalised(x @ w[2] + w[3], w[4], w[5], 0.8))
    found = d([images, labels], training=True)
    np.testing.assert_allclose(found, x @ w[8] + w[9], atol=1e-5)


def test_a_pass_through_moons_by_hand():
    g, d = toys.moons(32, 128, 1)
    x = np.random.default_rng(1).normal(size=[5, 32]).astype(np.float32)
    for network in (g, d):
        w = network.get_weights()
        by_hand = np.maximum(x @ w[0] + w[1], 0.0) @ w[2] + w[3]
        np.testing.assert_allclose(network(x), by_hand, atol=1e-5)
        x = by_hand


def transposed_convolution(x, kernel, bias, stride, padding):
    """``torch.nn.ConvTranspose2d`` by its definition: a place adds a kernel."""
    batch, height, width, _ = x.shape
    size, _, outputs, _ = kernel.shape  # Keras keeps [h, w, out, in]
    side = (height - 1) * stride + size
    y = np.zeros([batch, side, (width - 1) * stride + size, outputs])
    for i in range(height):
        for j in range(width):
            patch = np.einsum("bc,hwoc->bhwo", x[:, i, j], kernel)
            y[:, i * stride : i * stride + size, j * stride : j * stride + size] += (
                patch
            )
    return y[:, padding : side - padding, padding : side - padding] + bias


def convolution(x, kernel, bias, stride, padding):
    """``torch.nn.Conv2d`` by its definition."""
    x = np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    size = kernel.shape[0]
    places = (x.shape[1] - size) // stride + 1
    return (
        np.stack(
            [
                np.stack(
                    [
                        np.einsum(
                            "bhwc,hwco->bo",
                            x[:, i : i + size, j : j + size],
                            kernel,
                        )
                        for j in range(0, places * stride, stride)
                    ],
                    axis=1,
                )
                for i in range(0, places * stride, stride)
            ],
            axis=1,
        )
        + bias
    )


def test_a_pass_through_dcgan32_by_hand():
    g, d = dcgan.dcgan32(8, 8, 1)
    latents = np.random.default_rng(1).normal(size=[4, 8]).astype(np.float32)
    w = g.get_weights()
    x = (latents @ w[0] + w[1]).reshape(4, 4, 4, 32)
    x = transposed_convolution(x, w[2], w[3], 2, 0)
    assert x.shape[1:3] == (9, 9)
    x = np.maximum(normalised(x, w[4], w[5], 1e-5), 0)
    x = transposed_convolution(x, w[8], w[9], 2, 1)
    assert x.shape[1:3] == (17, 17)
    x = np.maximum(normalised(x, w[10], w[11], 1e-5), 0)
    images = np.tanh(transposed_convolution(x, w[14], w[15], 2, 2))
    assert images.shape == (4, 32, 32, 1)
    np.testing.assert_allclose(g(latents, training=True), images, atol=1e-4)

    w = d.get_weights()
    x = leaky(convolution(images, w[0], w[1], 2, 1))
    assert x.shape[1:3] == (16, 16)
    x = leaky(normalised(convolution(x, w[2], w[3], 2, 1), w[4], w[5], 1e-5))
    x = leaky(normalised(convolution(x, w[8], w[9], 2, 1), w[10], w[11], 1e-5))
    x = leaky(normalised(convolution(x, w[14], w[15], 1, 0), w[16], w[17], 1e-5))
    assert x.shape[1:3] == (1, 1)
    logits = x.reshape(4, -1) @ w[20] + w[21]
    np.testing.assert_allclose(
        d(images.astype(np.float32), training=True), logits, atol=2e-3
    )


def test_the_gaussian_d_takes_the_minibatch_mean_as_a_constant():
    """With the mean's own gradient, equal shifts of all values would change nothing
    in the squares; without it they do."""
    import tensorflow as tf

    _, d = toys.gaussian(1, 50, 1)
    weights = d.get_weights()
    # D becomes the sum of the squared deviations: its first layer passes them on.
    first = np.zeros_like(weights[0])
    first[100:, 0] = 1.0
    second, third = np.zeros_like(weights[2]), np.zeros_like(weights[4])
    second[0, 0] = third[0, 0] = 1.0
    zero = [np.zeros_like(weights[i]) for i in (1, 3, 5)]
    d.set_weights([first, zero[0], second, zero[1], third, zero[2]])
    values = tf.constant(np.random.default_rng(1).normal(size=[1, 100]), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(d(values))
    gradient = tape.gradient(total, values)
    mean = tf.reduce_mean(values)
    np.testing.assert_allclose(
        total, tf.reduce_sum(tf.square(values - mean)), rtol=1e-5
    )
    np.testing.assert_allclose(gradient, 2.0 * (values - mean), rtol=1e-4, atol=1e-5)


def test_gaussian_trains_as_its_source_does_in_pytorch():
    """Step by step on the same numbers: losses, Adam, and a mean without gradient."""
    torch = pytest.importorskip("torch", reason="of the extra 'benchmark'")
    import tensorflow as tf

    from tfgan_mnist.build import build_training
    from tfgan_mnist.config import find_recipe, read_config
    from tfgan_mnist.system.seeds import fold_in

    # What XLA compiles draws other latents of the same seed.
    config = read_config(find_recipe("gaussian"))
    config = dataclasses.replace(config, jit_compile="off")
    training = build_training(config)
    nn = torch.nn

    def network(name, *layers):
        found = nn.Sequential(*layers)
        weights = iter(training.gan.networks[name].get_weights())
        for layer in found:
            if isinstance(layer, nn.Linear):
                layer.weight.data = torch.tensor(next(weights).T.copy())
                layer.bias.data = torch.tensor(next(weights))
        return found, torch.optim.Adam(found.parameters(), 2e-4)

    linear = nn.Linear
    g, g_optimizer = network(
        "generator",
        linear(1, 50),
        nn.ELU(),
        linear(50, 50),
        nn.Sigmoid(),
        linear(50, 1),
    )
    d, d_optimizer = network(
        "discriminator",
        linear(200, 50),
        nn.ELU(),
        linear(50, 50),
        nn.ELU(),
        linear(50, 1),
    )

    def judged(values):
        squares = (values - values.data.mean(1, keepdim=True)) ** 2
        return d(torch.cat([values, squares], 1))

    entropy = nn.BCEWithLogitsLoss()
    one, zero = torch.ones(1, 1), torch.zeros(1, 1)
    for i in range(40):
        ours = training.step(tf.constant(i), tf.constant(1)).numpy()[0]
        (batch,) = training.step.batches(tf.constant(i))
        real = torch.tensor(batch["samples"].numpy().T.copy())
        seed = fold_in(training.step.latent_seed, i)
        latents = [
            torch.tensor(training.gan.draw_latents(100, fold_in(seed, j)).numpy())
            for j in range(2)
        ]
        d.zero_grad()
        fake = g(latents[0]).detach().t()
        d_loss = entropy(judged(real), one) + entropy(judged(fake), zero)
        d_loss.backward()
        d_optimizer.step()
        g.zero_grad()
        g_loss = entropy(judged(g(latents[1]).t()), one)
        g_loss.backward()
        g_optimizer.step()
        theirs = [d_loss.item(), g_loss.item()]
        np.testing.assert_allclose(ours[[0, -1]], theirs, rtol=1e-3, err_msg=f"{i}")
