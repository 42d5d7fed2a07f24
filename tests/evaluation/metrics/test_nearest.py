import numpy as np
import pytest
from scipy.spatial.distance import cdist

from tfgan_mnist.evaluation.metrics.nearest import (
    memorisation,
    nearest_distances,
    nearest_images,
)


def test_as_scipy_has_it():
    random = np.random.default_rng(1)
    images, training = random.random([7, 4, 4, 1]), random.random([50, 4, 4, 1])
    expected = cdist(images.reshape(7, 16), training.reshape(50, 16)).min(axis=1)
    found = nearest_distances(images, training)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    order = cdist(images.reshape(7, 16), training.reshape(50, 16)).argsort(axis=1)
    np.testing.assert_array_equal(nearest_images(images, training, 4), order[:, :4])


def test_a_training_image_is_0_from_itself():
    training = np.random.default_rng(2).random([50, 4, 4, 1])
    found = nearest_distances(training[3:5], training)
    np.testing.assert_allclose(found, 0.0, atol=1e-3)


def test_copies_are_told_from_images_as_near_as_unseen_ones():
    held_out = np.linspace(1.0, 2.0, 1000)
    assert memorisation(held_out, held_out) == pytest.approx(
        {"nearest": 1.5, "copies": 0.01}
    )
    copies = np.concatenate([np.zeros(250), np.full(750, 1.5)])
    found = memorisation(copies, held_out)
    assert found == pytest.approx({"nearest": 1.125, "copies": 0.25})
