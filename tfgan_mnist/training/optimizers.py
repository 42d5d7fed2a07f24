"""Adam in one operation for each variable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


class Adam(keras.optimizers.Adam):
    """Keras's, by TensorFlow's own operation.

    Keras's adds 41 nodes to the graph for each variable, this one 10. But for rounding
    they compute the same.
    """

    # The names with an underscore are private; Keras 3.12 and 3.15 have the same.
    def _backend_update_step(
        self, grads: Sequence, trainable_variables: Sequence, learning_rate: Any
    ) -> None:
        step = tf.cast(self.iterations + 1, tf.float32)
        shared = learning_rate, tf.pow(self.beta_1, step), tf.pow(self.beta_2, step)
        super()._backend_update_step(grads, trainable_variables, shared)

    def update_step(
        self,
        gradient: tf.Tensor | tf.IndexedSlices,
        variable: tf.Variable,
        learning_rate: tuple[Any, tf.Tensor, tf.Tensor],
    ) -> None:
        """One variable's; beside the rate stand the powers of both betas."""
        rate, power_1, power_2 = learning_rate
        # The gradient of an embedding is of some rows alone.
        plain = isinstance(gradient, tf.Tensor) and variable.dtype == tf.float32
        if self.amsgrad or not plain:
            super().update_step(gradient, variable, rate)
            return
        place = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=power_1,
            beta2_power=power_2,
            lr=tf.cast(rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
