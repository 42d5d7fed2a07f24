import numpy as np
import pytest

from tfgan_mnist.system import seeds as latents

PURPOSES = (
    latents.DATA,
    latents.LATENTS,
    latents.DROPOUT,
    latents.PICTURE,
    latents.EVALUATION,
)


def test_seeds_differ_by_run_purpose_and_number():
    seeds = {
        tuple(latents.fold_in(latents.run_seed(run, purpose), number).numpy())
        for run in range(3)
        for purpose in PURPOSES
        for number in range(5)
    }
    assert len(seeds) == 3 * 5 * 5


@pytest.mark.parametrize(
    ("distribution", "mean", "deviation", "least", "largest"),
    [
        ("uniform", 0.0, 1 / np.sqrt(3), -1.0, 1.0),
        ("standard_uniform", 0.5, 1 / np.sqrt(12), 0.0, 1.0),
        ("normal", 0.0, 1.0, -6.0, 6.0),
    ],
)
def test_moments(distribution, mean, deviation, least, largest):
    draw = latents.draw(distribution, [1000, 100], latents.run_seed(1, 1)).numpy()
    assert abs(draw.mean() - mean) < 0.01
    assert abs(draw.std() - deviation) < 0.01
    assert least <= draw.min()
    assert draw.max() <= largest
    again = latents.draw(distribution, [1000, 100], latents.run_seed(1, 1)).numpy()
    np.testing.assert_array_equal(draw, again)


def test_known_draw():
    """A seed's latents are a promise to users: "same seed, same picture"."""
    draw = latents.draw("normal", [3], latents.run_seed(1, latents.LATENTS)).numpy()
    np.testing.assert_allclose(draw, KNOWN, rtol=1e-6)


KNOWN = [0.060435950756073, 0.5511903166770935, 0.6719174981117249]
