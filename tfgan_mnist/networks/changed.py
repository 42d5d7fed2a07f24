"""Networks as they are made, and the changes that flags make to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import keras
from keras import layers

from tfgan_mnist.networks.layers import spectrally_normalized


def build(
    make: Callable[..., Sequence[keras.Model]],
    latent_dim: int,
    base_channels: int,
    seed: int,
    labels: int = 0,
    spectral_normalization: bool = False,
    generator_spectral_normalization: bool = False,
    prelu: bool = False,
    synchronized: bool = False,
) -> dict[str, keras.Model]:
    """Networks by their names, with their initial weights.

    Args:
      make: from latent_dim, base_channels, seed and, if there are some, the number of
        labels to the networks.
      latent_dim, base_channels, seed: what it takes.
      labels: how many the networks are told of; 0 if none.
      spectral_normalization: whether D's kernels are divided by their norms.
      generator_spectral_normalization: whether those of all others are.
      prelu: whether PReLUs take the place of all ReLUs and leaky ReLUs.
      synchronized: whether batch normalisation takes the statistics of all replicas'
        rows together.
    """
    arguments = [latent_dim, base_channels, seed, *([labels] if labels else [])]
    networks = {network.name: network for network in make(*arguments)}
    if prelu:
        networks = {name: with_prelu(network) for name, network in networks.items()}
    for name, network in networks.items():
        of_d = name == "discriminator"
        if spectral_normalization if of_d else generator_spectral_normalization:
            networks[name] = spectrally_normalized(network)
    if synchronized:
        for network in networks.values():
            for layer in every_layer(network):
                if isinstance(layer, layers.BatchNormalization):
                    layer.synchronized = True
    return networks


def every_layer(network: keras.Model) -> Iterator[keras.Layer]:
    """The layers of a network, and of those that it consists of, however deep."""
    for layer in network.layers:
        yield from every_layer(layer) if isinstance(layer, keras.Model) else [layer]


def with_prelu(network: keras.Model) -> keras.Model:
    """The same layers with a learned slope for every channel, at first 0.25.

    He et al., 2015 ("Delving deep into rectifiers", arXiv:1502.01852, section 2.1).
    """

    def changed(layer: keras.Layer) -> keras.Layer:
        if not isinstance(layer, layers.ReLU | layers.LeakyReLU):
            return layer
        places = tuple(range(1, len(layer.input.shape) - 1))  # height and width
        slope = keras.initializers.Constant(0.25)
        return layers.PReLU(slope, shared_axes=places or None, name=layer.name)

    return keras.models.clone_model(network, clone_function=changed, recursive=True)
