"""Of a model that turns images into their negatives, darker for each seed."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgan_mnist.gans.translation import signatures

SEEDS = tf.constant([0, 1, 2], tf.int64)


def darker_negative(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    shade = tf.cast(seed, tf.float32)[:, tf.newaxis, tf.newaxis, tf.newaxis]
    return (1.0 - images) / (1.0 + shade)


@pytest.fixture(scope="module")
def found():
    return signatures(darker_negative, (8, 6, 3))


@pytest.fixture(scope="module")
def translate_png(found):
    return tf.function(found["translate_png"].function)


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def decoded(answer: dict) -> np.ndarray:
    pngs = answer["image_bytes"].numpy()
    return np.stack([np.asarray(Image.open(io.BytesIO(png))) for png in pngs])


def test_what_it_answers_and_asks_for(found):
    assert set(found) == {"translate", "translate_png", "serving_default"}
    assert found["serving_default"] is found["translate"]
    specs = found["translate"].inputs
    assert specs["images"].shape.as_list() == [None, 8, 6, 3]
    assert (specs["images"].dtype, specs["seed"].dtype) == (tf.float32, tf.int64)
    assert found["translate"].ranges == {"images": (0.0, 1.0)}
    assert found["translate_png"].inputs["image_bytes"].dtype == tf.string
    for signature in found.values():
        assert all(spec.name == name for name, spec in signature.inputs.items())


def test_the_way_back_is_never_the_default():
    back = signatures(darker_negative, (8, 6, 3), "_back")
    assert set(back) == {"translate_back", "translate_back_png"}


def test_images_and_seeds_are_handed_on(found):
    images = tf.random.stateless_uniform([3, 8, 6, 3], [1, 2])
    answer = found["translate"].function(images=images, seed=SEEDS)
    assert set(answer) == {"images"}
    np.testing.assert_array_equal(answer["images"], darker_negative(images, SEEDS))


def test_files_are_answered_by_the_nearest_grey_levels(translate_png):
    pixels = np.random.default_rng(1).integers(0, 256, [3, 8, 6, 3], np.uint8)
    files = [encoded(image) for image in pixels]
    answer = decoded(translate_png(image_bytes=tf.constant(files), seed=SEEDS))
    exact = (255.0 - pixels) / np.array([1, 2, 3])[:, None, None, None]
    assert answer.shape == (3, 8, 6, 3)
    assert np.abs(answer - exact).max() <= 0.5 + 1e-3


def test_files_of_any_size_and_kind_are_resized(translate_png):
    """One of each quadrant's shade; as grey, as JPEG, twice as large."""
    shades = np.array([[0, 100], [200, 250]], np.uint8)
    grey = shades.repeat(8, 0).repeat(6, 1)  # 16×12
    files = [encoded(grey), encoded(grey, "JPEG"), encoded(grey.repeat(2, 1))]
    zeros = tf.zeros([3], tf.int64)
    answer = decoded(translate_png(image_bytes=tf.constant(files), seed=zeros))
    assert answer.shape == (3, 8, 6, 3)
    corners = answer[:, [0, 0, -1, -1], [0, -1, 0, -1]].astype(int)
    expected = 255 - shades.reshape(1, 4, 1).astype(int)
    assert np.abs(corners - expected).max() <= 4


def test_a_file_that_is_no_picture_is_refused(translate_png):
    files = tf.constant([b"no picture"])
    with pytest.raises(tf.errors.InvalidArgumentError):
        translate_png(image_bytes=files, seed=SEEDS[:1])
