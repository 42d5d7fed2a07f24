import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from sklearn.cluster import KMeans

from tfgan_mnist.data.mnist import mnist5k
from tfgan_mnist.gans.clusters import (
    BRIGHTNESS,
    FEATURES,
    Clusters,
    balancing_offsets,
    candidates_for,
    describe,
    find_clusters,
)

# Two classes of three clusters of images without strokes, which one level tells apart,
# and which latents choose along their first axis.
LEVELS = np.array([[[-1.0], [0.0], [1.0]], [[1.0], [0.5], [0.0]]])
CENTRES = LEVELS * np.repeat([0.0, BRIGHTNESS], [196, 49])
SHARES = np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])
TARGETS = np.pad(
    [[[-1.0], [0.0], [1.0]], [[1.0], [0.0], [-1.0]]], [(0, 0), (0, 0), (0, 1)]
)
OFFSETS = np.array([[0.0, -0.5, 0.5], [0.0] * 3])
NO_LIMITS = np.zeros([2, 3])  # where nothing is rejected


def of_shares(softness: float = 0.5) -> Clusters:
    """The clusters above, as frequent as wanted."""
    offsets = balancing_offsets(TARGETS, SHARES, 1)
    return Clusters(CENTRES, TARGETS, offsets, NO_LIMITS, softness)


def grey(*levels: float) -> tf.Tensor:
    """An image of one level each, without any stroke."""
    return tf.reshape(tf.repeat(tf.constant(levels), 64), [-1, 8, 8, 1])


