import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_clusters, build_gan
from tfgan_mnist.data.mnist import mnist5k
from tfgan_mnist.gans.clusters import (
    BRIGHTNESS,
    Clusters,
    balancing_offsets,
    find_clusters,
)
from tfgan_mnist.gans.latents import row_latents
from tfgan_mnist.system.seeds import LATENTS, run_seed

STEP = tf.constant(0)


def discriminator_loss(gan, batch, fakes):
    return gan.losses(batch, fakes, ["discriminator"])["discriminator"]


@pytest.fixture(scope="module")
def gan():
    return build_gan(tiny_config("cgan_onehot"))


def test_fakes_carry_every_label_about_as_often(gan):
    batch = {"samples": tf.zeros([2000, 28, 28, 1])}
    labels = gan.generate(batch, run_seed(1, LATENTS), STEP)["condition"].numpy()
    counts = np.bincount(labels, minlength=10)
    assert counts.shape == (10,)
    assert counts.min() > 150
    assert counts.max() < 250


def test_both_sides_look_at_the_label(gan):
    latents = tf.repeat(gan.draw_latents(1, run_seed(1, LATENTS)), 10, axis=0)
    images = gan.sample(
        gan.networks, {"latents": latents, "labels": tf.range(10)}
    ).numpy()
    assert len({image.tobytes() for image in images}) == 10
    batch = {"samples": tf.zeros([10, 28, 28, 1]), "labels": tf.range(10)}
    assert len(set(gan.logits(batch, training=False).numpy().ravel())) == 10


# ------------------------------------------------------------------------ clusters


def some_clusters(classes: int, count: int) -> Clusters:
    """Clusters which the level of an image, and the first latent, tell apart."""
    levels = np.linspace(-1, 1, count)[np.newaxis, :, np.newaxis]
    levels = np.repeat(levels, classes, axis=0)
    shares = np.full([classes, count], 1 / count)
    offsets = balancing_offsets(levels, shares, 1)
    centres = levels * np.repeat([0.0, BRIGHTNESS], [196, 49])
    return Clusters(centres, levels, offsets, np.zeros_like(offsets), 0.25)


@pytest.fixture(scope="module")
def clustered():
    """No labels, three clusters."""
    return build_gan(tiny_config("dcgan_fast", clusters=3), some_clusters(1, 3))


def test_fakes_are_what_their_latents_stand_for(clustered):
    batch = {"samples": tf.zeros([2000, 28, 28, 1])}
    found = clustered.generate(batch, run_seed(1, LATENTS), STEP)["condition"].numpy()
    latents = clustered.draw_latents(2000, run_seed(1, LATENTS))
    np.testing.assert_array_equal(found, clustered.clusters.of_latents(latents))
    np.testing.assert_allclose(np.bincount(found) / 2000, [1 / 3] * 3, atol=0.04)


def test_samples_need_no_label_and_each_cluster_is_another(clustered):
    assert clustered.classes == 0
    latents = tf.constant([[-2.0], [0.0], [2.0]])
    latents = tf.pad(latents, [[0, 0], [0, clustered.latent_dim - 1]])
    assert clustered.clusters.of_latents(latents).numpy().tolist() == [0, 1, 2]
    images = clustered.sample(clustered.networks, {"latents": latents})
    mixture = clustered.clusters.mixture(latents)
    again = clustered.generator([latents, mixture], training=False) * 0.5 + 0.5
    np.testing.assert_allclose(images, again, atol=1e-6)
    others = tf.roll(mixture, 1, axis=0)
    others = clustered.generator([latents, others], training=False) * 0.5 + 0.5
    assert np.abs(images - others).max() > 1e-3


def test_between_two_clusters_samples_change_step_by_step(clustered):
    """Told one cluster at a time, G would jump where one cell ends."""
    latents = tf.linspace(-2.0, 2.0, 200)[:, tf.newaxis]
    latents = tf.pad(latents, [[0, 0], [0, clustered.latent_dim - 1]])
    assert len(set(clustered.clusters.of_latents(latents).numpy())) == 3
    mixture = clustered.clusters.mixture(latents).numpy()
    assert np.abs(np.diff(mixture, axis=0)).max() < 0.05


