"""Latents, and the seeds that every random number follows from.

A seed is an int32 tensor [2]. ``fold_in(seed, number)`` gives another one: every random
number of a run is a function of (the run's seed, the step, the purpose).
"""

from __future__ import annotations

import tensorflow as tf

fold_in = tf.random.fold_in

# Purposes, so that no two uses of a run's seed draw the same numbers.
DATA, LATENTS, DROPOUT, PICTURE, EVALUATION, CLUSTERS = range(6)


def run_seed(seed: int, purpose: int) -> tf.Tensor:
    """The seed of one purpose of a run."""
    return fold_in(tf.constant([seed, 0], tf.int32), purpose)


def draw(distribution: str, shape: list, seed: tf.Tensor) -> tf.Tensor:
    """Latents of a shape: uniform(-1, 1), standard_uniform(0, 1) or normal(0, 1).

    The generator is named (Philox), so that a seed gives the same latents on every
    kind of device; but a step that XLA compiles draws other numbers of the same seed.
    """
    options = {"shape": shape, "seed": seed, "alg": "philox"}
    if distribution == "uniform":
        return tf.random.stateless_uniform(minval=-1.0, maxval=1.0, **options)
    if distribution == "standard_uniform":
        return tf.random.stateless_uniform(**options)
    return tf.random.stateless_normal(**options)
