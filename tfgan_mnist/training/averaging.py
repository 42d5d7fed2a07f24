"""An exponential average of a network: weights and normalisation statistics alike."""

from __future__ import annotations

import keras
import tensorflow as tf


def update_average(
    average: keras.Model, network: keras.Model, decay: float, step: tf.Tensor
) -> None:
    """average ← d·average + (1 - d)·network, with d = min(decay, (1 + t)/(10 + t)).

    The ramp keeps the random initial weights out of short runs' averages (as in TF1's
    ``ExponentialMovingAverage(num_updates=)``). Moving statistics of batch
    normalisation are averaged with the weights (Yazıcı et al., 2018, arXiv:1806.04498,
    section 3); taken anew from the averaged network itself they were mostly a little
    worse (docs/benchmarks.md, "Averaged statistics").

    Args:
      average: a network like ``network``; changed in place.
      decay: from 0 to below 1.
      step: scalar int, the step just made, from 0.
    """
    t = tf.cast(step, tf.float32)
    share = 1.0 - tf.minimum(decay, (1.0 + t) / (10.0 + t))
    for kept, new in zip(average.weights, network.weights, strict=True):
        kept.assign(kept + share * (new - kept))
