import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.networks import conditional, dcgan, mlp
from tfgan_mnist.networks.layers import (
    Dropout,
    SmallMapConv2D,
    SpectralNormalization,
    spectrally_normalized,
)


@pytest.mark.parametrize(
    ("size", "kernel", "stride"),
    [(4, 5, 2), (7, 5, 2), (4, 3, 2), (5, 3, 1), (2, 5, 2)],
)
def test_small_map_convolution_is_keras_s_own(size, kernel, stride):
    rng = np.random.default_rng(1)
    images = tf.constant(rng.normal(size=[3, size, size, 6]), tf.float32)
    theirs = keras.layers.Conv2D(4, kernel, stride, "same")
    ours = SmallMapConv2D(4, kernel, stride, "glorot_uniform")
    theirs.build(images.shape)
    ours.build(images.shape)
    theirs.bias.assign(rng.normal(size=4))
    ours.set_weights(theirs.get_weights())
    answers = []
    for layer in (theirs, ours):
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = tf.function(layer)(images)
            loss = tf.reduce_sum(outputs**2)
        gradients = tape.gradient(loss, [images, *layer.trainable_variables])
        answers.append([outputs, *gradients])
    for expected, found in zip(*answers, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert ours.compute_output_shape(images.shape) == answers[1][0].shape


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Dense(5),
        keras.layers.Conv2D(6, 3, 2, padding="same"),
        SmallMapConv2D(6, 5, 2, "glorot_uniform"),
    ],
)
def test_a_normalised_kernel_has_norm_one(layer):
    images = tf.random.stateless_normal([4, 4, 4, 3], [1, 2])
    layer.build(images.shape)
    # Drawn from one seed: two singular values may lie so close that no number of steps
    # will do.
    shape = layer.kernel.shape
    layer.kernel.assign(np.random.default_rng(1).normal(size=shape) / shape[-2])
    plain = layer(images)
    layer.bias.assign(np.arange(layer.bias.shape[0]))
    kernel = layer.kernel.numpy()
    normalized = SpectralNormalization(layer)
    for _ in range(100):
        outputs = normalized(images, training=True)
    norm = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]))[1][0]
    np.testing.assert_allclose(
        outputs, plain / norm + layer.bias.numpy(), rtol=1e-3, atol=1e-4
    )
    np.testing.assert_array_equal(layer.kernel, kernel)  # Keras's own divides it here
    before = normalized.direction.numpy()
    np.testing.assert_allclose(normalized(images, training=False), outputs, rtol=1e-4)
    np.testing.assert_array_equal(normalized.direction, before)


def test_the_gradient_goes_through_the_norm():
    """Of a single row: w·x / |w|, whose gradient is x / |w| - (w·x) w / |w|³."""
    layer = keras.layers.Dense(1, use_bias=False)
    normalized = SpectralNormalization(layer)
    x, w = np.array([[1.0, 2.0, -1.0]]), np.array([[2.0], [0.5], [1.0]])
    normalized(x)
    layer.kernel.assign(w)
    with tf.GradientTape() as tape:
        outputs = tf.reduce_sum(normalized(x, training=True))
    gradient = tape.gradient(outputs, layer.kernel.value)
    norm = np.linalg.norm(w)
    assert float(outputs) == pytest.approx((x @ w).item() / norm, rel=1e-5)
    expected = x.T / norm - (x @ w) * w / norm**3
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)


def test_an_embedding_is_normalised_by_its_table():
    table = keras.layers.Embedding(3, 2)
    normalized = SpectralNormalization(table)
    labels = np.array([0, 1, 2])
    normalized(labels)
    table.embeddings.assign([[3.0, 0.0], [0.0, 1.0], [4.0, 0.0]])
    for _ in range(20):
        vectors = normalized(labels, training=True)
    np.testing.assert_allclose(vectors, [[0.6, 0], [0, 0.2], [0.8, 0]], atol=1e-5)


def test_a_layer_with_an_activation_is_refused():
    with pytest.raises(ValueError, match="activation"):
        SpectralNormalization(keras.layers.Dense(1, activation="relu"))


told = functools.partial(conditional.cdcgan, classes=10)


@pytest.mark.parametrize("make", [dcgan.dcgan, told, mlp.mlp])
def test_every_kernel_of_a_discriminator_is_normalised(make):
    _, plain = make(8, 4, 1)
    network = spectrally_normalized(plain)
    kernels = [w for w in plain.trainable_weights if len(w.shape) > 1]
    directions = [w for w in network.weights if w.path.endswith("direction")]
    assert len(directions) == len(kernels)
    assert len(network.trainable_weights) == len(plain.trainable_weights)
    assert network.name == "discriminator"


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("rate", [0.3, 0.5])
def test_dropout_drops_its_rate_and_keeps_the_mean(rate, jit_compile):
    layer = Dropout(rate, seed=1)
    images = tf.ones([101, 7, 7, 33])  # an odd number of them
    drop = tf.function(lambda x: layer(x, training=True), jit_compile=jit_compile)
    outputs = drop(images).numpy()
    kept = outputs != 0.0
    spread = np.sqrt(rate * (1 - rate) / kept.size)
    assert abs(kept.mean() - (1 - rate)) < 5 * spread
    np.testing.assert_allclose(outputs[kept], 1 / (1 - rate), rtol=1e-6)
    # Neither neighbours nor images share what is dropped.
    for axis in (0, 3):
        both = kept.take(range(1, kept.shape[axis]), axis) & kept.take(
            range(kept.shape[axis] - 1), axis
        )
        assert abs(both.mean() - (1 - rate) ** 2) < 10 * spread
    assert not np.array_equal(drop(images), outputs)  # other masks in each call
    np.testing.assert_array_equal(layer(images, training=False), images)


def test_dropout_in_half_precision_and_of_a_batch_of_unknown_size():
    layer = Dropout(0.25, seed=1, dtype="mixed_float16")
    drop = tf.function(
        lambda x: layer(x, training=True),
        input_signature=[tf.TensorSpec([None, 3], tf.float16)],
    )
    for rows in (1, 2, 501):
        outputs = drop(tf.ones([rows, 3], tf.float16))
        assert outputs.shape == [rows, 3] and outputs.dtype == tf.float16
    assert 0.6 < np.mean(outputs != 0.0) < 0.9
