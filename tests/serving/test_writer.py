import imageio.v3 as imageio
import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config, write_model

from tfgan_mnist.build import build_gan, named_weights
from tfgan_mnist.serving.reader import LoadedModel
from tfgan_mnist.serving.writer import Writer
from tfgan_mnist.training.checkpoint import Checkpoints


@pytest.fixture(scope="module")
def model(trained) -> LoadedModel:
    return LoadedModel(trained / "saved_model")


@pytest.fixture(scope="module")
def signatures(trained):
    return tf.saved_model.load(str(trained / "saved_model")).signatures


SEEDS = np.array([5, 9, 5, -3], np.int64)


@pytest.fixture(scope="module")
def labelled(conditional) -> LoadedModel:
    return LoadedModel(conditional)


def test_signatures_are_named_and_batched(signatures):
    expected = {
        "serving_default": ({"latents": [None, 100]}, {"images": [None, 28, 28, 1]}),
        "sample": (
            {"seed": [None], "temperature": [None]},
            {"images": [None, 28, 28, 1], "latents": [None, 100]},
        ),
        "sample_png": (
            {"seed": [None], "temperature": [None]},
            {"image_bytes": [None]},
        ),
        "discriminate": (
            {"images": [None, 28, 28, 1]},
            {"logits": [None], "probability": [None]},
        ),
    }
    assert set(signatures) == set(expected)
    for name, (inputs, outputs) in expected.items():
        _, found = signatures[name].structured_input_signature
        assert {k: v.shape.as_list() for k, v in found.items()} == inputs
        found = signatures[name].structured_outputs
        assert {k: v.shape.as_list() for k, v in found.items()} == outputs


def test_raw_signature_rows_agree_across_batch_sizes(signatures):
    def images(seeds):
        return signatures["sample"](
            seed=tf.constant(seeds, tf.int64), temperature=tf.ones([len(seeds)])
        )["images"].numpy()

    together = images(SEEDS)
    for i, seed in enumerate(SEEDS):
        np.testing.assert_allclose(images([seed])[0], together[i], atol=1e-6)


def test_temperature_multiplies_latents_row_by_row(model, signatures):
    outputs = signatures["sample"](
        seed=tf.constant([5, 5], tf.int64), temperature=tf.constant([1.0, 0.5])
    )
    latents = outputs["latents"].numpy()
    np.testing.assert_allclose(latents[1], latents[0] * 0.5, rtol=1e-6)
    assert abs(latents[0]).max() <= 1.0  # uniform in this recipe
    images = model.generate(latents)
    np.testing.assert_allclose(images, outputs["images"], atol=1e-6)


def test_pngs_are_the_same_images(model, signatures):
    encoded = signatures["sample_png"](
        seed=tf.constant(SEEDS), temperature=tf.ones([4])
    )["image_bytes"]
    images = model.sample(SEEDS)
    for png, image in zip(encoded.numpy(), images, strict=True):
        pixels = imageio.imread(png, extension=".png")
        assert pixels.shape == (28, 28)
        assert abs(pixels / 255.0 - image[..., 0]).max() <= 0.5 / 255 + 1e-6


def test_discriminate_answers_logits_and_their_probability(signatures):
    images = np.random.default_rng(1).uniform(size=[3, 28, 28, 1]).astype(np.float32)
    outputs = signatures["discriminate"](images=tf.constant(images))
    logits, probability = outputs["logits"].numpy(), outputs["probability"].numpy()
    assert logits.shape == probability.shape == (3,)
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-logits)), rtol=1e-5)


def test_the_averaged_weights_are_saved(trained):
    (*_, newest) = Checkpoints(trained / "checkpoints", 1).paths()
    with np.load(newest) as file:
        average = file["variables/generator_average/00_kernel"]
        live = file["variables/generator/00_kernel"]
    saved = tf.saved_model.load(str(trained / "saved_model"))
    weights = [v.numpy() for v in saved.variables_by_name.values()]
    assert any(np.array_equal(average, w) for w in weights)
    assert not any(np.array_equal(live, w) for w in weights)


def test_training_s_seed_is_not_baked_in(model):
    tf.random.set_seed(1)
    one = model.sample([7])
    tf.random.set_seed(2)
    np.testing.assert_array_equal(one, model.sample([7]))


@pytest.mark.parametrize("label", [-1, 10])
def test_a_request_with_a_wrong_label_fails_in_the_model_itself(labelled, label):
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be from 0 to 9"):
        labelled.signatures["sample"](
            seed=tf.constant([1], tf.int64),
            temperature=tf.ones([1]),
            label=tf.constant([label], tf.int64),
        )


def test_a_toy_s_signatures_speak_of_points(toy):
    model = LoadedModel(toy)
    assert set(model.signatures) == {"serving_default", "sample", "discriminate"}
    points = model.sample([1, 2, 3])
    assert points.shape == (3, 2)
    assert model.probability(points).shape == (3,)


def test_a_request_with_fewer_labels_than_rows_fails(tmp_path):
    """Also in cdcgan, whose product with the label's vector would be broadcast."""
    write_model(build_gan(tiny_config("cdcgan")), tmp_path / "model", {"classes": 10})
    model = LoadedModel(tmp_path / "model")
    assert model.classes == 10
    with pytest.raises(tf.errors.InvalidArgumentError, match="one for each row"):
        model.signatures["discriminate"](
            images=tf.zeros([5, 28, 28, 1]), label=tf.constant([1], tf.int64)
        )


def test_each_write_is_of_the_weights_as_they_are_then(tmp_path):
    gan = build_gan(tiny_config("moons"))
    writer = Writer(gan, named_weights(gan.networks))
    latents = tf.random.stateless_normal([3, gan.latent_dim], [1, 2])
    for name in ("one", "other"):
        writer.write(tmp_path / name, {"name": name})
        model = LoadedModel(tmp_path / name)
        assert model.metadata["name"] == name
        assert "saved_model.pb" in model.metadata["files"]
        expected = gan.sample(gan.networks, {"latents": latents})
        found = model.generate(latents)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        for variable in writer.variables.values():
            variable.assign(2.0 * variable + 0.1)
    before, after = (LoadedModel(tmp_path / name) for name in ("one", "other"))
    assert not np.allclose(before.generate(latents), after.generate(latents))
