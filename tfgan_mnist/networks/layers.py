"""Keras layers in place of Keras's own: two that are faster, one that is right."""

from __future__ import annotations

import keras
import tensorflow as tf

from tfgan_mnist.system.replicas import own_rows


class SmallMapConv2D(keras.layers.Conv2D):
    """A strided "same" convolution for small feature maps, as one matrix product.

    The same weights and, up to rounding, the same outputs as ``keras.layers.Conv2D``.
    oneDNN's weight gradient of a convolution from 4×4 to 2×2 runs at a sixth of the
    speed of a matrix product; here the windows are sliced out and multiplied, so that
    the gradient is a product too. Worth it only while there are few windows to copy.

    Args:
      filters, kernel_size, strides, kernel_initializer: as in ``keras.layers.Conv2D``.
    """

    def __init__(self, filters, kernel_size, strides, kernel_initializer):
        super().__init__(
            filters, kernel_size, strides, "same", kernel_initializer=kernel_initializer
        )

    def call(self, inputs):
        batch, height, width, channels = tf.shape(inputs)[0], *inputs.shape[1:]
        padded, rows = self._pad(inputs, axis=1, size=height)
        padded, columns = self._pad(padded, axis=2, size=width)
        window = self.kernel_size[0] * self.kernel_size[1] * channels
        windows = tf.stack(
            [
                tf.reshape(
                    padded[
                        :, i : i + self.kernel_size[0], j : j + self.kernel_size[1], :
                    ],
                    [batch, window],
                )
                for i in rows
                for j in columns
            ],
            axis=1,
        )  # [batch, rows * columns, window]
        kernel = tf.reshape(tf.convert_to_tensor(self.kernel), [window, self.filters])
        outputs = tf.reshape(windows, [-1, window]) @ tf.cast(kernel, windows.dtype)
        outputs = tf.reshape(outputs, [batch, len(rows), len(columns), self.filters])
        return outputs + tf.cast(tf.convert_to_tensor(self.bias), outputs.dtype)

    def _pad(self, images: tf.Tensor, axis: int, size: int) -> tuple[tf.Tensor, range]:
        """Pads one axis as "same" does; the padded images and the windows' starts."""
        kernel, stride = self.kernel_size[axis - 1], self.strides[axis - 1]
        windows = -(-size // stride)
        missing = max((windows - 1) * stride + kernel - size, 0)
        paddings = [[0, 0]] * 4
        paddings[axis] = [missing // 2, missing - missing // 2]
        return tf.pad(images, paddings), range(0, windows * stride, stride)


class Dropout(keras.layers.Dropout):
    """Keras's, in about half the time, with masks that replicas share out.

    A number is dropped by 16 random bits in place of 32, so the rate is right to
    1/65,536. Several replicas draw the masks that one would draw of all rows.
    """

    def call(self, inputs, training=False):
        if not (training and self.rate):
            return inputs
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        least = round(self.rate * 2**16) - 2**15  # of the bits that are kept

        def masks(rows: int | tf.Tensor) -> tf.Tensor:
            shape = tf.concat([[rows], tf.shape(inputs)[1:]], 0)
            count = tf.reduce_prod(shape)
            bits = tf.random.stateless_uniform(
                [(count + 1) // 2], seed, minval=None, maxval=None, dtype=tf.int32
            )
            bits = tf.reshape(tf.bitcast(bits, tf.int16), [-1])[:count]
            kept = tf.cast(tf.reshape(bits, shape) >= least, inputs.dtype)
            return kept * (1.0 / (1.0 - self.rate))

        rows = inputs.shape[0] or tf.shape(inputs)[0]
        return inputs * tf.ensure_shape(own_rows(masks, rows), inputs.shape)


class SpectralNormalization(keras.layers.Wrapper):
    """A layer that is linear in its kernel, with the kernel W divided by its norm σ(W).

    Miyato et al., 2018 (arXiv:1802.05957, section 2.1): σ is W's largest singular
    value, W as a matrix of [all but the last, last] axes, found by one power iteration
    a training call. Keras's layer of this name writes the divided kernel over the
    layer's own in each forward pass, so that the optimizer moves another function's
    parameters, and the gradient does not go through σ; here it does (equation 12).

    Args:
      layer: dense, convolutional or an embedding, without an activation.
    """

    def __init__(self, layer: keras.Layer, **options):
        if getattr(layer, "activation", None) not in (None, keras.activations.linear):
            raise ValueError(f"{layer.name}: an activation is to follow the division")
        super().__init__(layer, dtype=layer.dtype_policy, **options)

    def build(self, input_shape):
        super().build(input_shape)
        self.direction = self.add_weight(
            shape=[self._matrix().shape[1], 1],
            initializer=keras.initializers.RandomNormal(seed=0),
            trainable=False,
            dtype="float32",
            autocast=False,
            name="direction",
        )

    def _matrix(self) -> tf.Tensor:
        kernel = tf.convert_to_tensor(self.layer.weights[0])  # a bias comes after it
        return tf.reshape(tf.cast(kernel, tf.float32), [-1, kernel.shape[-1]])

    def call(self, inputs, training=False):
        matrix = self._matrix()
        fixed = tf.stop_gradient(matrix)
        right = tf.math.l2_normalize(tf.convert_to_tensor(self.direction))
        left = tf.math.l2_normalize(fixed @ right)
        if training:
            right = tf.math.l2_normalize(tf.transpose(fixed) @ left)
            self.direction.assign(right)
        norm = tf.squeeze(tf.transpose(left) @ matrix @ right)
        outputs = self.layer(inputs)
        norm = tf.cast(norm, outputs.dtype)
        if not getattr(self.layer, "use_bias", False):
            return outputs / norm
        bias = tf.cast(tf.convert_to_tensor(self.layer.bias), outputs.dtype)
        return (outputs - bias) / norm + bias


def spectrally_normalized(network: keras.Model) -> keras.Model:
    """The same layers, weights and all, with every kernel divided by its norm."""
    kinds = (
        keras.layers.Dense
        | keras.layers.Conv1D
        | keras.layers.Conv2D
        | keras.layers.Conv2DTranspose
        | keras.layers.Embedding
    )

    def wrapped(layer):
        return SpectralNormalization(layer) if isinstance(layer, kinds) else layer

    return keras.models.clone_model(network, clone_function=wrapped, recursive=True)
