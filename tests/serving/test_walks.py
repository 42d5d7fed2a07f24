import numpy as np
from conftest import untrained

from tfgan_mnist.serving.reader import LoadedModel, row_seeds
from tfgan_mnist.serving.walks import Walks, between, even_steps, straight

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


def test_the_way_from_style_to_style_is_straight():
    styles = np.random.default_rng(1).normal(size=[2, 2, 5])
    way = straight(styles[:1], styles[1:], np.array([[0.0, 0.25, 1.0]]))
    assert way.shape == (1, 3, 2, 5)
    np.testing.assert_allclose(way[0, [0, 2]], styles, rtol=1e-6)
    quarter = 0.75 * styles[0] + 0.25 * styles[1]
    np.testing.assert_allclose(way[0, 1], quarter, rtol=1e-6)


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


def test_a_walk_between_labels_stands_still_nowhere(conditional):
    """The next label begins with its own way, and takes no part of the one before."""
    model = LoadedModel(conditional)
    walks, labels = Walks(model), np.array([3, 3, 7])
    points = walks.points(row_seeds(1, 3))
    frames = walks.closed(points, 4, labels)
    assert frames.shape[0] == 12
    changes = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    assert changes.min() > 0.0
    samples = model.generate(points, labels)
    np.testing.assert_allclose(frames[::4], samples, atol=1e-5)


def test_steps_of_a_walk_are_even():
    """Of images that stand still for long and then change fast."""
    images = np.linspace(0.0, 1.0, 41)[:, np.newaxis, np.newaxis, np.newaxis] ** 4
    frames = even_steps(images, 5).ravel()
    np.testing.assert_allclose(frames, [0.0, 0.2, 0.4, 0.6, 0.8], atol=0.05)
    still = np.ones([8, 1, 1, 1])
    np.testing.assert_array_equal(even_steps(still, 4).ravel(), np.ones(4))
