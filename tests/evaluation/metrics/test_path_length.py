import numpy as np
import pytest

from tfgan_mnist.evaluation.metrics.path_length import path_length


def test_by_hand():
    here, there = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[0.3, 0.4], [1.0, 1.2]])
    # Squared distances of 0.25 and 0.04, over a squared step of 0.01.
    assert path_length(here, there, 0.1) == pytest.approx(14.5)


def test_of_a_linear_map_it_is_the_squared_speed_whatever_the_step():
    speed = np.array([3.0, 4.0])
    t = np.random.default_rng(1).uniform(size=[50, 1])
    for step in (1e-4, 1e-2):
        found = path_length(t * speed, (t + step) * speed, step)
        assert found == pytest.approx(25.0)
