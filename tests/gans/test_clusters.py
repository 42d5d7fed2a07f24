import numpy as np
import tensorflow as tf
from sklearn.cluster import KMeans

from tfgan_mnist.data.mnist import mnist5k
from tfgan_mnist.gans.clusters import Clusters, find_clusters, grid_means

# Two classes of three clusters, which one number tells apart.
CENTRES = np.repeat([[[-1.0], [0.0], [1.0]], [[1.0], [0.5], [0.0]]], 49, axis=2)
SHARES = np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])


def grey(*levels: float) -> tf.Tensor:
    """An image of one level each, and so are its means."""
    return tf.reshape(tf.repeat(tf.constant(levels), 64), [-1, 8, 8, 1])


def test_means_over_a_grid_by_hand():
    image = np.zeros([1, 14, 28, 1], np.float32)
    image[0, 2:4, 4:8] = np.arange(8).reshape(2, 4, 1)  # the cell in row 1, column 1
    expected = np.zeros([7, 7])
    expected[1, 1] = 3.5
    np.testing.assert_allclose(grid_means(image).numpy()[0], expected.ravel())


def test_cells_may_end_within_a_pixel():
    image = np.zeros([1, 8, 8, 1], np.float32)
    image[0, :, 1] = 7.0  # an eighth of 7 cells: 1/7 of it in the first, 6/7 beyond
    found = grid_means(image).numpy().reshape(7, 7)
    np.testing.assert_allclose(found, [[1.0 / 8 * 7, 6.0 / 8 * 7, 0, 0, 0, 0, 0]] * 7)
    np.testing.assert_allclose(found.mean(), image.mean(), rtol=1e-6)


def test_the_nearest_cluster_is_one_of_the_class_s_own():
    clusters = Clusters(CENTRES, SHARES)
    images = grey(-0.8, 0.4, 0.6, 0.6, 0.9)
    labels = tf.constant([0, 0, 0, 1, 1])
    assert clusters.nearest(images, labels).numpy().tolist() == [0, 1, 2, 4, 3]
    alone = Clusters(CENTRES[:1], SHARES[:1])
    assert alone.nearest(images).numpy().tolist() == [0, 1, 2, 2, 2]


def test_latents_stand_for_clusters_as_often_as_the_data_has_them():
    clusters = Clusters(CENTRES, SHARES)
    latents = tf.random.stateless_normal([20_000, 5], [1, 2])
    labels = tf.repeat([0, 1], 10_000)
    drawn = clusters.of_latents(latents, labels).numpy()
    found = np.bincount(drawn, minlength=6).reshape(2, 3) / 10_000
    np.testing.assert_allclose(found, SHARES, atol=0.015)
    colder = clusters.of_latents(0.1 * latents, labels)
    np.testing.assert_array_equal(drawn, colder)


def test_the_direction_of_two_latents_chooses_by_hand():
    clusters = Clusters(CENTRES, SHARES)
    # Turns of 0, 1/4, 1/2 and almost 1 from the negative first axis.
    latents = tf.constant([[-1.0, -1e-9], [0.0, -2.0], [3.0, 0.0], [-1.0, 1e-3]])
    assert clusters.of_latents(latents, tf.zeros([4], tf.int32)).numpy().tolist() == [
        0,
        0,
        1,
        2,
    ]
    assert clusters.of_latents(latents, tf.ones([4], tf.int32)).numpy().tolist() == [
        3,
        4,
        5,
        5,
    ]


def test_clusters_of_digits_are_k_means_own_and_twice_the_same():
    images, labels = mnist5k()
    clusters, again = (find_clusters(images, None, 20, 3) for _ in range(2))
    np.testing.assert_array_equal(clusters.centres, again.centres)
    scaled = tf.constant(images, tf.float32) / 127.5 - 1.0
    found = clusters.nearest(scaled).numpy()
    features = grid_means(scaled).numpy()
    squares = ((features - clusters.centres.numpy()[found]) ** 2).sum()
    best = KMeans(20, n_init=3, random_state=1).fit(features).inertia_
    assert squares < 1.05 * best
    shares = np.diff(clusters.ends[0], prepend=0.0, append=1.0)
    np.testing.assert_allclose(np.bincount(found) / 5000, shares, atol=1e-3)
    # Most images of a cluster show one digit, which nobody told it.
    purity = sum(np.bincount(labels[found == i]).max() for i in range(20)) / 5000
    assert purity > 0.6


def test_clusters_of_each_class():
    images, labels = mnist5k()
    clusters = find_clusters(images, labels, 4, 1)
    assert clusters.centres.shape == (40, 49)
    scaled = tf.constant(images, tf.float32) / 127.5 - 1.0
    found = clusters.nearest(scaled, tf.constant(labels)).numpy()
    np.testing.assert_array_equal(found // 4, labels)
    assert set(found) == set(range(40))


def test_one_cluster_is_everything():
    images, _ = mnist5k()
    clusters = find_clusters(images[:50], None, 1, 1)
    assert clusters.of_latents(tf.zeros([2, 2])).numpy().tolist() == [0, 0]
