"""Adam is Keras's, but for rounding."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

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
    assert len(found) == len(expected) > 3 + 2 * 3  # weights and slots
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-6)


def test_the_first_update_is_the_rate_against_the_sign_of_the_gradient():
    weight = keras.Variable(np.zeros(2, np.float32))
    optimizer = Adam(0.1, epsilon=1e-12)
    optimizer.build([weight])
    optimizer.apply([tf.constant([3.0, -0.02])])
    np.testing.assert_allclose(weight.numpy(), [-0.1, 0.1], rtol=1e-5)


def test_variables_that_it_has_no_operation_for_move_as_keras_s():
    found = []
    for kind in (keras.optimizers.Adam, Adam):
        for options in ({"amsgrad": True}, {}):
            weight = keras.Variable(np.ones(2), dtype="float64")
            optimizer = kind(0.1, **options)
            optimizer.build([weight])
            for gradient in ([3.0, -1.0], [-0.5, 2.0]):
                optimizer.apply([tf.constant(gradient, tf.float64)])
            found.append(weight.numpy())
    np.testing.assert_array_equal(found[:2], found[2:])


TWO_REPLICAS = """
import keras
import numpy as np
import tensorflow as tf

from tfgan_mnist.training.optimizers import Adam

(cpu,) = tf.config.list_physical_devices("CPU")
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
found = []
for kind in (keras.optimizers.Adam, Adam):
    with strategy.scope():
        weight = keras.Variable(np.arange(3, dtype=np.float32))
        optimizer = kind(0.1, 0.5)
        optimizer.build([weight])

    @tf.function
    def update():
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        optimizer.apply([tf.cast(replica + 1, tf.float32) * [1.0, -2.0, 0.5]])

    for _ in range(2):
        strategy.run(update)
    found += [each.numpy() for each in weight.value.values]
for one in found[1:]:
    np.testing.assert_allclose(one, found[0], rtol=1e-5, atol=1e-6)
print(len(found), found[0][0])
"""


def test_replicas_of_one_process_move_alike():
    done = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    count, first = done.stdout.split() or [done.stderr, ""]
    assert count == "4", count
    assert abs(float(first) + 0.2) < 1e-3  # two updates of the rate against the sign


def test_xla_compiles_it():
    weight = keras.Variable(np.ones(3, np.float32))
    optimizer = Adam(0.1)
    optimizer.build([weight])
    tf.function(optimizer.apply, jit_compile=True)([tf.constant([1.0, 2.0, -1.0])])
    np.testing.assert_allclose(weight.numpy(), [0.9, 0.9, 1.1], rtol=1e-5)
