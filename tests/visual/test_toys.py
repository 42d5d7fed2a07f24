import numpy as np
import pytest
from scipy import stats

from tfgan_mnist.visual.toys import histogram, scatter


def test_a_histogram_shows_where_values_are():
    density = stats.norm(0, 1).pdf
    left, right = (
        histogram(np.full([100, 1], x), density, (-4.0, 4.0)) for x in (-3.0, 3.0)
    )
    assert left.shape == right.shape == (400, 500, 3)
    assert left.dtype == np.uint8
    difference = np.abs(left.astype(int) - right).sum(axis=(0, 2))
    assert difference[:150].sum() > 0
    assert difference[-150:].sum() > 0
    none = histogram(np.full([100, 1], 40.0), density, (-4.0, 4.0))
    legend = np.s_[40:90, 250:]  # where it says that all values lie beyond
    assert (none[legend] != left[legend]).any()


def test_a_scatter_shows_both_kinds_over_the_probability():
    real, fake = np.zeros([5, 2]), np.full([5, 2], 0.5)
    limits = ((-1.0, 1.0), (-1.0, 1.0))
    sure, unsure = (
        scatter(real, fake, lambda places, p=p: np.full(len(places), p), limits)
        for p in (1.0, 0.0)
    )
    assert sure.shape == (400, 500, 3)
    assert (sure != unsure).mean() > 0.3

    asked = []
    scatter(real, fake, lambda places: asked.append(places) or places[:, 0], limits)
    assert asked[0].min() == -1.0
    assert asked[0].max() == 1.0


@pytest.mark.parametrize(("color", "place"), [(255, "real"), (0, "fake")])
def test_real_points_are_white_and_generated_ones_black(color, place):
    limits = ((-1.0, 1.0), (-1.0, 1.0))
    spread = np.random.default_rng(1).uniform(-0.9, 0.9, [500, 2])
    nowhere = np.full([500, 2], 5.0)

    def count(real, fake):
        pixels = scatter(real, fake, lambda places: np.full(len(places), 0.5), limits)
        inside = pixels[50:350, 80:360]
        return (inside == color).all(axis=-1).sum()

    without = count(nowhere, nowhere)
    real, fake = (spread, nowhere) if place == "real" else (nowhere, spread)
    assert count(real, fake) > without + 400
    assert count(fake, real) < without + 40
