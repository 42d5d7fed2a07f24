"""StyleGAN (Karras et al., 2019, arXiv:1812.04948, and 2020, arXiv:1912.04958), narrow.

``stylegan`` returns three Keras models:

- mapping: latents [batch, latent_dim] → styles [batch, latent_dim];
- synthesis: styles [batch, layers, latent_dim], one for each layer, and noise [batch,
  numbers] → images [batch, size, size, channels] in [-1, 1];
- D: images → logits [batch, 1].
"""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import layers, ops

from tfgan_mnist.networks import dcgan

MAPPING_LAYERS = 4
MAPPING_RATE = 0.1  # of the learning rate of all other layers


def stylegan(
    latent_dim: int,
    base_channels: int,
    seed: int,
    image_size: int = 28,
    channels: int = 1,
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """A mapping network, a synthesis network with skip outputs, and a plain D.

    With 12 base channels: mapping 64 → 64, four times, leaky ReLUs; synthesis 7×7×48,
    learned, → 7×7×48 → 14×14×24 → 14×14×24 → 28×28×12 → 28×28×12, each convolution
    modulated by its style and followed by noise; a 1×1 convolution from every size to
    an image, which are enlarged and added up (2020, figure 7b). D is ``dcgan_fast``'s.
    Images of 32×32 begin at 8×8, and so do larger ones, with a block more for each
    doubling. The papers have eight mapping layers at a rate of 0.01, 512 styles, and no
    tanh.
    """
    c = base_channels
    seeds = _Seeds(seed)
    widths = dcgan.widths_of(c, image_size)
    mapping = _mapping(latent_dim, seeds)
    synthesis = _synthesis(latent_dim, widths, image_size, channels, seeds)
    _, discriminator = dcgan.dcgan_fast(latent_dim, c, seed, image_size, channels)
    return mapping, synthesis, discriminator


class _Seeds:
    """Seeds of the initial weights, one after the other."""

    def __init__(self, seed: int):
        self._rng = np.random.default_rng(seed)

    def __call__(self) -> int:
        return int(self._rng.integers(2**31))


def _mapping(latent_dim: int, seeds: _Seeds) -> keras.Model:
    hidden = []
    for _ in range(MAPPING_LAYERS):
        hidden += [SlowDense(latent_dim, MAPPING_RATE, seeds()), layers.LeakyReLU(0.2)]
    return keras.Sequential(
        [
            keras.Input([latent_dim], name="latents"),
            layers.UnitNormalization(dtype="float32"),
            layers.Rescaling(math.sqrt(latent_dim)),
            *hidden,
        ],
        name="mapping",
    )


def _synthesis(latent_dim, widths, image_size, channels, seeds) -> keras.Model:
    *narrower, widest = widths
    first = image_size // 2 ** len(narrower)
    sizes = [first * 2**i for i in range(len(widths))]
    styles = keras.Input([2 * len(widths), latent_dim], name="styles")
    numbers = first**2 + sum(2 * size**2 for size in sizes[1:])
    noise = keras.Input([numbers], name="noise")
    used = 0

    def modulated(x, style, filters, kernel_size, **options):
        scales = layers.Dense(
            x.shape[-1],
            kernel_initializer=keras.initializers.LecunNormal(seed=seeds()),
            bias_initializer="ones",
        )(styles[:, style])
        convolution = ModulatedConv2D(filters, kernel_size, seeds(), **options)
        return convolution([x, scales])

    def layer(x, style, filters, up=False):
        nonlocal used
        x = modulated(x, style, filters, 4 if up else 3, up=up)
        height, width = x.shape[1:3]
        maps = noise[:, used : used + height * width]
        used += height * width
        x = AddNoise()([x, layers.Reshape([height, width, 1])(maps)])
        return layers.Rescaling(math.sqrt(2.0))(layers.LeakyReLU(0.2)(x))

    x = LearnedConstant([first, first, widest], seeds())(styles)
    x = layer(x, 0, widest)
    image = modulated(x, 1, channels, 1, demodulate=False)
    for i, width in enumerate(reversed(narrower), 1):
        x = layer(x, 2 * i - 1, width, up=True)
        x = layer(x, 2 * i, width)
        more = modulated(x, 2 * i + 1, channels, 1, demodulate=False)
        image = layers.UpSampling2D(interpolation="bilinear")(image) + more
    images = layers.Activation("tanh", dtype="float32")(image)
    return keras.Model([styles, noise], images, name="synthesis")


class SlowDense(layers.Layer):
    """A dense layer whose weights learn at a share of the optimizer's rate.

    Adam's steps do not depend on a gradient's scale, so weights that are stored larger
    by 1 / rate, and multiplied by it where they are used, move by so much less (Karras
    et al., 2018, arXiv:1710.10196, section 4.1: equalised learning rate).
    """

    def __init__(self, units: int, rate: float, seed, **options):
        super().__init__(**options)
        self.units, self.rate, self.seed = units, rate, seed

    def build(self, input_shape):
        std = math.sqrt(2.0 / input_shape[-1]) / self.rate
        init = keras.initializers.RandomNormal(stddev=std, seed=self.seed)
        self.kernel = self.add_weight(
            shape=[input_shape[-1], self.units], initializer=init, name="kernel"
        )
        self.bias = self.add_weight(
            shape=[self.units], initializer="zeros", name="bias"
        )

    def call(self, inputs):
        return ops.matmul(inputs, self.kernel * self.rate) + self.bias * self.rate


class ModulatedConv2D(layers.Layer):
    """A "same" convolution whose input channels are scaled, for each sample its own.

    Karras et al., 2020 (arXiv:1912.04958, section 2.2, equations 1 to 3), with the
    scales moved from the kernel to the maps before and after it, which is the same.
    Demodulated, maps of unit variance leave with unit variance whatever the scales.

    Args:
      filters, kernel_size: as in ``keras.layers.Conv2D``.
      seed: of the kernel.
      up: whether it is transposed, with stride 2 and a kernel size of 4.
      demodulate: whether it is.
    """

    def __init__(self, filters, kernel_size, seed, up=False, demodulate=True, **others):
        super().__init__(**others)
        self.filters, self.kernel_size, self.seed = filters, kernel_size, seed
        self.up, self.demodulate = up, demodulate

    def build(self, input_shapes):
        inner, size = input_shapes[0][-1], self.kernel_size
        # Of a transposed one with stride 2 a quarter of the kernel makes each pixel.
        self.taps = size**2 // (4 if self.up else 1)
        std = 1.0 / math.sqrt(inner * self.taps)
        init = keras.initializers.RandomNormal(stddev=std, seed=self.seed)
        ends = [self.filters, inner] if self.up else [inner, self.filters]
        self.kernel = self.add_weight(
            shape=[size, size, *ends], initializer=init, name="kernel"
        )
        self.bias = self.add_weight(
            shape=[self.filters], initializer="zeros", name="bias"
        )

    def call(self, inputs):
        maps, scales = inputs
        kernel = ops.convert_to_tensor(self.kernel)
        maps = maps * scales[:, None, None]
        if self.up:
            maps = ops.conv_transpose(maps, kernel, 2, "same")
        else:
            maps = ops.conv(maps, kernel, 1, "same")
        if self.demodulate:
            # In float32: half precision has no room for small squares.
            kernel, scales = (ops.cast(x, "float32") for x in (kernel, scales))
            squares = ops.sum(ops.square(kernel), axis=(0, 1))
            if self.up:
                squares = ops.transpose(squares) / 4.0
            variances = ops.matmul(ops.square(scales), squares)
            shares = ops.cast(ops.rsqrt(variances + 1e-8), maps.dtype)
            maps = maps * shares[:, None, None]
        return maps + self.bias


class AddNoise(layers.Layer):
    """Maps [batch, height, width, channels] and noise [batch, height, width, 1], added
    with one learned factor, at first 0."""

    def build(self, input_shapes):
        self.strength = self.add_weight(shape=(), initializer="zeros", name="strength")

    def call(self, inputs):
        maps, noise = inputs
        return maps + noise * self.strength


class LearnedConstant(layers.Layer):
    """The same learned maps for every row of its input."""

    def __init__(self, shape, seed, **options):
        super().__init__(**options)
        self.shape_of_maps, self.seed = shape, seed

    def build(self, input_shape):
        init = keras.initializers.RandomNormal(stddev=1.0, seed=self.seed)
        self.maps = self.add_weight(
            shape=[1, *self.shape_of_maps], initializer=init, name="maps"
        )

    def call(self, inputs):
        rows = ops.shape(inputs)[0]
        return ops.broadcast_to(self.maps, [rows, *self.shape_of_maps])

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.shape_of_maps)
