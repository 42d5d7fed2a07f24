"""PyTorch's default initial weights and biases, for networks from PyTorch sources.

Dense and convolution layers begin with weights and biases uniform within ±1/√fan_in,
embeddings normal(0, 1) (``torch.nn.Linear``, ``Conv2d``, ``ConvTranspose2d``,
``Embedding``). The fan of a transposed convolution counts its output channels times the
kernel. Batch normalisation there has epsilon 1e-5, and a momentum of 0.1, which is
Keras's 0.9. Adam is Keras's, which adds epsilon before it corrects the second moment's
bias and PyTorch after: with 1e-8 that is lost in the gradients' size from the first
steps on.
"""

from __future__ import annotations

import keras
from keras import layers

EPSILON, MOMENTUM = 1e-5, 0.9


class PyTorch:
    """Makes Keras layers that begin as PyTorch's do.

    Args:
      seed: of all initial weights.
    """

    def __init__(self, seed: int):
        self.seeds = keras.random.SeedGenerator(seed)

    def uniform(self, fan_in: int) -> keras.initializers.Initializer:
        """Uniform within ±1/√fan_in."""
        limit = fan_in**-0.5
        return keras.initializers.RandomUniform(-limit, limit, seed=self.seeds)

    def dense(self, inputs: int, units: int, **options) -> keras.layers.Dense:
        """A dense layer on so many inputs; options as of ``keras.layers.Dense``."""
        return layers.Dense(
            units,
            kernel_initializer=self.uniform(inputs),
            bias_initializer=self.uniform(inputs),
            **options,
        )

    def embedding(self, count: int, size: int) -> keras.layers.Embedding:
        normal = keras.initializers.RandomNormal(0.0, 1.0, seed=self.seeds)
        return layers.Embedding(count, size, normal)

    def norm(self, **options) -> keras.layers.BatchNormalization:
        """Batch normalisation; options as of Keras's."""
        options = {"epsilon": EPSILON, "momentum": MOMENTUM} | options
        return layers.BatchNormalization(**options)
