"""The seeds that every random number follows from.

A seed is an int32 tensor [2]. ``fold_in(seed, number)`` gives another one: every random
number of a run is a function of (the run's seed, the step, the purpose).
"""

from __future__ import annotations

import tensorflow as tf

fold_in = tf.random.fold_in

# Purposes, so that no two uses of a run's seed draw the same numbers.
DATA, LATENTS, DROPOUT, PICTURE, EVALUATION, CLUSTERS, TASK = range(7)

# What a game draws beside the latents of a batch, likewise. Draws that only one game
# makes are numbered from OWN on.
LABELS, SHARE, OFFSET, MOVED_IMAGE, REAL_CHANGES, CANDIDATES, CHANGES = range(7)
OWN = 10


def run_seed(seed: int, purpose: int) -> tf.Tensor:
    """The seed of one purpose of a run."""
    return fold_in(tf.constant([seed, 0], tf.int32), purpose)
