"""Replicas that train together: which rows of what they draw are whose.

Each replica of a ``tf.distribute`` strategy takes its rows of one batch, of one draw
of latents, and of every other random number that each sample has. So they make the step
that one replica would make of the whole batch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import tensorflow as tf


def own_rows(draw: Callable[[int], tf.Tensor], count: int) -> tf.Tensor:
    """The ``count`` rows of this replica; all there are if there is but one.

    Args:
      draw: number of rows → a tensor of so many.
      count: rows of each replica.
    """
    return take_own(draw(count_replicas() * count))


def take_own(rows: tf.Tensor) -> tf.Tensor:
    """This replica's slice of what all of them hold, the same everywhere.

    Args:
      rows: [replicas * n, ...].

    Returns:
      [n, ...].
    """
    replicas = count_replicas()
    if replicas == 1:
        return rows
    count = rows.shape[0] // replicas
    rank = tf.distribute.get_replica_context().replica_id_in_sync_group
    own = tf.slice(
        rows,
        tf.concat([[rank * count], tf.zeros([rows.shape.rank - 1], tf.int32)], 0),
        [count, *([-1] * (rows.shape.rank - 1))],
    )
    return tf.ensure_shape(own, [count, *rows.shape[1:]])


def all_rows(own: tf.Tensor) -> tf.Tensor:
    """What ``take_own`` took of: the rows of all replicas, in order, for each of them.

    Args:
      own: [n, ...].

    Returns:
      [replicas * n, ...].
    """
    replicas = count_replicas()
    if replicas == 1:
        return own
    rows = tf.distribute.get_replica_context().all_gather(own, axis=0)
    return tf.ensure_shape(rows, [replicas * own.shape[0], *own.shape[1:]])


def mean_of_all(own: tf.Tensor) -> tf.Tensor:
    """The mean over replicas of what each of them has; no gradient goes through."""
    own = tf.stop_gradient(own)
    if count_replicas() == 1:
        return own
    return tf.distribute.get_replica_context().all_reduce("MEAN", own)


def count_replicas() -> int:
    """How many replicas run this code together; 1 outside of them."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


@contextlib.contextmanager
def forgetting_gradients() -> Iterator[None]:
    """Lets graphs that are traced here go once nobody uses them.

    TensorFlow never forgets the gradient of a ``tf.custom_gradient`` that it met in a
    graph, and that holds the graph. Keras's optimizers make one with each update, where
    they sum gradients over replicas, even over a single one. Those of this block are
    forgotten at its end, when their gradients have been taken.
    """
    from tensorflow.python.framework import ops

    kept = getattr(ops.gradient_registry, "_registry", None)
    if not isinstance(kept, dict):  # of another TensorFlow: its graphs stay
        yield
        return
    before = set(kept)
    try:
        yield
    finally:
        for name in set(kept) - before:
            del kept[name]
