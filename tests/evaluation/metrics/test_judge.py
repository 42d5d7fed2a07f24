import numpy as np
import pytest
import tensorflow as tf
from conftest import PREPARED_MNIST, needs_mnist

from tfgan_mnist.data.mnist import mnist, mnist5k
from tfgan_mnist.evaluation.metrics import judge
from tfgan_mnist.system.errors import UserError


@pytest.fixture(scope="module")
def some():
    images, labels = mnist5k()
    chosen = np.arange(0, 5000, 10)
    return images[chosen] / 255.0, labels[chosen]


def test_it_knows_digits_of_any_size_and_features_are_its_last_layer(some):
    images, labels = some
    features = judge.load_judge().features(images)
    assert features.shape == (500, judge.FEATURES)
    assert np.mean(judge.load_judge().classes_of(features) == labels) > 0.99
    larger = judge.load_judge().features(tf.image.resize(images, [32, 32]).numpy())
    assert np.mean(judge.load_judge().classes_of(larger) == labels) > 0.98
    _, logits = judge.load_judge().network.predict(images, verbose=0)
    np.testing.assert_allclose(
        judge.load_judge().probabilities(features), tf.nn.softmax(logits), atol=1e-5
    )


def test_images_of_another_size_or_range_are_not_the_same_to_it(some):
    """Why the range is checked: features of doubled values are others."""
    images, _ = some
    features = judge.load_judge().features(images)
    assert (
        np.abs(judge.load_judge().features(images * 2.0 - 1.0) - features).mean() > 0.1
    )
    assert judge.load_judge().resized(np.zeros([2, 32, 32, 1])).shape == (2, 28, 28, 1)
    assert judge.load_judge().features(np.zeros([0, 28, 28, 1])).shape == (
        0,
        judge.FEATURES,
    )


def test_an_image_is_judged_alike_whatever_is_beside_it(some):
    images, _ = some
    together = judge.load_judge().features(images)
    alone = judge.load_judge().features(images[7:8])
    np.testing.assert_allclose(alone[0], together[7], rtol=1e-5, atol=1e-5)


def test_its_weights_are_small_and_checked(monkeypatch):
    assert judge.judge_network().count_params() == 224_794
    judge.load_judge.cache_clear()
    monkeypatch.setattr(judge, "SHA256", "0" * 64)
    with pytest.raises(UserError, match=r"judge\.npz: is damaged"):
        judge.load_judge()
    monkeypatch.undo()
    judge.load_judge()


@needs_mnist
def test_it_is_right_on_at_least_99_5_percent_of_the_test_images():
    images, labels = mnist(str(PREPARED_MNIST), "test")
    digits = judge.load_judge().classes_of(judge.load_judge().features(images / 255.0))
    assert np.mean(digits == labels) >= 0.995
