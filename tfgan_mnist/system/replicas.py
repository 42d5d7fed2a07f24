"""Replicas that train together: which rows of what they draw are whose.

Each replica of a ``tf.distribute`` strategy takes its rows of one batch, of one draw
of latents, and of every other random number that each sample has. So they make the step
that one replica would make of the whole batch. Dropout is the exception: its masks are
Keras's, the same for the rows of every replica.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def own_rows(draw: Callable[[int], tf.Tensor], count: int) -> tf.Tensor:
    """The ``count`` rows of this replica; all there are if there is but one.

    Args:
      draw: number of rows → a tensor of so many.
      count: rows of each replica.
    """
    replicas = count_replicas()
    if replicas == 1:
        return draw(count)
    return take_own(draw(replicas * count))


def take_own(rows: tf.Tensor) -> tf.Tensor:
    """This replica's slice of what all of them hold, the same everywhere.

    Args:
      rows: [replicas * n, ...].

    Returns:
      [n, ...].
    """
    count = rows.shape[0] // count_replicas()
    rank = tf.distribute.get_replica_context().replica_id_in_sync_group
    own = tf.slice(
        rows,
        tf.concat([[rank * count], tf.zeros([rows.shape.rank - 1], tf.int32)], 0),
        [count, *([-1] * (rows.shape.rank - 1))],
    )
    return tf.ensure_shape(own, [count, *rows.shape[1:]])


def count_replicas() -> int:
    """How many replicas run this code together; 1 outside of them."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1
