import numpy as np
import pytest

from tfgan_mnist.evaluation.metrics.sharpness import sharpness


def test_sharpness_by_hand():
    """Lengths of (0.3, 0.4) and of (0, -0.3) in one image; the other is flat."""
    image = np.array([[0.0, 0.3, 0.3], [0.4, 0.0, 0.9]], np.float32)
    images = np.stack([image, np.full_like(image, 0.7)])[..., None]
    assert sharpness(images[:1]) == pytest.approx((0.5 + 0.3) / 2)
    assert sharpness(images) == pytest.approx((0.5 + 0.3) / 4)


def test_blurring_costs_sharpness():
    images = np.zeros([1, 8, 8, 1], np.float32)
    images[:, 2:6, 2:6] = 1.0
    blurred = (images + np.roll(images, 1, 1) + np.roll(images, 1, 2)) / 3
    assert 0.0 < sharpness(blurred) < sharpness(images)
