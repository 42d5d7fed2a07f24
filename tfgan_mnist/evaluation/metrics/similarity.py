"""How alike two images are: peak signal-to-noise ratio and structural similarity."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def psnr(images: np.ndarray, others: np.ndarray) -> float:
    """The mean peak signal-to-noise ratio in dB; infinite if two are the same.

    Args:
      images, others: [count, height, width, channels] in [0, 1].
    """
    errors = np.mean(np.square(images - others), axis=(1, 2, 3), dtype=np.float64)
    with np.errstate(divide="ignore"):
        return float(np.mean(-10.0 * np.log10(errors)))


def ssim(images: np.ndarray, others: np.ndarray) -> float:
    """The mean structural similarity, 1 where both are the same.

    Wang et al., 2004, "Image quality assessment", doi:10.1109/TIP.2003.819861: Gaussian
    windows of 11×11 pixels and deviation 1.5, K1 0.01, K2 0.03; the mean over windows
    that lie inside, and over channels.
    """
    values = [
        tf.image.ssim(
            tf.constant(images[i : i + 1000], tf.float32),
            tf.constant(others[i : i + 1000], tf.float32),
            max_val=1.0,
        ).numpy()
        for i in range(0, len(images), 1000)
    ]
    return float(np.concatenate(values).mean(dtype=np.float64))
