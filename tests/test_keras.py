"""The games under Keras's own ``fit``."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_training, named_weights
from tfgan_mnist.data.mnist import mnist5k
from tfgan_mnist.keras import GANModel
from tfgan_mnist.system.errors import UserError


def pipeline(*arrays: np.ndarray, batch: int = 8) -> tf.data.Dataset:
    data = tf.data.Dataset.from_tensor_slices(arrays if arrays[1:] else arrays[0])
    return data.batch(batch, drop_remainder=True)


def test_fit_makes_the_steps_of_the_loop():
    """Given the same batches, weights and averages come out as the compiled step's."""
    config = tiny_config("dcgan_cpu")
    images, _ = mnist5k()
    training = build_training(config)
    step = training.step
    chosen = [images[48 * i : 48 * i + 8] for i in range(3)]
    batches = tf.constant(np.stack(chosen), tf.float32) / 127.5 - 1.0
    step.batch = lambda number, draw: {"samples": batches[number]}
    losses = step(tf.constant(0), tf.constant(3)).numpy()

    model = GANModel(config)
    model.compile()
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(dict(logs))
    )
    model.fit(pipeline(np.concatenate(chosen)), callbacks=[watch], verbose=0)
    assert set(seen[0]) == set(step.names)
    found = [[logs[name] for name in step.names] for logs in seen]
    np.testing.assert_allclose(found, losses, rtol=1e-4)
    weights = named_weights(model.networks) | {
        name.replace("generator/", "generator_average/"): weight
        for name, weight in named_weights(model.sampled).items()
        if name.startswith("generator/")
    }
    names = [*weights, ""]
    for name, weight, after in zip(names, weights.values(), names[1:], strict=False):
        if name.endswith("bias") and after.endswith(("gamma", "beta")):
            # Before batch normalisation its gradient is rounding alone, and Adam makes
            # whole steps of it.
            continue
        expected = training.variables[name].numpy()
        np.testing.assert_allclose(weight.numpy(), expected, atol=1e-4, err_msg=name)


def test_a_labelled_game_with_clusters_saves_a_network_that_keras_loads(tmp_path):
    images, labels = mnist5k()
    config = tiny_config("cdcgan_fast")
    some = images[::100], labels[::100]
    model = GANModel(config, data=(images, labels))
    model.compile()
    history = model.fit(pipeline(*some, batch=10), epochs=2, verbose=0)
    assert np.isfinite(history.history["generator"]).all()
    assert len(history.history["generator"]) == 2
    samples = model.sample(10, labels=range(10))
    assert samples.shape == (10, 28, 28, 1)
    assert 0 <= samples.min() < samples.max() <= 1
    with pytest.raises(UserError, match="give 3 labels"):
        model.sample(3)
    with pytest.raises(UserError, match="images, labels"):
        model.fit(pipeline(some[0]), verbose=0)

    network = model.sampled["generator"]
    network.save(tmp_path / "g.keras")
    loaded = keras.models.load_model(tmp_path / "g.keras")
    latents, two = np.zeros([2, config.latent_dim], np.float32), np.array([0, 3])
    inputs = [latents, model.gan.clusters.mixture(latents, two), two]
    inputs = [tf.constant(some) for some in inputs]
    np.testing.assert_array_equal(loaded(inputs), network(inputs))


def test_updates_with_batches_of_their_own_share_one_of_fit(capsys):
    """WGAN's D moves five times a step, on five batches."""
    model = GANModel(tiny_config("wgan"))
    draws = model._step.draws
    assert draws == 5
    seen = []
    losses = model.gan.losses
    model.gan.losses = lambda batch, *more: (
        seen.append(batch["samples"].shape[0]) or losses(batch, *more)
    )
    model.compile(run_eagerly=True)
    images = mnist5k()[0][:40]
    model.fit(pipeline(images, batch=20), verbose=0)
    assert set(seen) == {4}
    assert len(seen) == 2 * 6
    with pytest.raises(UserError, match="a multiple of 5"):
        model.fit(pipeline(images, batch=8), verbose=0)
    model.summary()
    assert "discriminator" in capsys.readouterr().out


def test_what_it_cannot_do_is_said_at_once():
    with pytest.raises(UserError, match=r"--clusters=3: .* data=\(images, labels\)"):
        GANModel(tiny_config("dcgan_fast"))
    stacks = np.zeros([8, 28, 28, 3], np.uint8), None
    with pytest.raises(
        UserError, match=r"learned from single images .* have 3 channels"
    ):
        GANModel(tiny_config("stacked"), data=stacks)
    with pytest.raises(UserError, match=r"^dcgam: neither a file nor a recipe"):
        GANModel("dcgam")
    translates = GANModel(tiny_config("colour"))
    translates.compile()
    with pytest.raises(UserError, match="--task=colour: give mappings of sources and"):
        translates.fit(pipeline(np.zeros([8, 28, 28], np.uint8)), verbose=0)
    with pytest.raises(UserError, match="samples follow from images"):
        translates.sample(3)
    with pytest.raises(UserError, match="give 2 labels, from 0 to 9"):
        GANModel(tiny_config("cgan_onehot")).sample(2, labels=[3, 10])
    with (
        tf.distribute.MirroredStrategy(["CPU:0"]).scope(),
        pytest.raises(UserError, match="trains on one device"),
    ):
        GANModel(tiny_config("dcgan_cpu"))
    model = GANModel(tiny_config("dcgan_cpu"))
    model.compile()
    with pytest.raises(UserError, match="images have 3 channels"):
        model.fit(pipeline(np.zeros([8, 28, 28, 3], np.uint8)), verbose=0)
