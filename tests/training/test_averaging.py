import keras
import numpy as np
import tensorflow as tf

from tfgan_mnist.training.averaging import update_average


def network(value: float) -> keras.Model:
    model = keras.Sequential(
        [keras.Input([2]), keras.layers.Dense(2), keras.layers.BatchNormalization()]
    )
    model.set_weights([np.full(w.shape, value) for w in model.get_weights()])
    return model


def test_known_averages_of_weights_and_statistics():
    average, live = network(1.0), network(3.0)
    update_average(average, live, 0.9, tf.constant(10_000))
    for weight in average.get_weights():  # moving statistics are among them
        np.testing.assert_allclose(weight, 0.9 * 1.0 + 0.1 * 3.0, rtol=1e-6)
    for weight in live.get_weights():
        np.testing.assert_array_equal(weight, 3.0)


def test_first_steps_forget_the_initial_weights():
    average, live = network(0.0), network(1.0)
    update_average(average, live, 0.999, tf.constant(0))
    np.testing.assert_allclose(average.get_weights()[0], 0.9, rtol=1e-6)
    update_average(average, live, 0.999, tf.constant(1))
    kept = (1 + 1) / (10 + 1)
    expected = kept * 0.9 + (1 - kept)
    np.testing.assert_allclose(average.get_weights()[0], expected, rtol=1e-6)


def test_no_decay_copies():
    average, live = network(0.0), network(5.0)
    update_average(average, live, 0.0, tf.constant(99))
    np.testing.assert_array_equal(average.get_weights()[0], 5.0)
