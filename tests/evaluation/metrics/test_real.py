import numpy as np
import pytest
from conftest import PREPARED_MNIST, needs_mnist

from tfgan_mnist.data.mnist import mnist, mnist5k
from tfgan_mnist.evaluation.metrics import judge, real
from tfgan_mnist.evaluation.metrics.frechet import frechet_distance
from tfgan_mnist.system.errors import UserError


def test_5000_real_images_look_like_what_is_kept():
    images, _ = mnist5k()
    features = judge.load_judge().features(images / 255.0)
    known = real.load_real()
    # Equal classes, and training images all: near to the data as a whole, not the same.
    away = frechet_distance(features, known.mean, known.covariance)
    assert 0.01 < away < 0.2
    noise = judge.load_judge().features(
        np.random.default_rng(1).random([500, 28, 28, 1])
    )
    assert frechet_distance(noise, known.mean, known.covariance) > 50
    assert (
        np.mean(judge.load_judge().classes_of(known.test) == known.test_labels) > 0.995
    )
    assert known.train.shape == known.test.shape == (10_000, judge.FEATURES)
    assert known.class_shares.sum() == pytest.approx(1.0)
    assert known.class_shares[1] == pytest.approx(6742 / 60_000)


def test_a_file_of_another_judge_is_refused(monkeypatch):
    real.load_real.cache_clear()
    monkeypatch.setattr(real, "SHA256", "0" * 64)
    with pytest.raises(UserError, match=r"real\.npz: is damaged or not judge-1's"):
        real.load_real()
    monkeypatch.undo()
    real.load_real()


@needs_mnist
def test_it_is_what_the_judge_makes_of_the_images():
    known = real.load_real()
    images, labels = mnist(str(PREPARED_MNIST), "test")
    features = judge.load_judge().features(images / np.float32(255.0))
    order = np.random.default_rng(1)
    order.permutation(60_000)  # as Real.of shuffles: training first
    chosen = order.permutation(10_000)
    np.testing.assert_allclose(known.test, features[chosen], rtol=2e-3, atol=2e-3)
    np.testing.assert_array_equal(known.test_labels, labels[chosen])
