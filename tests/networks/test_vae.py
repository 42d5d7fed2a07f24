import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.networks import dcgan
from tfgan_mnist.networks.vae import vae

IMAGES = tf.random.stateless_uniform([2, 28, 28, 1], [1, 2], -1.0)
LATENTS = tf.random.stateless_normal([3, 5], [3, 4])


def test_the_decoder_is_g_and_the_encoder_begins_as_d():
    encoder, decoder = vae(5, 4, seed=1)
    generator, discriminator = dcgan.dcgan_fast(5, 4, 1)
    assert (encoder.name, decoder.name) == ("encoder", "decoder")
    np.testing.assert_array_equal(decoder(LATENTS), generator(LATENTS))
    *body, _, _ = discriminator.get_weights()  # the head's two
    *ours, _, _, _, _ = encoder.get_weights()
    assert len(body) == len(ours) > 0
    for theirs, own in zip(body, ours, strict=True):
        np.testing.assert_array_equal(theirs, own)


def test_mean_and_log_variance_have_heads_of_their_own():
    mean, log_variance = vae(5, 4, seed=1)[0](IMAGES)
    assert mean.shape == log_variance.shape == (2, 5)
    assert mean.dtype == log_variance.dtype == tf.float32
    assert not np.allclose(mean, log_variance)
    assert not np.allclose(mean[0], mean[1])


def test_weights_follow_from_the_seed_alone():
    one, again, other = (
        [weight for network in vae(5, 4, seed) for weight in network.get_weights()]
        for seed in (1, 1, 2)
    )
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a, b)
    kernels = [i for i, weight in enumerate(one) if weight.ndim > 1]
    assert not any(np.array_equal(one[i], other[i]) for i in kernels)


@pytest.mark.parametrize(("size", "channels"), [(32, 3), (64, 1)])
def test_images_of_other_shapes_come_back_in_their_shape(size, channels):
    encoder, decoder = vae(5, 2, 1, image_size=size, channels=channels)
    mean, _ = encoder(tf.zeros([2, size, size, channels]))
    assert mean.shape == (2, 5)
    assert decoder(mean).shape == (2, size, size, channels)
