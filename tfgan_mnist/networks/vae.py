"""A variational autoencoder on a GAN's own layers (Kingma and Welling, 2014)."""

from __future__ import annotations

import keras
from keras import layers

from tfgan_mnist.networks import dcgan


def vae(
    latent_dim: int,
    base_channels: int,
    seed: int,
    image_size: int = 28,
    channels: int = 1,
) -> tuple[keras.Model, keras.Model]:
    """Encoder and decoder: ``dcgan.dcgan_fast``'s D, with another head, and its G.

    The encoder turns images [batch, size, size, channels] into mean and log variance
    [batch, latent_dim] each; the decoder is G, layer by layer.
    """
    generator, discriminator = dcgan.dcgan_fast(
        latent_dim, base_channels, seed, image_size, channels
    )
    *body, _ = discriminator.layers
    images = keras.Input(discriminator.inputs[0].shape[1:], name="images")
    x = keras.Sequential([discriminator.inputs[0], *body])(images)
    init = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed + 1))
    mean, log_variance = (
        layers.Dense(latent_dim, kernel_initializer=init, dtype="float32")(x)
        for _ in range(2)
    )
    encoder = keras.Model(images, [mean, log_variance], name="encoder")
    decoder = keras.Sequential([generator.inputs[0], *generator.layers], name="decoder")
    return encoder, decoder
