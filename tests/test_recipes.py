"""Every recipe, narrowed: built, stepped, saved, loaded and sampled."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist import saving
from tfgan_mnist.build import NETWORKS as BUILT_NETWORKS
from tfgan_mnist.build import build_montage, build_training
from tfgan_mnist.config import NETWORKS, recipes


def test_every_network_of_the_flags_can_be_built():
    assert set(BUILT_NETWORKS) == set(NETWORKS)


@pytest.mark.parametrize("recipe", sorted(recipes()))
def test_recipe(recipe, tmp_path):
    config = tiny_config(recipe)
    training = build_training(config)
    before = {name: v.numpy() for name, v in training.variables.items()}
    losses = training.step(tf.constant(0), tf.constant(2)).numpy()
    assert losses.shape == (2, len(training.step.names))
    assert np.isfinite(losses).all()
    changed = {
        name.split("/")[0]
        for name, v in training.variables.items()
        if not np.array_equal(before[name], v.numpy())
    }
    assert {"generator", "discriminator"} <= changed
    assert ("generator_average" in changed) == bool(config.ema_decay)

    size = training.gan.discriminator.input_shape[1]
    assert build_montage(config, training)().shape == (100, size, size, 1)

    saving.save(tmp_path / "model", training.gan, {"recipe": recipe})
    model = saving.SavedGenerator(tmp_path / "model")
    images = model.sample(saving.row_seeds(1, 3))
    assert images.shape == (3, size, size, 1)
    assert model.metadata["recipe"] == recipe
