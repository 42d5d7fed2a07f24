import numpy as np
import pytest
from scipy import stats

from tfgan_mnist.evaluation.metrics.fit import kolmogorov_smirnov, wasserstein_1

QUANTILES = stats.norm.ppf((np.arange(10_000) + 0.5) / 10_000, 4.0, 1.25)


def test_a_perfect_sampler_is_at_no_distance():
    assert kolmogorov_smirnov(QUANTILES, 4.0, 1.25) == pytest.approx(0.5e-4)
    assert wasserstein_1(QUANTILES, 4.0, 1.25) == 0.0
    drawn = np.random.default_rng(1).normal(4.0, 1.25, [10_000, 1])
    assert kolmogorov_smirnov(drawn, 4.0, 1.25) < 0.0163  # its 99 % quantile
    assert wasserstein_1(drawn, 4.0, 1.25) < 0.05


def test_closed_forms_of_a_shift_and_of_a_point():
    shifted = QUANTILES + 0.5
    # Two normal distributions a shift apart differ most half way between their means.
    assert kolmogorov_smirnov(shifted, 4.0, 1.25) == pytest.approx(
        2 * stats.norm.cdf(0.25 / 1.25) - 1, abs=1e-3
    )
    assert wasserstein_1(shifted, 4.0, 1.25) == pytest.approx(0.5)
    # From one point at the mean: E|X - μ| = σ·√(2/π).
    point = np.full(10_000, 4.0)
    assert kolmogorov_smirnov(point, 4.0, 1.25) == pytest.approx(0.5)
    expected = 1.25 * np.sqrt(2 / np.pi)
    assert wasserstein_1(point, 4.0, 1.25) == pytest.approx(expected, rel=1e-3)
