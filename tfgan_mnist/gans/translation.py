"""What a SavedModel answers that turns images into others."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfgan_mnist.gans.gan import Signature, png_answer


def signatures(
    translate: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    shape: tuple[int, int, int],
    suffix: str = "",
) -> dict[str, Signature]:
    """What a SavedModel that translates images answers.

    A row of the answer depends on its own image and seed alone. Files may be PNG or
    JPEG of any size, and are resized (bilinear, anti-aliased).

        translate(images [n, height, width, channels], seed int64 [n])  → images
        translate_png(image_bytes string [n], seed int64 [n])           → image_bytes
        serving_default is translate

    Args:
      translate: (images in [0, 1], seeds) → images in [0, 1].
      shape: of the images that it takes.
      suffix: of both names.
    """
    height, width, channels = shape

    def decode(content):
        pixels = tf.io.decode_image(content, channels, expand_animations=False)
        pixels = tf.ensure_shape(pixels, [None, None, channels])
        return tf.image.resize(pixels, [height, width], antialias=True)

    def translate_images(images, seed):
        return {"images": translate(images, seed)}

    def translate_png(image_bytes, seed):
        images = tf.map_fn(decode, image_bytes, fn_output_signature=tf.float32) / 255.0
        images = tf.ensure_shape(images, [None, *shape])
        return png_answer(translate(images, seed))

    seed = tf.TensorSpec([None], tf.int64, name="seed")
    images = tf.TensorSpec([None, *shape], tf.float32, name="images")
    files = tf.TensorSpec([None], tf.string, name="image_bytes")
    found = {
        f"translate{suffix}": Signature(
            translate_images, {"images": images, "seed": seed}, {"images": (0.0, 1.0)}
        ),
        f"translate{suffix}_png": Signature(
            translate_png, {"image_bytes": files, "seed": seed}
        ),
    }
    if not suffix:
        found["serving_default"] = found["translate"]
    return found
