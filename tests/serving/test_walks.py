import numpy as np
from conftest import untrained

from tfgan_mnist.serving.reader import LoadedModel, row_seeds
from tfgan_mnist.serving.walks import Walks, between, closed_walk, even_steps, straight

DRAWN = np.random.default_rng(1).normal(size=[4, 100])


def test_on_the_way_by_hand():
    start, end = np.array([[2.0, 0.0]] * 3), np.array([[0.0, 4.0]] * 3)
    found = between(start, end, np.array([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(found, [[2, 0], [2**0.5, 2 * 2**0.5], [0, 4]], atol=1e-6)


def test_every_row_has_its_own_shares():
    shares = np.array([[0.0, 0.5], [0.25, 1.0]])
    found = between(DRAWN[:2], DRAWN[2:], shares)
    assert found.shape == (2, 2, 100)
    for row in range(2):
        for frame in range(2):
            alone = between(
                DRAWN[row : row + 1],
                DRAWN[row + 2 :][:1],
                shares[row, frame : frame + 1],
            )
            np.testing.assert_allclose(found[row, frame], alone[0], rtol=1e-6)


def test_steps_on_the_sphere_are_even():
    unit = DRAWN / np.linalg.norm(DRAWN, axis=1, keepdims=True)
    path = between(unit[:1], unit[1:2], np.linspace(0, 1, 11)[np.newaxis])[0]
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 1.0, rtol=1e-6)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-5)


def test_opposite_and_equal_latents_have_a_straight_way():
    start, end = np.array([[1.0, 0.0], [1.0, 2.0]]), np.array([[-1.0, 0.0], [1.0, 2.0]])
    found = between(start, end, np.array([0.75, 0.3]))
    np.testing.assert_allclose(found, [[-0.5, 0.0], [1.0, 2.0]])


def test_a_closed_walk_visits_every_point_and_keeps_its_length():
    path = closed_walk(DRAWN, 5)
    assert path.shape == (20, 100)
    np.testing.assert_allclose(path[::5], DRAWN, rtol=1e-5)
    np.testing.assert_allclose(
        path[15:], between(DRAWN[[3] * 5], DRAWN[[0] * 5], np.arange(5) / 5), rtol=1e-6
    )
    ends, lengths = (np.linalg.norm(x, axis=1) for x in (DRAWN, path))
    assert lengths.min() > ends.min() * 0.95
    assert lengths.max() < ends.max() * 1.05


def test_a_straight_walk_visits_every_style_and_returns():
    styles = np.random.default_rng(1).normal(size=[3, 2, 5])
    way = closed_walk(styles, 4, straight)
    assert way.shape == (12, 2, 5)
    np.testing.assert_allclose(way[::4], styles, rtol=1e-6)
    np.testing.assert_allclose(way[10], (styles[2] + styles[0]) / 2, rtol=1e-6)
    last = 0.25 * styles[2] + 0.75 * styles[0]
    np.testing.assert_allclose(way[11], last, rtol=1e-6)


def test_walks_go_through_styles_where_there_are_some(tmp_path):
    model, seeds = LoadedModel(untrained("stylegan", tmp_path)), row_seeds(1, 3)
    walks = Walks(model)
    points = walks.points(seeds, truncation_psi=0.5)
    np.testing.assert_array_equal(points, model.styles(seeds, truncation_psi=0.5))
    middle = walks.between(points[:1], points[1:2], np.array([0.5]))
    np.testing.assert_allclose(middle[0], (points[0] + points[1]) / 2, rtol=1e-6)
    images = walks.images(middle)
    np.testing.assert_array_equal(images, model.synthesize(middle))
    frames = walks.closed(points, 3)
    assert frames.shape == (9, *images.shape[1:])
    np.testing.assert_allclose(frames[::3], model.synthesize(points), atol=1e-5)


def test_steps_of_a_walk_are_even():
    """Of images that stand still for long and then change fast, and come back so."""
    there = np.linspace(0.0, 1.0, 41)[:-1] ** 4
    images = np.stack([there, 1.0 - there])[:, :, np.newaxis, np.newaxis, np.newaxis]
    frames = even_steps(images, 5).ravel()
    even = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 0.8, 0.6, 0.4, 0.2])
    np.testing.assert_allclose(frames, even, atol=0.05)
    still = np.ones([2, 8, 1, 1, 1])
    np.testing.assert_array_equal(even_steps(still, 4).ravel(), np.ones(8))
