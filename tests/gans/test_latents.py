import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.gans.latents import draw, row_latents
from tfgan_mnist.system.seeds import LATENTS, run_seed


@pytest.mark.parametrize(
    ("distribution", "mean", "deviation", "least", "largest"),
    [
        ("uniform", 0.0, 1 / np.sqrt(3), -1.0, 1.0),
        ("standard_uniform", 0.5, 1 / np.sqrt(12), 0.0, 1.0),
        ("normal", 0.0, 1.0, -6.0, 6.0),
    ],
)
def test_moments(distribution, mean, deviation, least, largest):
    drawn = draw(distribution, [1000, 100], run_seed(1, 1)).numpy()
    assert abs(drawn.mean() - mean) < 0.01
    assert abs(drawn.std() - deviation) < 0.01
    assert least <= drawn.min()
    assert drawn.max() <= largest
    again = draw(distribution, [1000, 100], run_seed(1, 1)).numpy()
    np.testing.assert_array_equal(drawn, again)


def test_known_draw():
    """A seed's latents are a promise to users: "same seed, same picture"."""
    drawn = draw("normal", [3], run_seed(1, LATENTS)).numpy()
    np.testing.assert_allclose(drawn, KNOWN, rtol=1e-6)


KNOWN = [0.060435950756073, 0.5511903166770935, 0.6719174981117249]


def test_a_row_s_latents_are_of_its_own_seed_times_its_temperature():
    seeds = tf.constant([5, -3, 5], tf.int64)
    rows = row_latents("normal", 4, seeds, tf.constant([1.0, 1.0, 0.5])).numpy()
    alone = row_latents("normal", 4, seeds[1:2], tf.ones([1])).numpy()
    np.testing.assert_array_equal(rows[1], alone[0])
    np.testing.assert_array_equal(rows[2], 0.5 * rows[0])
    assert not np.array_equal(rows[0], rows[1])
