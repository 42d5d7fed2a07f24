import numpy as np
import pytest
from scipy.spatial.distance import cdist

from tfgan_mnist.evaluation.metrics.manifold import (
    NEIGHBOURS,
    diversity,
    manifold,
    radii,
)


def figures(features, real):
    return manifold(features, real, radii(features), radii(real))


def test_a_radius_reaches_to_the_fifth_other_point():
    line = np.arange(20.0)[:, np.newaxis]
    assert radii(line)[0] == 5.0
    assert radii(line)[10] == 3.0  # two and two at 1 and 2, the fifth at 3


def test_as_the_definitions_say_pair_by_pair():
    random = np.random.default_rng(1)
    features = random.normal(size=[80, 3])
    real = random.normal(size=[70, 3]) * 1.5 + 0.5
    between = cdist(features, real)
    own = np.sort(cdist(features, features), axis=1)[:, NEIGHBOURS]
    there = np.sort(cdist(real, real), axis=1)[:, NEIGHBOURS]
    expected = {
        "precision": np.mean([any(row <= there) for row in between]),
        "recall": np.mean([any(column <= own) for column in between.T]),
        "density": np.sum(between <= there) / (NEIGHBOURS * 80),
        "coverage": np.mean(between.min(axis=0) <= there),
    }
    assert figures(features, real) == pytest.approx(expected)
    assert 0 < expected["recall"] < 1  # a case that can tell
    assert 0 < expected["coverage"] < 1


def test_the_same_whatever_is_held_in_memory_at_once():
    import sklearn

    random = np.random.default_rng(2)
    features, real = random.normal(size=[600, 4]), random.normal(size=[500, 4])
    together = figures(features, real)
    with sklearn.config_context(working_memory=0.02):  # MB: a few rows at a time
        assert figures(features, real) == pytest.approx(together)


def test_one_distribution_and_two_far_ones():
    random = np.random.default_rng(3)
    one, other = random.normal(size=[400, 2]), random.normal(size=[400, 2])
    near = figures(one, other)
    assert min(near.values()) > 0.9
    assert near["density"] == pytest.approx(1.0, abs=0.1)
    assert figures(one + 100.0, other) == {
        "precision": 0.0,
        "recall": 0.0,
        "density": 0.0,
        "coverage": 0.0,
    }


def test_samples_of_one_mode_are_precise_and_recall_little():
    real = np.random.default_rng(4).normal(size=[500, 2]) * 3.0
    one_mode = np.random.default_rng(5).normal(size=[500, 2]) * 0.1
    found = figures(one_mode, real)
    assert found["precision"] == 1.0
    assert found["recall"] < 0.05
    assert found["coverage"] < 0.1


def test_diversity_is_in_units_of_the_real_distances():
    line = np.arange(100.0)[:, np.newaxis]
    assert diversity(radii(line / 4), radii(line)) == pytest.approx(0.25)
    assert diversity(radii(np.zeros([10, 1])), radii(line)) == 0.0
