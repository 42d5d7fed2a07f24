import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_gan
from tfgan_mnist.gans import stylegan
from tfgan_mnist.system.seeds import LATENTS, run_seed

SEED = run_seed(1, LATENTS)
BATCH = {"samples": tf.zeros([8, 28, 28, 1])}


@pytest.fixture
def gan():
    gan = build_gan(tiny_config("stylegan"))
    for weight in gan.networks["synthesis"].weights:
        if weight.path.endswith("strength"):
            weight.assign(0.5)  # noise begins as nothing
    return gan


def rows(gan, seeds, psi):
    seeds = tf.constant(seeds, tf.int64)
    ones = tf.ones(tf.shape(seeds))
    return gan.row_inputs(seeds, ones, truncation_psi=psi * ones)


def test_psi_0_is_the_mean_style_s_image_and_psi_1_changes_nothing(gan):
    gan.mean_style.assign(tf.fill([gan.latent_dim], 0.3))
    inputs = rows(gan, [1, 2, 3], 0.0)
    inputs["noise_seed"] = tf.zeros([3], tf.int64)
    images = gan.sample(gan.networks, inputs).numpy()
    np.testing.assert_allclose(images[1:], images[:1].repeat(2, axis=0), atol=1e-6)
    whole = rows(gan, [1, 2, 3], 1.0)
    images = gan.sample(gan.networks, whole).numpy()
    del whole["truncation_psi"]
    np.testing.assert_allclose(gan.sample(gan.networks, whole), images, atol=1e-5)
    assert np.abs(images[1] - images[0]).max() > 0.01


def test_a_row_s_noise_is_of_its_own_seed(gan):
    three = gan.sample(gan.networks, rows(gan, [5, 6, 5], 1.0)).numpy()
    alone = gan.sample(gan.networks, rows(gan, [6], 1.0)).numpy()
    np.testing.assert_allclose(alone[0], three[1], atol=1e-5)
    np.testing.assert_allclose(three[2], three[0], atol=1e-5)
    inputs = rows(gan, [5], 1.0)
    inputs["noise_seed"] += 1
    assert np.abs(gan.sample(gan.networks, inputs) - three[:1]).max() > 1e-3


def test_the_mean_style_follows_the_mapping(gan):
    for step in range(3):
        gan.generate(BATCH, tf.constant([step, 0]), tf.constant(step))
    latents = gan.draw_latents(2000, SEED)
    mean = tf.reduce_mean(gan.networks["mapping"](latents), axis=0)
    share = 1.0 - stylegan.MEAN_DECAY**3
    expected = share * mean
    away = np.linalg.norm(gan.mean_style - expected) / np.linalg.norm(expected)
    assert away < 0.5


def test_some_fakes_are_of_two_styles(gan):
    styles = gan._training_styles(400, SEED).numpy()
    changes = (np.abs(np.diff(styles, axis=1)) > 1e-6).any(axis=2)
    assert changes.sum(axis=1).max() == 1  # from the first latents to the others, once
    assert changes.any(axis=1).mean() == pytest.approx(0.9, abs=0.05)
    assert changes.any(axis=0).all()  # after any of the layers
    plain = build_gan(tiny_config("stylegan", style_mixing=0.0))
    assert not np.diff(plain._training_styles(4, SEED), axis=1).any()


def test_g_has_a_path_length_penalty_at_times(gan):
    def path_length(step):
        fakes = gan.generate(BATCH, SEED, tf.constant(step))
        terms = gan.losses(BATCH, fakes, ["generator"])["generator"]
        return float(terms["path_length"])

    first = path_length(0)
    mean = float(gan.path_length)
    assert mean > 0.0
    assert first > 0.0
    assert path_length(1) == 0.0
    assert float(gan.path_length) == mean
    every = stylegan.PATH_LENGTH_EVERY
    # The same lengths again: their mean stays, and so does the penalty.
    assert path_length(every) == pytest.approx(first, rel=1e-3)
    assert float(gan.path_length) == pytest.approx(mean, rel=1e-4)


def test_mixed_and_noisy_cells_of_a_sheet(gan):
    cells = {
        "seed": tf.constant([1, 1, 2], tf.int64),
        "column_seed": tf.constant([1, 2, 2], tf.int64),
        "truncation_psi": tf.ones([3]),
    }
    images = gan.sample(gan.networks, rows(gan, [1, 2], 1.0)).numpy()
    for name in ("style_mixing", "noise"):
        found = gan.signatures()[name].function(**cells)["images"].numpy()
        np.testing.assert_allclose(found[[0, 2]], images, atol=1e-5)
        assert np.abs(found[1] - found[0]).max() > 1e-3
        assert np.abs(found[1] - found[2]).max() > 1e-3


def test_styles_can_be_drawn_from(gan):
    signatures = gan.signatures()
    latents = gan.draw_latents(2, SEED)
    styles = signatures["styles"].function(latents, tf.ones([2]))["styles"]
    assert styles.shape == (2, gan.layers, gan.latent_dim)
    images = signatures["synthesize"].function(styles)["images"]
    expected = signatures["serving_default"].function(latents)["images"]
    np.testing.assert_allclose(images, expected, atol=1e-5)