def features_of(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of an image [height, width]: edges [7, 7, direction] and brightness [7, 7]."""
    found = describe(tf.constant(image[np.newaxis, ..., np.newaxis])).numpy()[0]
    return found[:196].reshape(7, 7, 4), found[196:].reshape(7, 7)


def test_brightness_over_a_grid_by_hand():
    image = np.zeros([14, 28], np.float32)
    image[2:4, 4:8] = np.arange(8).reshape(2, 4)  # the cell in row 1, column 1
    expected = np.zeros([7, 7])
    expected[1, 1] = 3.5 * BRIGHTNESS
    np.testing.assert_allclose(features_of(image)[1], expected, rtol=1e-6)


def test_cells_may_end_within_a_pixel():
    image = np.zeros([8, 8], np.float32)
    image[:, 1] = 7.0  # an eighth of 7 cells: 1/7 of it in the first, 6/7 beyond
    _, found = features_of(image)
    row = np.array([1.0 / 8 * 7, 6.0 / 8 * 7, 0, 0, 0, 0, 0]) * BRIGHTNESS
    np.testing.assert_allclose(found, [row] * 7, rtol=1e-5)


@pytest.mark.parametrize(
    "direction, slope",
    [(0, (0.0, 1.0)), (1, (1.0, 0.0)), (2, (1.0, 1.0)), (3, (-1.0, 1.0))],
)
def test_a_slope_is_seen_in_its_direction_alone_by_hand(direction, slope):
    rows, columns = np.indices([28, 28])
    image = (0.01 * (slope[0] * rows + slope[1] * columns)).astype(np.float32)
    edges, _ = features_of(image)
    # Inside, at a slope of s a direction shows s, and the two beside it s / sqrt(2),
    # which is what is taken off.
    expected = np.zeros(4)
    expected[direction] = 0.01 * np.hypot(*slope) * (1.0 - 0.5**0.5)
    np.testing.assert_allclose(edges[1:-1, 1:-1], [[expected] * 5] * 5, atol=1e-6)


def test_channels_are_described_one_after_another():
    images = tf.random.stateless_uniform([3, 28, 28, 2], [1, 2])
    found = describe(images).numpy()
    for channel in range(2):
        alone = describe(images[..., channel : channel + 1])
        own = found[:, channel * FEATURES : (channel + 1) * FEATURES]
        np.testing.assert_allclose(own, alone, atol=1e-6)


def test_the_nearest_cluster_is_one_of_the_class_s_own():
    clusters = of_shares()
    images = grey(-0.8, 0.4, 0.6, 0.6, 0.9)
    labels = tf.constant([0, 0, 0, 1, 1])
    assert clusters.nearest(images, labels).numpy().tolist() == [0, 1, 2, 4, 3]
    alone = Clusters(CENTRES[:1], TARGETS[:1], *np.zeros([2, 1, 3]), 0.5)
    assert alone.nearest(images).numpy().tolist() == [0, 1, 2, 2, 2]


def test_latents_stand_for_clusters_as_often_as_the_data_has_them():
    latents = tf.random.stateless_normal([20_000, 5], [1, 2])
    labels = tf.repeat([0, 1], 10_000)
    drawn = of_shares().of_latents(latents, labels).numpy()
    found = np.bincount(drawn, minlength=6).reshape(2, 3) / 10_000
    np.testing.assert_allclose(found, SHARES, atol=0.02)


def test_offsets_of_three_clusters_on_a_line_in_closed_form():
    """Cells of targets -1, 0 and 1 end at h_1 - h_0 and h_2 - h_1: normal quantiles."""
    offsets = balancing_offsets(TARGETS[:1], np.array([[0.2, 0.5, 0.3]]), 1)[0]
    first, second = scipy.stats.norm.ppf([0.2, 0.7])
    np.testing.assert_allclose(offsets[1] - offsets[0], first, atol=0.03)
    np.testing.assert_allclose(offsets[2] - offsets[1], second, atol=0.03)


def test_rare_ones_among_two_thousand_clusters_are_not_drawn_too_often():
    """With 4,000 latents a step, two for each, they were by a fifth."""
    random = np.random.default_rng(1)
    targets = random.standard_normal([1, 2_000, 16], np.float32)
    shares = np.repeat([[0.4, 1.0, 1.6]], [800, 400, 800], axis=1) / 2_000
    offsets = balancing_offsets(targets, shares, 1)[0]
    latents = random.standard_normal([20, 2_000, 16], np.float32)
    chosen = [(some @ targets[0].T - offsets).argmax(axis=1) for some in latents]
    rare = np.mean(np.concatenate(chosen) < 800)
    np.testing.assert_allclose(rare, shares[0, :800].sum(), rtol=0.05)


def test_the_highest_score_chooses_by_hand():
    clusters = Clusters(CENTRES, TARGETS, OFFSETS, NO_LIMITS, 0.5)
    # Of class 0: -z, 0.5 and z - 0.5.
    latents = tf.constant([[-1.0, 9.0], [0.0, 9.0], [1.5, -9.0]])
    none = tf.zeros([3], tf.int32)
    assert clusters.of_latents(latents, none).numpy().tolist() == [0, 1, 2]
    assert clusters.of_latents(latents, none + 1).numpy().tolist() == [5, 3, 3]


def test_the_mixture_is_the_softmax_of_the_class_s_scores():
    clusters = Clusters(CENTRES, TARGETS, np.zeros([2, 3]), NO_LIMITS, 0.5)
    found = clusters.mixture(tf.constant([[0.3, 7.0]]), tf.constant([1])).numpy()[0]
    powers = np.exp(np.array([0.3, 0.0, -0.3]) / 0.5)
    np.testing.assert_allclose(found, [0, 0, 0, *(powers / powers.sum())], atol=1e-6)
    hard = Clusters(CENTRES, TARGETS, np.zeros([2, 3]), NO_LIMITS, 1e-3)
    found = hard.mixture(tf.constant([[0.3, 7.0]]), tf.constant([1])).numpy()[0]
    np.testing.assert_allclose(found, [0, 0, 0, 1, 0, 0], atol=1e-6)


def test_clusters_of_digits_are_k_means_own_and_twice_the_same():
    images, labels = mnist5k()
    clusters, again = (find_clusters(images, None, 20, 16, 0.5, 3) for _ in range(2))
    np.testing.assert_array_equal(clusters.centres, again.centres)
    scaled = tf.constant(images, tf.float32) / 127.5 - 1.0
    found = clusters.nearest(scaled).numpy()
    features = describe(scaled).numpy()
    squares = ((features - clusters.centres.numpy()[found]) ** 2).sum()
    best = KMeans(20, n_init=3, random_state=1).fit(features).inertia_
    assert squares < 1.05 * best
    # Latents choose each as often as it is nearest.
    latents = tf.random.stateless_normal([50_000, 64], [1, 2])
    drawn = np.bincount(clusters.of_latents(latents).numpy(), minlength=20) / 50_000
    assert 0.5 * np.abs(drawn - np.bincount(found) / 5000).sum() < 0.02
    # Most images of a cluster show one digit, which nobody told it.
    purity = sum(np.bincount(labels[found == i]).max() for i in range(20)) / 5000
    assert purity > 0.75


def test_clusters_of_each_class():
    images, labels = mnist5k()
    clusters = find_clusters(images, labels, 4, 16, 0.5, 1)
    assert clusters.centres.shape == (40, FEATURES)
    scaled = tf.constant(images, tf.float32) / 127.5 - 1.0
    found = clusters.nearest(scaled, tf.constant(labels)).numpy()
    np.testing.assert_array_equal(found // 4, labels)
    assert set(found) == set(range(40))


def test_one_cluster_is_everything():
    images, _ = mnist5k()
    clusters = find_clusters(images[:50], None, 1, 16, 0.5, 1)
    assert clusters.of_latents(tf.zeros([2, 16])).numpy().tolist() == [0, 0]


# ---------------------------------------------------------------- rejected latents


def test_how_many_candidates_one_in_a_hundred_rows_does_without():
    assert [candidates_for(x) for x in (0.0, 0.001, 0.5, 0.9)] == [1, 2, 7, 44]


def test_the_first_clear_candidate_is_taken_by_hand():
    """Of targets -1, 0 and 1 the middle between two is where unlike ones mix most."""
    limits = np.full([1, 3], 0.1)
    clusters = Clusters(CENTRES[:1], TARGETS[:1], np.zeros([1, 3]), limits, 0.1)
    # Scores -z, 0 and z: far out one alone, at 0 all three, with a variance of 2/3.
    candidates = tf.constant(
        [
            [[0.0, 1.0], [0.9, 2.0], [-0.8, 3.0]],
            [[-0.7, 1.0], [0.9, 2.0], [-0.8, 3.0]],
            [[0.05, 1.0], [0.1, 2.0], [0.0, 3.0]],  # none: the nearest to its limit
        ]
    )
    found = clusters.first_clear(candidates).numpy()
    np.testing.assert_allclose(found, [[0.9, 2.0], [-0.7, 1.0], [0.1, 2.0]])


@pytest.mark.parametrize("stacked", [1, 3])
def test_a_share_is_rejected_and_clusters_stay_as_frequent(stacked):
    images, _ = mnist5k()
    clusters = find_clusters(images[:2000], None, 20, 16, 0.5, 3, stacked, 0.5)
    one = find_clusters(images[:2000], None, 20, 16, 0.5, 3)
    assert clusters.choosing == 16 * stacked
    candidates = tf.random.stateless_normal(
        [6000 // stacked, clusters.candidates, 16 * stacked], [1, 2]
    )
    found = tf.reshape(clusters.first_clear(candidates), [-1, 16])
    first = tf.reshape(candidates[:, 0], [-1, 16])
    kept = np.all(found == first, axis=1).mean()
    np.testing.assert_allclose(kept, 0.5, atol=0.03)
    # Those that are drawn are told of fewer clusters at a time.
    sure = [
        tf.reduce_max(one.mixture(x), axis=1).numpy().mean() for x in (found, first)
    ]
    assert sure[0] > sure[1] + 0.05
    shares = [
        np.bincount(one.of_latents(x), minlength=20) / 6000 for x in (found, first)
    ]
    assert 0.5 * np.abs(shares[0] - shares[1]).sum() < 0.04


def test_limits_of_each_class_are_its_own():
    images, labels = mnist5k()
    clusters = find_clusters(images, labels, 4, 16, 0.5, 1, rejected=0.5)
    asked = tf.repeat(tf.range(10), 200)
    candidates = tf.random.stateless_normal([2000, clusters.candidates, 16], [1, 2])
    found = clusters.first_clear(candidates, asked)
    kept = np.all(found == candidates[:, 0], axis=1).reshape(10, 200).mean(axis=1)
    np.testing.assert_allclose(kept, [0.5] * 10, atol=0.12)


# -------------------------------------------------------------------------- stacks


def test_each_channel_of_a_stack_has_the_cluster_nearest_to_it():
    clusters = Clusters(CENTRES[:1], TARGETS[:1], *np.zeros([2, 1, 3]), 0.5, 2)
    stacks = tf.concat([grey(-0.9, 0.1, 0.8), grey(0.7, 0.2, -0.8)], axis=3)
    assert clusters.nearest(stacks).numpy().tolist() == [[0, 2], [1, 1], [2, 0]]


def test_other_latents_choose_for_each_channel_of_a_stack():
    of_one = Clusters(CENTRES[:1], TARGETS[:1], *np.zeros([2, 1, 3]), 0.5)
    of_stack = Clusters(CENTRES[:1], TARGETS[:1], *np.zeros([2, 1, 3]), 0.5, 2)
    latents = tf.random.stateless_normal([50, 6], [1, 2])  # two for each, two for none
    first, second = latents[:, :2], latents[:, 2:4]
    found = of_stack.of_latents(latents).numpy()
    np.testing.assert_array_equal(found[:, 0], of_one.of_latents(first))
    np.testing.assert_array_equal(found[:, 1], of_one.of_latents(second))
    mixtures = tf.concat([of_one.mixture(first), of_one.mixture(second)], axis=1)
    np.testing.assert_allclose(of_stack.mixture(latents), mixtures, atol=1e-6)


def test_clusters_of_stacks_are_those_of_single_images():
    images, _ = mnist5k()
    single = find_clusters(images[:500], None, 5, 16, 0.5, 3)
    of_stacks = find_clusters(images[:500], None, 5, 16, 0.5, 3, stacked=3)
    for name, variable in single.state.items():
        np.testing.assert_array_equal(of_stacks.state[name], variable)
    assert of_stacks.nearest(tf.zeros([4, 28, 28, 3])).shape == (4, 3)
