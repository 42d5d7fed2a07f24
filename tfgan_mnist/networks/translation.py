"""Networks from image to image: U-Net, residual network, discriminator of patches."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import tensorflow as tf
from keras import layers

Shape = tuple[int, int, int]
"""height, width, channels"""


class DropoutBy(layers.Layer):
    """Dropout by noise that is given, in training or not.

    Takes [features [batch, ...], noise [batch, size of a row's features] uniform from 0
    to 1]; what has noise below the rate is dropped, the rest grows to make up for it.
    """

    def __init__(self, rate: float, **options):
        super().__init__(**options)
        self.rate = rate

    def call(self, inputs):
        features, noise = inputs
        noise = tf.reshape(noise, tf.shape(features))
        kept = tf.cast(noise >= self.rate, features.dtype)
        return features * kept / (1.0 - self.rate)

    def compute_output_shape(self, input_shape):
        return input_shape[0]


class Crop(layers.Layer):
    """The first rows and columns of feature maps, as many as the size has."""

    def __init__(self, size: tuple[int, int], **options):
        super().__init__(**options)
        self.size = size

    def call(self, inputs):
        return inputs[:, : self.size[0], : self.size[1]]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.size, input_shape[-1])


def _normal(seeds: keras.random.SeedGenerator) -> keras.initializers.Initializer:
    """As both papers have it (their appendices)."""
    return keras.initializers.RandomNormal(0.0, 0.02, seed=seeds)


DROPPED = 3  # of the decoder's layers, the deepest
RATE = 0.5


def unet(source: Shape, channels: int, base_channels: int, seed: int) -> keras.Model:
    """[noise, sources [batch, height, width, channels]] → images in [-1, 1].

    Isola et al., 2017 (arXiv:1611.07004, sections 3.2.1 and 6.1.1): convolutions 4×4 of
    stride 2 down to 1×1, each map joined to the decoder's of its size; batch
    normalisation but in the first; leaky ReLU of 0.2, then ReLU. Noise is dropout, of
    half of the three deepest layers of the decoder, in sampling too; here it comes in
    as uniform numbers from 0 to 1. Ours: the source itself is joined to the last map,
    which a 3×3 convolution turns into the image; and maps may be of odd sizes.
    """
    init = _normal(keras.random.SeedGenerator(seed))

    def widths(i: int) -> int:
        return base_channels * min(8, 2**i)

    sources = x = keras.Input(source, name="sources")
    maps = [sources]
    while max(x.shape[1:3]) > 1:
        x = layers.Conv2D(widths(len(maps) - 1), 4, 2, "same", kernel_initializer=init)(
            x
        )
        if len(maps) > 1:
            x = layers.BatchNormalization()(x)
        x = layers.LeakyReLU(0.2)(x)
        maps.append(x)
    decoded = [
        (maps[i].shape[1:3], widths(max(0, i - 1))) for i in range(len(maps) - 1)
    ]
    decoded = decoded[::-1]  # the deepest first
    sizes = [h * w * c for (h, w), c in decoded[:DROPPED]]
    noise = keras.Input([sum(sizes)], name="noise")
    used = 0
    for i, ((height, width), filters) in enumerate(decoded):
        x = layers.Conv2DTranspose(filters, 4, 2, "same", kernel_initializer=init)(x)
        x = Crop((height, width))(x)
        x = layers.BatchNormalization()(x)
        if i < DROPPED:
            x = DropoutBy(RATE)([x, noise[:, used : used + sizes[i]]])
            used += sizes[i]
        x = layers.ReLU()(x)
        x = layers.Concatenate()([x, maps[len(decoded) - 1 - i]])
    x = layers.Conv2D(channels, 3, 1, "same", kernel_initializer=init)(x)
    images = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model([noise, sources], images, name="generator")


def patch_discriminator(
    shapes: list[Shape],
    base_channels: int,
    seed: int,
    name: str,
    normalization: Callable[[], layers.Layer],
) -> keras.Model:
    """Images, or [samples, sources] → logits [batch, rows, columns, 1], one a patch.

    Isola et al., 2017 (arXiv:1611.07004, section 6.1.2): convolutions 4×4, some of
    stride 2, then two of stride 1; normalisation but in the first; leaky ReLU of 0.2. A
    logit sees 16×16 pixels after one halving, 34×34 after two, and 70×70, the paper's
    choice for 256, after three. Here the smallest that is half as high as the image.

    Args:
      shapes: of the images that it looks at together, side by side in depth.
      base_channels: of the first layer.
      normalization: makes a layer.
    """
    halvings = min(3, max(1, round(math.log2(shapes[0][0] / 16))))
    init = _normal(keras.random.SeedGenerator(seed))
    inputs = [keras.Input(shape, name=f"images_{i}") for i, shape in enumerate(shapes)]
    x = layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    for i in range(halvings + 1):
        stride = 2 if i < halvings else 1
        filters = base_channels * min(8, 2**i)
        x = layers.Conv2D(filters, 4, stride, "same", kernel_initializer=init)(x)
        if i:
            x = normalization()(x)
        x = layers.LeakyReLU(0.2)(x)
    logits = layers.Conv2D(1, 4, 1, "same", kernel_initializer=init, dtype="float32")(x)
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], logits, name=name)


def pix2pix(
    latent_dim: int, base_channels: int, seed: int, source: Shape, target: Shape
) -> tuple[keras.Model, keras.Model]:
    """The U-Net, whose size says how many latents it needs, and a D of pairs."""
    return (
        unet(source, target[-1], base_channels, seed),
        patch_discriminator(
            [target, source],
            base_channels,
            seed + 1,
            "discriminator",
            layers.BatchNormalization,
        ),
    )


def instance_normalization() -> layers.Layer:
    """Each channel of each image by itself (Ulyanov et al., 2016, arXiv:1607.08022)."""
    return layers.GroupNormalization(groups=-1, epsilon=1e-5)


class ReflectionPad(layers.Layer):
    """Feature maps with their edges mirrored around them."""

    def __init__(self, width: int, **options):
        super().__init__(**options)
        self.width = width

    def call(self, inputs):
        edges = [self.width, self.width]
        return tf.pad(inputs, [[0, 0], edges, edges, [0, 0]], "REFLECT")

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, height + 2 * self.width, width + 2 * self.width, channels


def resnet(
    source: Shape, channels: int, base_channels: int, seed: int, name: str
) -> keras.Model:
    """Images [batch, height, width, channels] → images in [-1, 1].

    Zhu et al., 2017 (arXiv:1703.10593, appendix 7.2), after Johnson et al., 2016
    (arXiv:1603.08155): a convolution 7×7, two 3×3 of stride 2, residual blocks of two
    3×3, two transposed ones, one 7×7; reflected edges and instance normalisation. The
    paper has 6 blocks up to 128 pixels; below 64 there are 3 (ours).
    """
    init = _normal(keras.random.SeedGenerator(seed))

    def convolution(x, filters, kernel, stride=1, reflect=0, relu=True):
        if reflect:
            x = ReflectionPad(reflect)(x)
        padding = "valid" if reflect else "same"
        x = layers.Conv2D(filters, kernel, stride, padding, kernel_initializer=init)(x)
        x = instance_normalization()(x)
        return layers.ReLU()(x) if relu else x

    images = keras.Input(source, name="images")
    c = base_channels
    x = convolution(images, c, 7, reflect=3)
    x = convolution(x, 2 * c, 3, 2)
    x = convolution(x, 4 * c, 3, 2)
    for _ in range(3 if source[0] < 64 else 6):
        y = convolution(x, 4 * c, 3, reflect=1)
        x = layers.Add()([x, convolution(y, 4 * c, 3, reflect=1, relu=False)])
    for filters in (2 * c, c):
        x = layers.Conv2DTranspose(filters, 3, 2, "same", kernel_initializer=init)(x)
        x = instance_normalization()(x)
        x = layers.ReLU()(x)
    x = Crop(source[:2])(x)
    x = ReflectionPad(3)(x)
    x = layers.Conv2D(channels, 7, kernel_initializer=init)(x)
    images_out = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(images, images_out, name=name)


def cyclegan(
    latent_dim: int, base_channels: int, seed: int, source: Shape, target: Shape
) -> tuple[keras.Model, ...]:
    """Two residual networks, there and back, and a D of either kind of images."""
    return (
        resnet(source, target[-1], base_channels, seed, "generator"),
        resnet(target, source[-1], base_channels, seed + 1, "generator_back"),
        *(
            patch_discriminator(
                [shape], 2 * base_channels, seed + i, name, instance_normalization
            )
            for i, (shape, name) in enumerate(
                ((target, "discriminator"), (source, "discriminator_back")), 2
            )
        ),
    )