def test_a_real_sample_is_judged_as_one_of_its_nearest_cluster(clustered):
    images = tf.constant([-0.9, 0.1, 0.8])[:, None, None, None]
    images *= tf.ones([3, 28, 28, 1])
    logits = clustered.logits({"samples": images}, training=False)
    by_hand = clustered.discriminator([images, tf.constant([0, 1, 2])], training=False)
    np.testing.assert_array_equal(logits, by_hand)
    other = clustered.logits(
        {"samples": images, "condition": tf.zeros([3], tf.int32)}, False
    )
    assert not np.allclose(logits, other)


def test_clusters_of_a_class_are_in_the_label_s_place():
    config = tiny_config("cdcgan_fast", clusters=2, latent_distribution="normal")
    gan = build_gan(config, some_clusters(10, 2))
    assert gan.classes == 10
    batch = {"samples": tf.zeros([2000, 28, 28, 1])}
    fakes = gan.generate(batch, run_seed(1, LATENTS), STEP)
    assert np.bincount(fakes["condition"], minlength=20).min() > 60
    latents = gan.draw_latents(10, run_seed(1, LATENTS))
    labels = tf.range(10)
    assert (gan.clusters.of_latents(latents, labels) // 2 == labels).numpy().all()
    inputs = {"latents": latents, "labels": labels}
    assert gan.sample(gan.networks, inputs).shape == (10, 28, 28, 1)


def test_latents_are_drawn_within_the_limits_of_their_label():
    """Those of pictures, and those that ``sample`` answers."""
    images, labels = mnist5k()
    clusters = find_clusters(images[::5], labels[::5], 3, 16, 0.5, 1, rejected=0.8)
    config = tiny_config("cdcgan_fast", clusters=3, latent_distribution="normal")
    gan = build_gan(config, clusters)
    of_label = tf.repeat(tf.range(10), 100)

    def kept(latents, labels):
        """The share that would not be drawn again: the first two are as good."""
        first = latents[:, tf.newaxis, : clusters.choosing]
        other = tf.roll(first, 1, axis=0)
        found = clusters.first_clear(tf.concat([first, other], axis=1), labels)
        return np.all(found == first[:, 0], axis=1).mean()

    sample = tf.function(gan.signatures()["sample"].function, autograph=False)
    seeds = tf.range(1000, dtype=tf.int64)
    ones = tf.ones([1000])
    answered = sample(seed=seeds, temperature=ones, label=tf.cast(of_label, tf.int64))
    assert kept(answered["latents"], of_label) > 0.97
    examples = {"labels": of_label.numpy()}
    shown = gan.inputs(1000, run_seed(1, LATENTS), examples)
    assert kept(shown["latents"], of_label) > 0.97
    # A label's limits are its own: told another, many latents are beyond.
    assert kept(shown["latents"], (of_label + 1) % 10) < 0.8
    any_latents = tf.function(row_latents)("normal", gan.latent_dim, seeds)
    assert kept(any_latents, of_label) < 0.8


# ---------------------------------------------------------------- mismatched ones


@pytest.mark.parametrize(("classes", "count"), [(10, 0), (0, 3), (10, 2)])
def test_a_wrong_condition_is_another_class_or_cluster(classes, count):
    recipe = "cdcgan_fast" if classes else "dcgan_fast"
    config = tiny_config(recipe, clusters=count, mismatched_weight=0.5)
    clusters = some_clusters(max(1, classes), count) if count else None
    gan = build_gan(config, clusters)
    batch = {"samples": tf.zeros([3000, 28, 28, 1])}
    offset = gan.generate(batch, run_seed(1, LATENTS), STEP)["offset"].numpy()
    own = np.arange(3000) % config.conditions
    wrong = (own + offset) % config.conditions
    of_class = max(1, count) if classes else 1
    assert (wrong // of_class != own // of_class).all()
    for one in range(config.conditions):  # and is nearly every other one
        others = config.conditions - 2 * of_class + 1
        assert len(set(wrong[own == one])) == others


def test_a_wrong_condition_of_a_stack_is_wrong_in_one_image():
    config = tiny_config(
        "stacked", clusters=4, mismatched_weight=0.5, latent_distribution="normal"
    )
    images = np.random.default_rng(1).integers(0, 256, [200, 28, 28, 1], np.uint8)
    gan = build_gan(config, build_clusters(config, (images, None)))
    batch = {"samples": tf.random.stateless_uniform([300, 28, 28, 3], [1, 2], -1.0)}
    fakes = gan.generate(batch, run_seed(1, LATENTS), STEP)
    assert fakes["samples"].shape == (300, 28, 28, 3)
    assert fakes["condition"].shape == (300, 3)
    own = gan.clusters.nearest(batch["samples"])
    wrong = (own + fakes["offset"]).numpy() % 4
    moved = wrong != own.numpy()
    assert (moved.sum(axis=1) == 1).all()
    assert moved.sum(axis=0).min() > 70
    assert set(wrong[moved]) == set(range(4))
    assert np.isfinite(discriminator_loss(gan, batch, fakes)["mismatched"])


def test_a_sample_between_real_and_fake_has_the_real_one_s_condition(clustered):
    """Which of the nearest would be neither's."""
    config = tiny_config("dcgan_fast", clusters=3, gradient_penalty_weight=10.0)
    gan = build_gan(config, clustered.clusters)
    for variable in gan.discriminator.trainable_variables:
        if "embeddings" in variable.path:
            variable.assign(100.0 * variable)
    batch = {"samples": -0.9 * tf.ones([4, 28, 28, 1])}
    fakes = gan.generate(batch, run_seed(1, LATENTS), STEP)
    fakes["samples"] = 0.9 * tf.ones([4, 28, 28, 1])
    fakes["share"] = tf.fill([4], 0.5)
    penalty = discriminator_loss(gan, batch, fakes)["gradient_penalty"]
    between = tf.zeros([4, 28, 28, 1])

    def expected(cluster):
        with tf.GradientTape() as tape:
            tape.watch(between)
            condition = tf.fill([4], cluster)
            logits = gan.logits({"samples": between, "condition": condition})
        gradient = tf.reshape(tape.gradient(logits, between), [4, -1])
        return 10.0 * tf.reduce_mean((tf.norm(gradient, axis=1) - 1.0) ** 2)

    np.testing.assert_allclose(penalty, expected(0), rtol=1e-5)
    assert abs(penalty - expected(1)) > 1e-3 * penalty


def test_the_loss_on_mismatched_ones_by_hand():
    config = tiny_config("cdcgan_fast", clusters=0, mismatched_weight=0.25)
    gan = build_gan(config)
    images = tf.random.stateless_uniform([4, 28, 28, 1], [1, 2], -1.0)
    batch = {"samples": images, "labels": tf.constant([0, 3, 9, 9])}
    fakes = gan.generate(batch, run_seed(1, LATENTS), STEP)
    fakes["offset"] = tf.constant([1, 9, 1, 5])
    terms = discriminator_loss(gan, batch, fakes)
    right = gan.logits(batch).numpy()
    wrong = gan.logits({"samples": images, "labels": tf.constant([1, 2, 0, 4])}).numpy()
    expected = np.log1p(np.exp(-right)).mean() + np.log1p(np.exp(wrong)).mean()
    np.testing.assert_allclose(terms["mismatched"], 0.25 * expected, rtol=1e-5)
    without = build_gan(tiny_config("cdcgan_fast", clusters=0, mismatched_weight=0.0))
    assert "mismatched" not in discriminator_loss(without, batch, fakes)


def test_clusters_are_found_if_and_only_if_they_are_asked_for():
    """Without them a game that wants some has unknown ones, for a checkpoint to say."""
    unknown = build_gan(tiny_config("dcgan_fast")).clusters
    assert unknown.count == 3
    assert unknown.state.keys() == {
        "clusters/centres",
        "clusters/targets",
        "clusters/offsets",
        "clusters/limits",
    }
    assert not any(np.any(variable) for variable in unknown.state.values())
    plain = tiny_config("dcgan_cpu")
    assert build_clusters(plain, None) is None
    assert build_gan(plain).clusters is None
    assert build_gan(plain).state == {}
