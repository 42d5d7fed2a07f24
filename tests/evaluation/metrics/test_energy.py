import numpy as np
import pytest
from scipy import stats

from tfgan_mnist.data.toys import moons
from tfgan_mnist.evaluation.metrics.energy import energy_distance


def test_points_by_hand():
    # 2·5 - 0 - 0 for two points 5 apart.
    one, other = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])
    assert energy_distance(one, other) == pytest.approx(np.sqrt(10.0))
    assert energy_distance(one, one) == 0.0


def test_it_is_scipy_s_in_one_dimension():
    random = np.random.default_rng(1)
    one, other = random.normal(size=300), random.normal(0.5, 2.0, size=200)
    expected = stats.energy_distance(one, other)
    found = energy_distance(one[:, np.newaxis], other[:, np.newaxis])
    assert found == pytest.approx(expected)


def test_a_perfect_sampler_is_far_nearer_than_one_moon():
    real = moons(2_000, 1)
    assert energy_distance(real, moons(2_000, 2)) < 0.06
    assert energy_distance(real, real[real[:, 1] > 0.5]) > 0.5
