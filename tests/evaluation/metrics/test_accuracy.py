import numpy as np
import pytest

from tfgan_mnist.data.mnist import mnist5k
from tfgan_mnist.evaluation.metrics.accuracy import (
    classification_accuracy,
    small_classifier,
)


@pytest.fixture(scope="module")
def some():
    images, labels = mnist5k()
    return images / np.float32(255.0), labels


def test_what_real_digits_teach_and_what_wrong_labels_do(some):
    images, labels = some
    odd = np.arange(len(images)) % 2 == 1
    taught = classification_accuracy(
        images[odd], labels[odd], images[~odd], labels[~odd]
    )
    assert taught > 0.9
    shifted = (labels[odd] + 1) % 10  # every digit is called by the next one's name
    misled = classification_accuracy(images[odd], shifted, images[~odd], labels[~odd])
    assert misled < 0.05


def test_the_same_every_time(some):
    images, labels = some
    few = slice(0, None, 25)
    once, again = (
        classification_accuracy(images[few], labels[few], images, labels)
        for _ in range(2)
    )
    assert once == again


def test_its_size_is_what_is_said():
    by_hand = (16 * 9 + 16) + (32 * 16 * 9 + 32) + (7 * 7 * 32 * 10 + 10)
    assert small_classifier((28, 28, 1), 0).count_params() == by_hand == 20_490
