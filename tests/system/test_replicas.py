"""Real replicas, in two processes, are in tests/training/test_distribution.py."""

import gc
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

from tfgan_mnist.system import replicas

ROWS = tf.reshape(tf.range(24.0), [6, 2, 2])


@pytest.fixture
def one_of_three(monkeypatch):
    """Has TensorFlow say that we are this replica of three."""

    def become(rank: int) -> None:
        context = SimpleNamespace(
            num_replicas_in_sync=3, replica_id_in_sync_group=tf.constant(rank)
        )
        monkeypatch.setattr(tf.distribute, "get_replica_context", lambda: context)

    return become


def test_alone_all_rows_are_one_s_own():
    assert replicas.count_replicas() == 1
    with tf.distribute.get_strategy().scope():
        assert replicas.count_replicas() == 1
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope():  # outside of its replica
        assert replicas.count_replicas() == 1
    np.testing.assert_array_equal(replicas.take_own(ROWS), ROWS)
    np.testing.assert_array_equal(replicas.all_rows(ROWS), ROWS)
    np.testing.assert_array_equal(replicas.own_rows(lambda n: ROWS[:n], 4), ROWS[:4])


def test_each_replica_has_its_slice_of_one_draw(one_of_three):
    drawn = []

    def draw(count):
        drawn.append(count)
        return ROWS[:count]

    for rank in range(3):
        one_of_three(rank)
        own = replicas.own_rows(draw, 2)
        np.testing.assert_array_equal(own, ROWS[2 * rank : 2 * rank + 2])
        np.testing.assert_array_equal(replicas.take_own(ROWS), own)
    assert drawn == [6, 6, 6]  # the same for all


def test_in_a_graph_the_number_of_own_rows_is_known(one_of_three):
    one_of_three(2)
    graph = tf.function(replicas.take_own).get_concrete_function(ROWS)
    assert graph.structured_outputs.shape == [2, 2, 2]


def test_no_gradient_goes_through_a_mean_of_all():
    value = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(value)
        mean = replicas.mean_of_all(value)
        loss = tf.reduce_sum(mean * value)
    np.testing.assert_array_equal(mean, [1.0, 2.0])
    np.testing.assert_array_equal(tape.gradient(loss, value), [1.0, 2.0])  # not doubled


def tripled() -> tf.types.experimental.PolymorphicFunction:
    """Three times its argument; it says that its slope is 5."""

    @tf.custom_gradient
    def triple(x):
        return 3.0 * x, lambda upstream: 5.0 * upstream

    return tf.function(triple)


def slope_of(function) -> float:
    x = tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return float(tape.gradient(y, x))


def test_a_graph_of_own_gradients_goes_when_nobody_uses_it():
    known = set(ops.gradient_registry._registry)
    with replicas.forgetting_gradients():
        function = tripled()
        assert slope_of(function) == 5.0
        assert set(ops.gradient_registry._registry) > known
    assert set(ops.gradient_registry._registry) == known
    assert slope_of(function) == 5.0  # what was traced stays as it is
    graph = weakref.ref(function.get_concrete_function(tf.constant(1.0)).graph)
    del function
    gc.collect()
    assert graph() is None


def test_gradients_are_forgotten_after_an_error_too():
    known = set(ops.gradient_registry._registry)
    with pytest.raises(ZeroDivisionError), replicas.forgetting_gradients():
        slope_of(tripled())
        raise ZeroDivisionError
    assert set(ops.gradient_registry._registry) == known
