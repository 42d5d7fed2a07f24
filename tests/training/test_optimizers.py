"""Adam is Keras's, but for rounding."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.training.optimizers import Adam


def moved(kind: type, sparse: bool, rate) -> list[np.ndarray]:
    """What an optimizer of a kind makes of weights and slots in three updates."""
    random = np.random.default_rng(1)
    weights = [
        keras.Variable(random.normal(size=shape).astype(np.float32))
        for shape in ([6, 3], [3], [])
    ]
    optimizer = kind(rate, 0.5, 0.99, epsilon=1e-6)
    optimizer.build(weights)

    @tf.function
    def update(gradients):
        if sparse:  # of rows 4, 1 and 4 again
            rows = tf.constant([4, 1, 4])
            first = tf.IndexedSlices(gradients[0][:3], rows, tf.constant([6, 3]))
            gradients = [first, *gradients[1:]]
        optimizer.apply(gradients)

    for _ in range(3):
        update([tf.constant(random.normal(size=w.shape), tf.float32) for w in weights])
    return [variable.numpy() for variable in (*weights, *optimizer.variables)]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    "rate", [0.01, keras.optimizers.schedules.CosineDecay(0.01, 10)]
)
def test_it_moves_weights_and_slots_as_keras_does(sparse, rate):
    expected, found = (
        moved(kind, sparse, rate) for kind in (keras.optimizers.Adam, Adam)
    )
    assert len(found) >= 3 + 1 + 2 * 3  # weights, the number of the update, slots
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-6)


def test_the_first_update_is_the_rate_against_the_sign_of_the_gradient():
    weight = keras.Variable(np.zeros(2, np.float32))
    optimizer = Adam(0.1, epsilon=1e-12)
    optimizer.build([weight])
    optimizer.apply([tf.constant([3.0, -0.02])])
    np.testing.assert_allclose(weight.numpy(), [-0.1, 0.1], rtol=1e-5)


def test_xla_compiles_it():
    weight = keras.Variable(np.ones(3, np.float32))
    optimizer = Adam(0.1)
    optimizer.build([weight])
    tf.function(optimizer.apply, jit_compile=True)([tf.constant([1.0, 2.0, -1.0])])
    np.testing.assert_allclose(weight.numpy(), [0.9, 0.9, 1.1], rtol=1e-5)
