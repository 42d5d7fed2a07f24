import numpy as np
import pytest
from scipy import stats

from tfgan_mnist.evaluation.metrics.moments import moments


def test_known_values():
    # -1, 0 and 4: mean 1, squared deviations 4, 1, 9; cubes -8, -1, 27; fourths.
    found = moments(np.array([[-1.0], [0.0], [4.0]]))
    variance = 14 / 3
    assert found["mean"] == pytest.approx(1.0)
    assert found["std"] == pytest.approx(variance**0.5)
    assert found["skewness"] == pytest.approx(6.0 / variance**1.5)
    assert found["excess_kurtosis"] == pytest.approx((98 / 3) / variance**2 - 3)


def test_a_perfect_sampler():
    places = (np.arange(10_000) + 0.5) / 10_000
    found = moments(stats.norm.ppf(places, 4.0, 1.25))
    assert found["mean"] == pytest.approx(4.0, abs=1e-9)
    assert found["std"] == pytest.approx(1.25, abs=1e-3)
    assert found["skewness"] == pytest.approx(0.0, abs=1e-9)
    assert found["excess_kurtosis"] == pytest.approx(0.0, abs=0.02)


def test_samples_that_are_all_alike_have_no_shape():
    found = moments(np.full([10_000, 1], np.float32(4.1)))
    assert found["mean"] == pytest.approx(4.1)
    assert found["std"] == pytest.approx(0.0, abs=1e-6)
    assert found["skewness"] == found["excess_kurtosis"] == 0.0
