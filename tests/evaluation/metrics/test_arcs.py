import numpy as np
import pytest

from tfgan_mnist.data.toys import moons
from tfgan_mnist.evaluation.metrics.arcs import BINS, arc_fit

ANGLES = (np.arange(10) + 0.5) * np.pi / 10
UPPER = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
LOWER = np.stack([1 - np.cos(ANGLES), 0.5 - np.sin(ANGLES)], axis=1)


def test_a_point_on_each_bin_covers_them_all():
    found = arc_fit(np.concatenate([UPPER, LOWER]), 0.05)
    assert found == {"near_arcs": 1.0, "bins": BINS}


@pytest.mark.parametrize("half", [UPPER, LOWER])
def test_one_moon_is_half_of_the_bins(half):
    assert arc_fit(half, 0.05) == {"near_arcs": 1.0, "bins": BINS / 2}


@pytest.mark.parametrize(
    ("point", "near"),
    [
        ([0.0, 1.14], True),
        ([0.0, 1.16], False),
        ([0.0, 0.86], True),
        ([0.0, 0.84], False),
        ([-1.0, -0.14], True),  # beyond the upper arc's end
        ([-1.0, -0.16], False),
        ([1.0, -0.64], True),  # below the lower arc
        ([1.0, -0.66], False),
        ([2.0, 0.64], True),  # beyond the lower arc's end
        ([2.0, 0.66], False),
        ([0.0, -0.6], False),
        ([0.5, 0.25], False),  # between the moons
    ],
)
def test_distances_to_the_arcs_by_hand(point, near):
    found = arc_fit(np.array([point]), 0.05)
    assert found == {"near_arcs": float(near), "bins": float(near)}


def test_a_perfect_sampler():
    found = arc_fit(moons(10_000, 1), 0.05)
    # Along an arc the distance is that of one normal number: 99.73 % within three.
    assert found["near_arcs"] == pytest.approx(0.9973, abs=0.002)
    assert found["bins"] == BINS
