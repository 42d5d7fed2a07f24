import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.networks.layers import SmallMapConv2D


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
