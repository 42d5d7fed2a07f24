import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_gan
from tfgan_mnist.latents import LATENTS, run_seed


@pytest.fixture(scope="module")
def gan():
    return build_gan(tiny_config("cgan_onehot"))


def test_fakes_carry_every_label_about_as_often(gan):
    batch = {"samples": tf.zeros([2000, 28, 28, 1])}
    labels = gan.generate(batch, run_seed(1, LATENTS))["labels"].numpy()
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
