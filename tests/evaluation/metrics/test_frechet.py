import numpy as np
import pytest
from scipy import linalg

from tfgan_mnist.evaluation.metrics.frechet import frechet_distance


def with_moments(mean, covariance, count=200):
    """Rows whose sample mean and covariance are exactly these."""
    raw = np.random.default_rng(1).normal(size=[count, len(mean)])
    raw -= raw.mean(axis=0)
    own = np.linalg.cholesky(np.cov(raw, rowvar=False))
    return raw @ np.linalg.inv(own).T @ np.linalg.cholesky(covariance).T + mean


def test_diagonal_gaussians_by_hand():
    """(3 - 0)² + (0 - 4)² + (2 - 1)² + (1 - 5)²."""
    features = with_moments(np.array([3.0, 0.0]), np.diag([4.0, 1.0]))
    found = frechet_distance(features, np.array([0.0, 4.0]), np.diag([1.0, 25.0]))
    assert found == pytest.approx(9 + 16 + 1 + 16)


def test_as_the_matrix_square_root_of_scipy_has_it():
    random = np.random.default_rng(2)
    features = random.normal(size=[50, 8]) @ random.normal(size=[8, 8])
    other = random.normal(size=[8, 20])
    mean, covariance = random.normal(size=8), np.cov(other)
    own = np.cov(features, rowvar=False)
    away = features.mean(axis=0) - mean
    expected = away @ away + np.trace(
        own + covariance - 2 * linalg.sqrtm(own @ covariance).real
    )
    assert frechet_distance(features, mean, covariance) == pytest.approx(expected)


def test_the_same_moments_are_0_apart_even_if_singular():
    features = np.random.default_rng(3).normal(size=[40, 3])
    features = np.concatenate([features, np.zeros([40, 2])], axis=1)
    found = frechet_distance(
        features, features.mean(axis=0), np.cov(features, rowvar=False)
    )
    assert found == pytest.approx(0.0, abs=1e-9)
