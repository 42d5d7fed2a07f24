import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.data import toys
from tfgan_mnist.system.seeds import DATA, run_seed

SEED = run_seed(1, DATA)


def test_the_gaussian_has_its_mean_and_deviation():
    values = toys.Gaussian().draw(100_000, SEED).numpy()
    assert values.shape == (100_000, 1)
    assert values.mean() == pytest.approx(4.0, abs=0.02)
    assert values.std() == pytest.approx(1.25, abs=0.02)


@pytest.mark.parametrize(
    ("mixture", "modes", "radius"), [(toys.ring(), 8, 1.0), (toys.grid(), 25, None)]
)
def test_mixtures_have_equal_modes_of_one_deviation(mixture, modes, radius):
    assert mixture.centres.shape == (modes, 2)
    if radius:
        np.testing.assert_allclose(np.linalg.norm(mixture.centres, axis=1), radius)
    points = mixture.draw(50_000, SEED).numpy()
    distances = np.linalg.norm(points[:, None] - mixture.centres, axis=-1)
    counts = np.bincount(distances.argmin(axis=1), minlength=modes)
    assert abs(counts / 50_000 - 1 / modes).max() < 0.01
    spread = np.sqrt((distances.min(axis=1) ** 2).mean() / 2)
    assert spread == pytest.approx(mixture.std, rel=0.02)


def test_the_grid_is_the_published_one():
    centres = {tuple(centre) for centre in toys.grid().centres}
    line = (-4.0, -2.0, 0.0, 2.0, 4.0)
    assert centres == {(x, y) for x in line for y in line}


def test_moons_follow_from_their_seed():
    assert toys.moons(2_000, 0).shape == (2_000, 2)
    np.testing.assert_array_equal(toys.moons(10, 3), toys.moons(10, 3))
    assert not np.array_equal(toys.moons(10, 3), toys.moons(10, 4))


def test_an_endless_batch_follows_from_seed_and_step():
    data = toys.Endless(toys.ring(), 5, SEED)
    one = data.batch(tf.constant(3))["samples"].numpy()
    assert one.shape == (5, 2)
    again = tf.function(data.batch)(tf.constant(3))["samples"].numpy()
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, data.batch(tf.constant(4))["samples"].numpy())
