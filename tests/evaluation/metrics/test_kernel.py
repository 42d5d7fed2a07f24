import numpy as np
import pytest

from tfgan_mnist.evaluation.metrics import kernel


def test_unbiased_discrepancy_pair_by_pair():
    random = np.random.default_rng(1)
    one, other = random.normal(size=[4, 3]), random.normal(size=[5, 3])

    def k(x, y):
        return (x @ y / 3 + 1) ** 3

    within = np.mean([k(one[i], one[j]) for i in range(4) for j in range(4) if i != j])
    beyond = np.mean(
        [k(other[i], other[j]) for i in range(5) for j in range(5) if i != j]
    )
    between = np.mean([k(x, y) for x in one for y in other])
    expected = within + beyond - 2 * between
    assert kernel.unbiased_mmd(one, other) == pytest.approx(expected)


def test_one_distribution_is_0_apart_within_the_spread():
    random = np.random.default_rng(2)
    distance, spread = kernel.kernel_distance(
        random.normal(size=[3000, 4]), random.normal(size=[3000, 4])
    )
    assert abs(distance) < spread
    assert 0 < spread < 0.1


def test_a_shift_is_found_and_its_size_known():
    """Of points at 0 and at 1: (0 + 1)³ + (1 + 1)³ - 2·(0 + 1)³."""
    found = kernel.kernel_distance(np.zeros([50, 1]), np.ones([60, 1]))
    assert found == (pytest.approx(7.0), pytest.approx(0.0))
