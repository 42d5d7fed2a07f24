"""Adaptive augmentation of all that D sees: few images are not learned by heart.

Karras et al., 2020, "Training generative adversarial networks with limited data",
arXiv:2006.06676.
"""

from __future__ import annotations

import itertools
import math

import tensorflow as tf

from tfgan_mnist.system.replicas import count_replicas, mean_of_all, own_rows
from tfgan_mnist.system.seeds import fold_in

Changes = dict[str, tf.Tensor]

MOST = 0.8
"""The greatest probability: up to it G learns images as they are, not as they were
changed (section 2.2)."""
RISE = 100_000
"""Real images in which the probability could go from 0 to 1. The paper has 500,000, and
25 million images to train on; ours are short runs."""
MEAN_OF = 4
"""D's answers are averaged over about so many batches: each new one counts a quarter.
(The paper takes the mean of four, section 3.)"""


class Augmentation:
    """Changes that real and generated images alike go through on their way to D.

    A part of the paper's: scaling, rotation and translation (one resampling), then
    brightness and contrast. Each is made with the same probability, anew for each
    image. Left out are flips, hue, and turns by 90°, which rotation covers. The
    probability rises while D is surer of the training images than the target, and falls
    otherwise (section 3, the heuristic r_t).

    Args:
      target: of the mean sign of D's logits on real images; the paper's is 0.6.

    Attributes:
      state: by name, what a checkpoint keeps.
    """

    def __init__(self, target: float):
        self.target = target
        self.probability, self.sign = (
            tf.Variable(
                0.0,
                trainable=False,
                dtype=tf.float32,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
            for _ in range(2)
        )
        self.state = {
            "augmentation/probability": self.probability,
            "augmentation/sign": self.sign,
        }

    def draw(self, images: tf.Tensor, seed: tf.Tensor) -> Changes:
        """What is done to images [n, height, width, channels], from a seed."""
        count, height, width, _ = images.shape
        numbers = itertools.count()

        def drawn(draw, **options):
            of = {**options, "seed": fold_in(seed, next(numbers)), "alg": "philox"}
            return own_rows(lambda rows: draw(shape=[rows], **of), count)

        def normal(std):
            values = drawn(tf.random.stateless_normal)
            return std * values * happens()

        def happens():
            chance = drawn(tf.random.stateless_uniform)
            return tf.cast(chance < self.probability, tf.float32)

        scale = 2.0 ** normal(0.2)
        turns = {"minval": -math.pi, "maxval": math.pi}
        angle = drawn(tf.random.stateless_uniform, **turns) * happens()
        right, down = (normal(0.125) * size for size in (width, height))
        moves = (scale, angle, right, down)
        return {
            "transforms": transforms(*moves, height, width),
            "contrast": 2.0 ** normal(0.5),
            "brightness": 2.0 * normal(0.2),  # of values in [-1, 1]
        }

    def apply(self, images: tf.Tensor, changes: Changes) -> tf.Tensor:
        """Images in [-1, 1], changed; contrast and brightness may lead out of it.

        The gradient is an approximation: TensorFlow moves it by the inverse transform,
        which is off by about 1/scale², and at the reflected borders.
        """
        moved = tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=changes["transforms"],
            output_shape=images.shape[1:3],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="REFLECT",
        )
        contrast, brightness = (
            changes[name][:, tf.newaxis, tf.newaxis, tf.newaxis]
            for name in ("contrast", "brightness")
        )
        return moved * contrast + brightness

    def adapt(self, logits: tf.Tensor) -> None:
        """Moves the probability after D's logits [n, 1] on real images."""
        sign = mean_of_all(tf.reduce_mean(tf.sign(tf.cast(logits, tf.float32))))
        share = 1.0 / MEAN_OF
        self.sign.assign((1.0 - share) * self.sign + share * sign)
        images = count_replicas() * logits.shape[0]
        step = tf.sign(self.sign - self.target) * (images / RISE)
        self.probability.assign(tf.clip_by_value(self.probability + step, 0.0, MOST))


def transforms(
    scale: tf.Tensor,
    angle: tf.Tensor,
    right: tf.Tensor,
    down: tf.Tensor,
    height: int,
    width: int,
) -> tf.Tensor:
    """From where in an image each place of the changed one comes.

    The image is enlarged and turned about its middle (from right to down for positive
    angles), then moved.

    Args:
      scale, angle, right, down: float32 [n]; radians and pixels.

    Returns:
      float32 [n, 8], as ``ImageProjectiveTransformV3`` takes them.
    """
    cosine, sine = tf.cos(angle) / scale, tf.sin(angle) / scale
    x, y = 0.5 * (width - 1), 0.5 * (height - 1)
    rows = [
        cosine,
        sine,
        x - cosine * (x + right) - sine * (y + down),
        -sine,
        cosine,
        y + sine * (x + right) - cosine * (y + down),
        tf.zeros_like(scale),
        tf.zeros_like(scale),
    ]
    return tf.stack(rows, axis=1)
