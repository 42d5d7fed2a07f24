import numpy as np

from tfgan_mnist.networks.mlp import mlp


def test_parameters_by_hand():
    generator, discriminator = mlp(100, 256, 1)
    assert generator.count_params() == (
        (100 * 256 + 256) + (256 * 512 + 512) + (512 * 1024 + 1024) + (1024 * 784 + 784)
    )
    assert discriminator.count_params() == (
        (784 * 512 + 512) + (512 * 256 + 256) + (256 + 1)
    )


def test_images_and_logits():
    generator, discriminator = mlp(100, 8, 1)
    images = generator(np.ones([3, 100], np.float32)).numpy()
    assert images.shape == (3, 28, 28, 1)
    assert abs(images).max() < 1.0
    assert discriminator(images).shape == (3, 1)
