import math

import numpy as np
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_gan, build_training


def test_both_losses_ask_for_the_class():
    gan = build_gan(tiny_config("acgan", class_weight=0.5))
    for network in (gan.discriminator,):
        network.set_weights([np.zeros_like(w) for w in network.get_weights()])
    batch = {"samples": tf.zeros([4, 28, 28, 1]), "labels": tf.constant([0, 1, 2, 3])}
    fakes = gan.generate(batch, tf.constant([1, 0]), tf.constant(0))
    found = gan.losses(batch, fakes, ["discriminator", "generator"])
    # A D that knows nothing says ½ for real, and a tenth for every class.
    chance, class_loss = math.log(2), 0.5 * math.log(10)
    assert found["discriminator"].keys() == {
        "real",
        "fake",
        "class_real",
        "class_fake",
    }
    assert found["generator"].keys() == {"fake", "class"}
    for terms in found.values():
        for name, value in terms.items():
            expected = class_loss if name.startswith("class") else chance
            np.testing.assert_allclose(value, expected, rtol=1e-6, err_msg=name)


def test_d_is_told_no_label_but_names_the_class():
    gan = build_gan(tiny_config("acgan"))
    assert len(gan.discriminator.inputs) == 1
    real, classes = gan.discriminator(tf.zeros([3, 28, 28, 1]))
    assert (real.shape, classes.shape) == ([3, 1], [3, 10])
    inputs = gan.inputs(5, tf.constant([1, 0]), {"labels": np.arange(5)})
    assert gan.sample(gan.networks, inputs).shape == [5, 28, 28, 1]


def test_d_learns_the_classes_of_real_images():
    config = tiny_config(
        "acgan", batch_size=50, base_channels=8, discriminator_learning_rate=3e-3
    )
    training = build_training(config)
    where = None
    losses = []
    for i in range(8):
        rows = training.step(tf.constant(8 * i), tf.constant(8)).numpy()
        where = training.step.names.index("discriminator_class_real")
        losses.append(rows[:, where].mean())
    assert losses[0] > 1.5
    assert losses[-1] < 0.6 * losses[0]


def test_the_saved_model_names_the_class_of_an_image_and_asks_for_no_label(tmp_path):
    from tfgan_mnist import runner
    from tfgan_mnist.training.checkpoint import State

    config = tiny_config("acgan")
    training = build_training(config)
    export = runner.exporter(config, training.variables)
    export(tmp_path / "model", runner.metadata(config, State({})))
    model = tf.saved_model.load(str(tmp_path / "model"))
    images = tf.random.stateless_uniform([3, 28, 28, 1], [1, 1])
    found = model.signatures["discriminate"](images=images)
    logits, classes = training.gan.discriminator(images * 2.0 - 1.0)
    np.testing.assert_allclose(found["logits"], logits[:, 0], atol=1e-5)
    np.testing.assert_allclose(found["classes"], tf.nn.softmax(classes), atol=1e-5)
    labelled = model.signatures["sample"].structured_input_signature[1]
    assert set(labelled) == {"seed", "temperature", "label"}
