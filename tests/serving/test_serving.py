import json
import shutil

import imageio.v3 as imageio
import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.serving import writer as saving
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.training.checkpoint import Checkpoints


@pytest.fixture(scope="module")
def model(trained) -> saving.SavedGenerator:
    return saving.SavedGenerator(trained / "saved_model")


@pytest.fixture(scope="module")
def signatures(trained):
    return tf.saved_model.load(str(trained / "saved_model")).signatures


SEEDS = np.array([5, 9, 5, -3], np.int64)


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


def test_a_row_depends_on_its_own_seed_alone(model):
    images = model.sample(SEEDS)
    assert images.min() >= 0.0
    assert images.max() <= 1.0
    np.testing.assert_array_equal(images[0], images[2])
    assert not np.array_equal(images[0], images[1])
    for i, seed in enumerate(SEEDS):
        np.testing.assert_array_equal(model.sample([seed])[0], images[i])


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
    weights = [v.numpy() for v in saved.variables]
    assert any(np.array_equal(average, w) for w in weights)
    assert not any(np.array_equal(live, w) for w in weights)


def test_metadata_says_what_made_it(trained, model):
    metadata = json.loads(
        (trained / "saved_model" / "assets.extra" / "tfgan_mnist.json").read_text()
    )
    assert model.metadata == metadata
    assert metadata["recipe"] == "dcgan_cpu"
    assert metadata["step"] == 12
    assert metadata["dataset"] == "mnist5k"
    assert metadata["averaged_weights"] is True
    assert metadata["tensorflow"] == tf.__version__
    assert metadata["flags"]["base_channels"] == 4
    assert str(trained) not in json.dumps(metadata)


def test_training_s_seed_is_not_baked_in(model):
    tf.random.set_seed(1)
    one = model.sample([7])
    tf.random.set_seed(2)
    np.testing.assert_array_equal(one, model.sample([7]))


def test_many_rows_come_in_batches_of_one_size(model):
    seeds = np.arange(saving.SAMPLE_BATCH + 7)
    images = model.sample(seeds)
    assert len(images) == len(seeds)
    np.testing.assert_array_equal(model.sample(seeds[-3:]), images[-3:])


@pytest.mark.parametrize("damage", ["saved_model.pb", "variables/variables.index"])
def test_a_damaged_model_is_named(trained, tmp_path, damage):

    shutil.copytree(trained / "saved_model", tmp_path / "model")
    (tmp_path / "model" / damage).write_bytes(b"\x00garbage")
    with pytest.raises(UserError, match="cannot be loaded") as error:
        saving.SavedGenerator(tmp_path / "model")
    assert "\n" not in str(error.value)


def test_a_missing_signature_is_named(tmp_path):
    class Other(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def double(self, x):
            return {"y": x * 2}

    other = Other()
    tf.saved_model.save(
        other, str(tmp_path / "m"), signatures={"serving_default": other.double}
    )
    with pytest.raises(UserError, match="no signature 'sample', but serving_default"):
        saving.SavedGenerator(tmp_path / "m").sample([1])


def test_a_signature_of_the_same_name_with_other_inputs_is_named(tmp_path):
    module = tf.Module()
    module.draw = tf.function(
        lambda x: {"y": x}, input_signature=[tf.TensorSpec([None], tf.float32)]
    )
    tf.saved_model.save(module, str(tmp_path / "m"), {"sample": module.draw})
    with pytest.raises(UserError, match="signature 'sample' is another: from x to y"):
        saving.SavedGenerator(tmp_path / "m").sample([1])


def test_metadata_of_another_kind_counts_as_none(trained, tmp_path):
    shutil.copytree(trained / "saved_model", tmp_path / "model")
    (tmp_path / "model" / "assets.extra" / "tfgan_mnist.json").write_text("[]")
    assert saving.SavedGenerator(tmp_path / "model").metadata == {}


@pytest.fixture(scope="module")
def labelled(conditional) -> saving.SavedGenerator:
    return saving.SavedGenerator(conditional)


def test_a_conditional_model_takes_a_label_a_row_everywhere(labelled):
    assert labelled.classes == 10
    for name, signature in labelled.signatures.items():
        _, inputs = signature.structured_input_signature
        assert inputs["label"].shape.as_list() == [None], name
        assert inputs["label"].dtype == tf.int64
    images = labelled.sample([5, 5, 5], labels=[1, 2, 1])
    np.testing.assert_array_equal(images[0], images[2])
    assert not np.array_equal(images[0], images[1])
    again = labelled.generate(labelled.latents([5, 5]), [1, 2])
    np.testing.assert_allclose(again, images[:2], atol=1e-6)
    outputs = labelled.signatures["discriminate"](
        images=tf.constant(images), label=tf.constant([1, 2, 3], tf.int64)
    )
    assert outputs["probability"].shape == [3]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (None, "is conditional; give labels from 0 to 9"),
        ([1], r"labels of shape \(1,\) for 2 samples"),
        ([1, 10], "label 10: must be from 0 to 9"),
        ([-1, 3], "label -1: must be from 0 to 9"),
    ],
)
def test_labels_that_do_not_fit_are_named(labelled, labels, words):
    with pytest.raises(UserError, match=words):
        labelled.sample([1, 2], labels=labels)


def test_labels_for_a_model_without_are_refused(model):
    with pytest.raises(UserError, match="is not conditional, so it takes no labels"):
        model.sample([1], labels=[3])


@pytest.mark.parametrize("label", [-1, 10])
def test_a_request_with_a_wrong_label_fails_in_the_model_itself(labelled, label):
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be from 0 to 9"):
        labelled.signatures["sample"](
            seed=tf.constant([1], tf.int64),
            temperature=tf.ones([1]),
            label=tf.constant([label], tf.int64),
        )


def test_a_toy_s_signatures_speak_of_points(toy):
    model = saving.SavedGenerator(toy)
    assert set(model.signatures) == {"serving_default", "sample", "discriminate"}
    points = model.sample([1, 2, 3])
    assert points.shape == (3, 2)
    assert model.probability(points).shape == (3,)


def test_a_request_with_fewer_labels_than_rows_fails(tmp_path):
    """Also in cdcgan, whose product with the label's vector would be broadcast."""
    from conftest import tiny_config

    from tfgan_mnist.build import build_gan

    saving.Writer(build_gan(tiny_config("cdcgan"))).write(tmp_path / "model", {})
    model = saving.SavedGenerator(tmp_path / "model")
    assert model.classes == 10  # the model knows, whatever it is told to remember
    with pytest.raises(tf.errors.InvalidArgumentError, match="one for each row"):
        model.signatures["discriminate"](
            images=tf.zeros([5, 28, 28, 1]), label=tf.constant([1], tf.int64)
        )


def test_labels_must_be_whole_numbers(labelled):
    with pytest.raises(UserError, match="labels must be whole numbers"):
        labelled.sample([1], labels=[1.9])


def test_points_of_another_shape_than_d_judges_are_refused(toy):
    with pytest.raises(UserError, match=r"judges points of shape \(None, 2\)"):
        saving.SavedGenerator(toy).probability(np.zeros([3, 100]))
