import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_gan
from tfgan_mnist.clusters import Clusters
from tfgan_mnist.latents import LATENTS, run_seed


@pytest.fixture(scope="module")
def gan():
    return build_gan(tiny_config("cgan_onehot"))


def test_fakes_carry_every_label_about_as_often(gan):
    batch = {"samples": tf.zeros([2000, 28, 28, 1])}
    labels = gan.generate(batch, run_seed(1, LATENTS))["told"].numpy()
    counts = np.bincount(labels, minlength=10)
    assert counts.shape == (10,)
    assert counts.min() > 150
    assert counts.max() < 250


def test_both_sides_look_at_the_label(gan):
    latents = tf.repeat(gan.draw_latents(1, run_seed(1, LATENTS)), 10, axis=0)
    images = gan.sample(gan.generator, latents, tf.range(10)).numpy()
    assert len({image.tobytes() for image in images}) == 10
    batch = {"samples": tf.zeros([10, 28, 28, 1]), "labels": tf.range(10)}
    assert len(set(gan.judge(batch, training=False).numpy().ravel())) == 10


# ------------------------------------------------------------------------ clusters


@pytest.fixture(scope="module")
def clustered():
    """No labels; three clusters, which the level of an image tells apart."""
    config = tiny_config("dcgan_fast", clusters=3)
    centres = np.linspace(-1, 1, 3)[np.newaxis, :, np.newaxis] * np.ones([1, 3, 49])
    shares = np.array([[0.5, 0.25, 0.25]])
    return build_gan(config, Clusters(centres, shares))


def test_fakes_are_told_what_their_latents_stand_for(clustered):
    batch = {"samples": tf.zeros([2000, 28, 28, 1])}
    told = clustered.generate(batch, run_seed(1, LATENTS))["told"].numpy()
    latents = clustered.draw_latents(2000, run_seed(1, LATENTS))
    np.testing.assert_array_equal(told, clustered.clusters.drawn(latents))
    np.testing.assert_allclose(np.bincount(told) / 2000, [0.5, 0.25, 0.25], atol=0.04)


def test_samples_need_no_label_and_each_cluster_is_another(clustered):
    assert clustered.classes == 0
    angles = tf.constant([-3.0, 0.5, 2.0])
    latents = tf.stack([tf.cos(angles), tf.sin(angles)], axis=1)
    latents = tf.pad(latents, [[0, 0], [0, clustered.latent_dim - 2]])
    told = clustered.clusters.drawn(latents)
    assert told.numpy().tolist() == [0, 1, 2]
    images = clustered.sample(clustered.generator, latents)
    again = clustered.generator([latents, told], training=False) * 0.5 + 0.5
    np.testing.assert_allclose(images, again, atol=1e-6)


def test_a_real_sample_is_judged_as_one_of_its_nearest_cluster(clustered):
    images = tf.constant([-0.9, 0.1, 0.8])[:, None, None, None]
    images *= tf.ones([3, 28, 28, 1])
    logits = clustered.judge({"samples": images}, training=False)
    by_hand = clustered.discriminator([images, tf.constant([0, 1, 2])], training=False)
    np.testing.assert_array_equal(logits, by_hand)
    other = clustered.judge({"samples": images, "told": tf.zeros([3], tf.int32)}, False)
    assert not np.allclose(logits, other)


def test_clusters_of_a_class_are_told_in_the_label_s_place():
    config = tiny_config("cdcgan_fast", clusters=2, latent_distribution="normal")
    clusters = Clusters(np.zeros([10, 2, 49]), np.full([10, 2], 0.5))
    gan = build_gan(config, clusters)
    assert gan.classes == 10
    batch = {"samples": tf.zeros([2000, 28, 28, 1])}
    told = gan.generate(batch, run_seed(1, LATENTS))["told"].numpy()
    assert np.bincount(told, minlength=20).min() > 60
    latents = gan.draw_latents(10, run_seed(1, LATENTS))
    labels = tf.range(10)
    assert (gan.clusters.drawn(latents, labels) // 2 == labels).numpy().all()
    assert gan.sample(gan.generator, latents, labels).shape == (10, 28, 28, 1)


# ----------------------------------------------------------- what D is told wrongly


@pytest.mark.parametrize(
    ("classes", "count", "others"),
    [(10, 0, 9), (0, 3, 2), (10, 2, 18)],
)
def test_what_is_told_wrongly_is_another_class_or_cluster(classes, count, others):
    recipe = "cdcgan_fast" if classes else "dcgan_fast"
    config = tiny_config(recipe, clusters=count, mismatched_weight=0.5)
    some = max(1, classes)
    clusters = None
    if count:
        clusters = Clusters(np.zeros([some, count, 49]), np.full([some, count], 0.5))
    gan = build_gan(config, clusters)
    batch = {"samples": tf.zeros([3000, 28, 28, 1])}
    turn = gan.generate(batch, run_seed(1, LATENTS))["turn"].numpy()
    kinds = some * max(1, count)
    told = np.arange(3000) % kinds
    wrong = (told + turn) % kinds
    if classes:
        size = max(1, count)
        assert (wrong // size != told // size).all()
    else:
        assert (wrong != told).all()
    for kind in range(kinds):  # and every other one
        found = set(wrong[told == kind])
        assert len(found) >= others - (count - 1 if classes and count else 0)
        assert found < set(range(kinds))


def test_the_loss_on_mismatched_ones_by_hand():
    config = tiny_config("cdcgan_fast", clusters=0, mismatched_weight=0.25)
    gan = build_gan(config)
    images = tf.random.stateless_uniform([4, 28, 28, 1], [1, 2], -1.0)
    batch = {"samples": images, "labels": tf.constant([0, 3, 9, 9])}
    fakes = gan.generate(batch, run_seed(1, LATENTS))
    fakes["turn"] = tf.constant([1, 9, 1, 5])
    terms = gan.discriminator_loss(batch, fakes)
    right = gan.judge(batch).numpy()
    wrong = gan.judge({"samples": images, "labels": tf.constant([1, 2, 0, 4])}).numpy()
    expected = np.log1p(np.exp(-right)).mean() + np.log1p(np.exp(wrong)).mean()
    np.testing.assert_allclose(terms["mismatched"], 0.25 * expected, rtol=1e-5)
    assert "mismatched" not in build_gan(
        tiny_config("cdcgan_fast", clusters=0, mismatched_weight=0.0)
    ).discriminator_loss(batch, fakes)
