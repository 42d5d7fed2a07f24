"""From images back to what a model would have made them of."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tfgan_mnist.serving.reader import LoadedModel, row_seeds
from tfgan_mnist.system import progress


@dataclasses.dataclass(frozen=True)
class Inversion:
    """What was found for each of n images.

    Attributes:
      codes: latents [n, latent_dim], or styles [n, layers, latent_dim].
      samples: what the model makes of them, as the images.
      errors: the least mean squared error of a pixel over steps, [steps + 1, n].
    """

    codes: np.ndarray
    samples: np.ndarray
    errors: np.ndarray


def invert(
    model: LoadedModel,
    images: np.ndarray,
    labels: np.ndarray | None = None,
    starts: int = 16,
    steps: int = 300,
    seed: int = 1,
    rate: float = 0.05,
) -> Inversion:
    """Finds latents, or styles of a model that has some, of the nearest samples.

    Each image is approached from several random codes by Adam on the mean squared error
    of its pixels, and the nearest sample counts (Zhu et al., 2016, "Generative visual
    manipulation on the natural image manifold", arXiv:1609.03552, section 4.1).

    Args:
      model: of images.
      images: float [n, height, width, channels] in [0, 1], of the model's shape.
      labels: int [n] for a conditional model.
      starts: codes for each image.
      steps: of Adam.
      seed: of the codes.
      rate: Adam's.
    """
    seeds = row_seeds(seed, len(images) * starts)
    labels = None if labels is None else np.repeat(labels, starts)
    if model.has_styles:
        first, signature, name = model.styles(seeds), "synthesize", "styles"
    else:
        first = model.latents(seeds, labels=labels)
        signature, name = "serving_default", "latents"
    codes = tf.Variable(first)
    wanted = tf.constant(np.repeat(images, starts, axis=0), tf.float32)
    told = {k: tf.constant(x) for k, x in model.told(labels, len(seeds)).items()}
    generate = model.signatures[signature]
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build([codes])

    def apart():
        samples = generate(**{name: tf.convert_to_tensor(codes)}, **told)["images"]
        return samples, tf.reduce_mean(tf.square(samples - wanted), axis=(1, 2, 3))

    @tf.function(autograph=False)
    def move():
        with tf.GradientTape() as tape:
            _, errors = apart()
            total = tf.reduce_sum(errors)
        optimizer.apply(tape.gradient(total, [codes]), [codes])
        return errors

    found = [
        move().numpy() for _ in progress.bar(range(steps), "inverting", leave=False)
    ]
    samples, errors = (x.numpy() for x in apart())
    found = np.stack([*found, errors]).reshape(steps + 1, len(images), starts)
    best = np.arange(len(images)) * starts + found[-1].argmin(axis=1)
    return Inversion(codes.numpy()[best], samples[best], found.min(axis=2))
