import numpy as np
import pytest

from tfgan_mnist.evaluation.metrics.copying import data_copying

RANDOM = np.random.default_rng(1)


def test_by_hand_in_two_cells():
    """In cell 0 every sample is nearer than every real image, in cell 1 further."""
    near, far = np.linspace(1.0, 2.0, 20), np.linspace(3.0, 4.0, 30)
    cells = np.repeat([0, 1], [20, 30])
    found = data_copying(
        np.concatenate([near, far]),
        cells,
        np.concatenate([far, near]),
        np.repeat([0, 1], [30, 20]),
    )
    # U of 0 and of 600, of a mean of 300 and a deviation of sqrt(600 * 51 / 12).
    z = 300.0 / np.sqrt(600.0 * 51.0 / 12.0)
    assert found == pytest.approx((30.0 * -z + 20.0 * z) / 50.0)


def test_of_the_same_distribution_it_is_about_0_and_of_copies_far_below():
    real, fresh = RANDOM.gamma(5.0, size=[2, 2_000])
    cells = RANDOM.integers(0, 10, [2, 2_000])
    assert abs(data_copying(fresh, cells[0], real, cells[1])) < 1.0
    assert data_copying(0.3 * fresh, cells[0], real, cells[1]) < -10.0
    assert data_copying(2.0 * fresh, cells[0], real, cells[1]) > 10.0


def test_cells_with_too_few_are_left_out():
    distances, cells = np.ones(40), np.repeat([0, 1], [25, 15])
    found = data_copying(distances, cells, np.ones(50), np.repeat([0, 1], 25))
    assert found == 0.0  # all ties, in cell 0 alone
    assert np.isnan(data_copying(np.ones(5), np.zeros(5), np.ones(50), np.zeros(50)))
