import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.serving.reader import SAMPLE_BATCH, LoadedModel
from tfgan_mnist.system.errors import UserError


@pytest.fixture(scope="module")
def model(trained) -> LoadedModel:
    return LoadedModel(trained / "saved_model")


SEEDS = np.array([5, 9, 5, -3], np.int64)


@pytest.fixture(scope="module")
def labelled(conditional) -> LoadedModel:
    return LoadedModel(conditional)


def test_a_row_depends_on_its_own_seed_alone(model):
    images = model.sample(SEEDS)
    assert images.min() >= 0.0
    assert images.max() <= 1.0
    np.testing.assert_array_equal(images[0], images[2])
    assert not np.array_equal(images[0], images[1])
    for i, seed in enumerate(SEEDS):
        np.testing.assert_array_equal(model.sample([seed])[0], images[i])


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


def test_many_rows_come_in_batches_of_one_size(model):
    seeds = np.arange(SAMPLE_BATCH + 7)
    images = model.sample(seeds)
    assert len(images) == len(seeds)
    np.testing.assert_array_equal(model.sample(seeds[-3:]), images[-3:])


@pytest.mark.parametrize("damage", ["saved_model.pb", "variables/variables.index"])
def test_a_damaged_model_is_named(trained, tmp_path, damage):
    model = tmp_path / "model"
    shutil.copytree(trained / "saved_model", model)
    (model / damage).write_bytes(b"\x00garbage")
    with pytest.raises(UserError, match=f"damaged .{damage} is not what was written"):
        LoadedModel(model)
    (model / "assets.extra" / "tfgan_mnist.json").unlink()  # and no checksums
    with pytest.raises(UserError, match="cannot be loaded") as error:
        LoadedModel(model)
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
        LoadedModel(tmp_path / "m").sample([1])


def test_a_signature_of_the_same_name_with_other_inputs_is_named(tmp_path):
    module = tf.Module()
    module.draw = tf.function(
        lambda x: {"y": x}, input_signature=[tf.TensorSpec([None], tf.float32)]
    )
    tf.saved_model.save(module, str(tmp_path / "m"), {"sample": module.draw})
    with pytest.raises(UserError, match="signature 'sample' is another: from x to y"):
        LoadedModel(tmp_path / "m").sample([1])


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


def test_labels_must_be_whole_numbers(labelled):
    with pytest.raises(UserError, match="labels must be whole numbers"):
        labelled.sample([1], labels=[1.9])


def test_points_of_another_shape_than_d_judges_are_refused(toy):
    with pytest.raises(UserError, match=r"takes points of shape \(None, 2\)"):
        LoadedModel(toy).probability(np.zeros([3, 100]))


@pytest.mark.parametrize(
    ("seeds", "temperature", "words"),
    [
        ([1.5], 1.0, "seeds must be a list of whole numbers, not float64"),
        ([True], 1.0, "seeds must be"),
        ([], 1.0, "seeds must be"),
        (7, 1.0, "seeds must be"),
        ([[1]], 1.0, "seeds must be"),
        ([2**63], 1.0, "64 bits"),
        (["1"], 1.0, "seeds must be"),
        ([1], float("nan"), "temperature nan: must be from 0 to 100"),
        ([1], -1, "temperature -1: must be"),
        ([1], "1", "temperature '1': must be"),
        ([1], [1.0], "temperature .*: must be"),
    ],
)
def test_wrong_seeds_and_temperatures_are_refused(model, seeds, temperature, words):
    with pytest.raises(UserError, match=words):
        model.sample(seeds, temperature)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros([1, 28, 28, 1], np.uint8), "images must be an array of floats"),
        (np.full([1, 28, 28, 1], 255.0), "images must be from 0 to 1"),
        (np.full([1, 28, 28, 1], np.nan), "images must be finite"),
        (np.zeros([4, 14, 14, 1]), "takes images of shape"),
        (np.zeros([0, 28, 28, 1]), "takes images of shape"),
        (np.zeros([28, 28, 1]), "takes images of shape"),
        (1.0, "images must be an array"),
    ],
)
def test_images_that_are_none_are_not_judged(model, images, words):
    with pytest.raises(UserError, match=words):
        model.probability(images)


@pytest.mark.parametrize(
    ("latents", "words"),
    [
        (np.zeros([2, 99]), "takes latents of shape"),
        (np.zeros([0, 100]), "takes latents of shape"),
        (np.zeros([2, 100], int), "latents must be an array of floats"),
        (np.full([2, 100], 1e300), "latents must be finite 32-bit"),
        (np.full([2, 100], np.inf), "latents must be finite"),
    ],
)
def test_wrong_latents_are_refused(model, latents, words):
    with pytest.raises(UserError, match=words):
        model.generate(latents)


def _save(path, answer):
    """A model of somebody else's, without checks."""
    module = tf.Module()
    specs = [tf.TensorSpec([None], tf.int64, "seed")]
    specs.append(tf.TensorSpec([None], tf.float32, "temperature"))
    module.draw = tf.function(
        lambda seed, temperature: {"images": answer(tf.shape(seed)[0])},
        input_signature=specs,
    )
    tf.saved_model.save(module, str(path), {"sample": module.draw})


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda n: tf.fill([n, 2, 2, 1], np.float32(np.nan)), "not finite numbers"),
        (lambda n: tf.zeros([n, 2, 2, 5]), "makes no images, but arrays of shape"),
        (lambda n: tf.zeros([n, 4]), "makes no images, but arrays of shape"),
        (lambda n: tf.fill([n, 2, 2, 1], 255.0), "makes images from 255 to 255; they"),
        (lambda n: tf.zeros([n + 1, 2, 2, 1]), "one for each row"),
    ],
)
def test_a_model_that_makes_no_images_is_named(tmp_path, answer, words):
    _save(tmp_path / "m", answer)
    with pytest.raises(UserError, match=words):
        LoadedModel(tmp_path / "m").sample([1, 2])
