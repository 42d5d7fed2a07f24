import keras
import numpy as np

from tfgan_mnist.networks.stacked import stacked


def test_parameters_by_hand():
    generator, discriminator = stacked(256, 8, 1)
    assert (
        generator.count_params()
        == (
            256 * 1024
            + 9 * (64 * 32 + 32 * 16 + 16 * 8)
            + 4 * (64 + 32 + 16 + 8)
            + 9 * 24
        )
        + 3
    )
    assert discriminator.count_params() == (
        (9 * 3 * 4 + 4) + (9 * 4 * 8 + 8) + (9 * 8 * 16 + 16) + (4 * 4 * 16 + 1)
    )


def test_maps_images_and_logits():
    generator, discriminator = stacked(256, 8, 1)
    maps = [
        layer.output.shape[1]
        for network in (generator, discriminator)
        for layer in network.layers
        if isinstance(layer, keras.layers.LeakyReLU | keras.layers.ReLU)
    ]
    assert maps == [4, 7, 14, 28, 14, 7, 4]
    images = generator(np.ones([3, 256], np.float32)).numpy()
    assert images.shape == (3, 28, 28, 3)
    assert abs(images).max() < 1.0
    assert discriminator(images).shape == (3, 1)
