import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.gans.latents import draw, row_latents, truncated_row_latents
from tfgan_mnist.system.seeds import LATENTS, run_seed


@pytest.mark.parametrize(
    ("distribution", "mean", "std", "least", "largest"),
    [
        ("uniform", 0.0, 1 / np.sqrt(3), -1.0, 1.0),
        ("standard_uniform", 0.5, 1 / np.sqrt(12), 0.0, 1.0),
        ("normal", 0.0, 1.0, -6.0, 6.0),
    ],
)
def test_moments(distribution, mean, std, least, largest):
    drawn = draw(distribution, [1000, 100], run_seed(1, 1)).numpy()
    assert abs(drawn.mean() - mean) < 0.01
    assert abs(drawn.std() - std) < 0.01
    assert least <= drawn.min()
    assert drawn.max() <= largest
    again = draw(distribution, [1000, 100], run_seed(1, 1)).numpy()
    np.testing.assert_array_equal(drawn, again)


def test_known_draw():
    """A seed's latents are a promise to users: "same seed, same picture"."""
    drawn = draw("normal", [3], run_seed(1, LATENTS)).numpy()
    np.testing.assert_allclose(drawn, KNOWN, rtol=1e-6)


KNOWN = [0.060435950756073, 0.5511903166770935, 0.6719174981117249]


def test_a_row_s_latents_are_of_its_own_seed():
    seeds = tf.constant([5, -3, 5], tf.int64)
    rows = row_latents("normal", 4, seeds).numpy()
    alone = row_latents("normal", 4, seeds[1:2]).numpy()
    np.testing.assert_array_equal(rows[1], alone[0])
    np.testing.assert_array_equal(rows[2], rows[0])
    assert not np.array_equal(rows[0], rows[1])
    others = row_latents("normal", 4, seeds, draw_number=1).numpy()
    assert (others != rows).all()


def test_truncated_latents_keep_to_their_range_and_to_what_lay_within():
    seeds = tf.range(40, dtype=tf.int64)
    rows = row_latents("normal", 100, seeds).numpy()
    limits = np.tile([0.02, 0.5, 1.0, 10.0], 10).astype(np.float32)
    draw_rows = tf.function(truncated_row_latents)  # some 15 times 40 draws
    found = draw_rows("normal", 100, seeds, tf.constant(limits)).numpy()
    within = np.abs(rows) <= limits[:, None]
    np.testing.assert_array_equal(found[within], rows[within])
    assert (np.abs(found) <= limits[:, None]).all()
    np.testing.assert_array_equal(found[3::4], rows[3::4])  # none lies beyond 10
    # A normal distribution cut at ±1: its density there over its mass.
    density, mass = 0.241971, 0.682689
    expected = np.sqrt(1.0 - 2.0 * density / mass)
    assert found[2::4].std() == pytest.approx(expected, rel=0.05)
    alone = truncated_row_latents("normal", 100, seeds[1:2], tf.constant(limits[1:2]))
    np.testing.assert_array_equal(alone[0], found[1])


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan")])
def test_a_truncation_out_of_range_comes_to_an_end(wrong):
    truncation = tf.constant([wrong])
    rows = truncated_row_latents("normal", 8, tf.constant([1], tf.int64), truncation)
    assert np.isfinite(rows).all()
