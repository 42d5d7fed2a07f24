import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits

from tfgan_mnist.data import pairs
from tfgan_mnist.data.examples import Examples
from tfgan_mnist.data.pictures import Files
from tfgan_mnist.registry import IMAGE_SIZES, TASKS, find

SEED = tf.constant([3, 4], tf.int32)
PAIRED = [n for n, task in TASKS.items() if task.game == "pix2pix" and not task.own]


@pytest.fixture(scope="module")
def bars() -> tf.Tensor:
    """Upright white bars, 1 to 6 pixels wide, in [-1, 1]."""
    images = np.full([6, 28, 28, 1], -1.0, np.float32)
    for i in range(6):
        images[i, 2:26, 10 : 11 + i] = 1.0
    return tf.constant(images)


def make(task: str, images: tf.Tensor, seed: tf.Tensor = SEED):
    labels = tf.range(len(images)) % 10
    return pairs.make_pairs(find(TASKS[task].make), images, labels, seed)


@pytest.mark.parametrize("task", PAIRED)
def test_a_task_is_a_function_of_images_and_seed(task, bars):
    one, again = make(task, bars), make(task, bars)
    channels = {"sources": TASKS[task].source or 1, "samples": TASKS[task].target or 1}
    size = 64 if TASKS[task].video else 28
    for name, images in one.items():
        assert images.shape == (6, size, size, channels[name])
        assert images.dtype == tf.float32
        assert float(tf.reduce_min(images)) >= -1.0
        assert float(tf.reduce_max(images)) <= 1.0
        np.testing.assert_array_equal(images, again[name])
    other = make(task, bars, SEED + 1)
    changes = any(not np.array_equal(one[name], other[name]) for name in one)
    assert changes == (task != "colour")  # in which nothing is random


def test_thickness_of_bars_is_about_their_width(bars):
    found = pairs.thickness(bars * 0.5 + 0.5).numpy()
    # Ends count as edges too, and central differences see a pixel as wider.
    np.testing.assert_allclose(
        found[1:], np.arange(2, 7) * 24 / (24 + np.arange(2, 7)), rtol=0.1
    )
    assert float(pairs.thickness(tf.zeros([1, 28, 28, 1]))[0]) == 0.0


def test_colour_follows_from_class_and_stroke(bars):
    rgb = (make("colour", bars)["samples"] * 0.5 + 0.5).numpy()
    black = bars.numpy()[..., 0] < 0
    assert (rgb[black] == 0).all()
    thin, thick = rgb[0, 14, 10], rgb[5, 14, 10]
    # Class 0 is red, with the white that a thin stroke's paleness leaves.
    np.testing.assert_allclose(thin, [1.0, thin[1], thin[1]], atol=1e-5)
    assert 0.5 < thin[1] < 0.6
    np.testing.assert_allclose(thick.max(), 1.0, atol=1e-5)
    assert thick.min() < 0.1  # a full colour
    assert thick.argmax() == 2 or thick[1] > 0.9  # of class 5, opposite to red: cyan
    np.testing.assert_allclose(
        pairs.brightest(rgb)[..., 0], bars.numpy()[..., 0] * 0.5 + 0.5, atol=1e-5
    )


def test_superres_reduces_by_two_or_four():
    image = tf.reshape(tf.linspace(-1.0, 1.0, 28 * 28), [1, 28, 28, 1])
    for factor in pairs.FACTORS:
        small = pairs.reduced(image, factor)
        assert small.shape == image.shape
        means = tf.nn.avg_pool2d(small, factor, factor, "VALID")
        known = tf.nn.avg_pool2d(image, factor, factor, "VALID")
        inside = (0, slice(1, -1), slice(1, -1), 0)  # a ramp stays one, edges aside
        np.testing.assert_allclose(means[inside], known[inside], atol=1e-5)
    many = make("superres", tf.repeat(image, 40, axis=0))["sources"]
    kinds = {row.tobytes() for row in many.numpy()}
    assert kinds == {
        pairs.reduced(image, factor).numpy()[0].tobytes() for factor in pairs.FACTORS
    }


def test_holes_are_red_squares_and_strokes_and_nothing_else_changes(bars):
    many = tf.repeat(bars, 20, axis=0)
    found = make("inpaint", many)
    sources, targets = found["sources"].numpy(), found["samples"].numpy()
    np.testing.assert_array_equal(targets, many)
    hole = (sources == np.array(pairs.HOLE, np.float32)).all(axis=-1)
    np.testing.assert_array_equal(sources[~hole], np.repeat(targets, 3, -1)[~hole])
    sizes = hole.sum(axis=(1, 2))
    square = 12 * 12
    assert (sizes == square).mean() > 0.3
    assert (sizes != square).mean() > 0.3
    assert sizes.min() > 50
    assert hole.mean() < 0.3


def test_backgrounds_go_or_are_blurred_and_the_digit_stays(bars):
    white = bars.numpy()[..., 0] > 0
    removed, softened = make("background_removal", bars), make("background_blur", bars)
    np.testing.assert_array_equal(removed["samples"], bars)
    source, blurred = removed["sources"].numpy(), softened["samples"].numpy()
    np.testing.assert_array_equal(softened["sources"], source)  # of the same seed
    assert (source[white] == 1.0).all()
    assert (blurred[white] == 1.0).all()
    behind = source[~white] * 0.5 + 0.5
    assert behind.max() <= pairs.BRIGHTEST
    assert behind.std() > 0.1
    rough = [
        abs(np.diff(x[..., 0][:, :, :8], axis=2)).mean() for x in (source, blurred)
    ]
    assert rough[1] < 0.4 * rough[0]
    ink = pairs.brighter_than_textures(blurred * 0.5 + 0.5)
    np.testing.assert_array_equal(ink > 0.5, white[..., np.newaxis])
    assert ink[~white].max() < 1e-5


def test_a_blur_keeps_what_is_even():
    even = tf.fill([1, 28, 28, 1], 0.3)
    np.testing.assert_allclose(pairs.blurred(even), even, atol=1e-6)


def numbered(count: int) -> np.ndarray:
    """Images that say which they are."""
    images = np.zeros([count, 2, 2, 1], np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0] = (
        np.arange(count) % 256,
        np.arange(count) // 256,
    )
    return images


def test_what_is_held_out_is_never_trained_on():
    images, labels = numbered(1000), np.repeat(np.arange(10), 100)
    (trained, _), (held_out, classes) = pairs.split(images, labels, 100)
    assert (len(trained), len(held_out)) == (900, 100)
    rows = [{image.tobytes() for image in part} for part in (trained, held_out)]
    assert not rows[0] & rows[1]
    assert len(rows[0] | rows[1]) == 1000
    assert np.bincount(classes).min() >= 9  # also the first few are of many classes
    assert len(set(classes[:20])) > 5
    for held, known in zip(held_out, classes, strict=True):
        number = int(held[0, 0, 0]) + 256 * int(held[0, 1, 0])
        assert labels[number] == known


def test_pairs_are_a_function_of_step_and_draw():
    images = np.random.default_rng(1).integers(0, 256, [40, 28, 28, 1], np.uint8)
    task = find(TASKS["inpaint"].make)
    batches = pairs.Pairs(Examples(images, None, 8, SEED, draws=2), task, SEED)
    one = batches.batch(tf.constant(5), 1)
    for step, draw, same in ((5, 1, True), (5, 0, False), (6, 1, False)):
        other = batches.batch(tf.constant(step), draw)
        assert np.array_equal(one["sources"], other["sources"]) == same


def test_unpaired_batches_are_of_either_kind():
    dark, light = np.zeros([9, 4, 4, 1], np.uint8), np.full([7, 4, 4, 1], 255, np.uint8)
    batches = pairs.Unpaired(
        *(Examples(images, None, 3, SEED) for images in (dark, light))
    )
    batch = batches.batch(tf.constant(2))
    assert (batch["sources"].numpy() == -1.0).all()
    assert (batch["samples"].numpy() == 1.0).all()


def test_halves_by_thickness(bars):
    images = np.uint8(bars * 127.5 + 127.5)
    (thin, thin_labels), (thick, _) = pairs.thin_and_thick(images, np.arange(6))
    np.testing.assert_array_equal(thin, images[:3])
    np.testing.assert_array_equal(thin_labels, [0, 1, 2])
    np.testing.assert_array_equal(thick, images[3:])


def test_pictures_that_are_not_in_memory_are_parted_by_thickness_too(bars, tmp_path):
    pixels = (bars.numpy() * 127.5 + 127.5).astype(np.uint8)
    paths = [tmp_path / f"{i}.png" for i in range(6)]
    for image, path in zip(pixels[::-1, ..., 0], paths, strict=True):
        Image.fromarray(image).save(path)
    (thin, nothing), (thick, _) = pairs.thin_and_thick(Files(paths, 28, 1), None)
    assert isinstance(thin, Files)
    assert (thin.paths, thick.paths) == (paths[3:], paths[:3])
    assert nothing is None


def test_small_digits_of_others_are_enlarged_to_twenty_pixels():
    images = np.zeros([2, 28, 28, 1], np.uint8)
    (found, labels), (others, nothing) = pairs.uci_and_others(images, None)
    assert found.shape == (1797, 28, 28, 1)
    assert others is images
    assert nothing is None
    np.testing.assert_array_equal(labels, load_digits().target)
    outside = np.ones([28, 28], bool)
    outside[4:24, 4:24] = False
    assert found[:, outside].max() == 0
    small = load_digits().images / 16
    np.testing.assert_allclose(
        found.mean(axis=(1, 2, 3)) / 255 * 28**2 / 20**2,
        small.mean(axis=(1, 2)),
        atol=0.02,
    )


def test_moving_digits_move_evenly_and_bounce():
    """A white square and a black one, which is not seen: one square in each."""
    images = tf.stack([tf.ones([28, 28, 1]), -tf.ones([28, 28, 1])])
    video = pairs.moving_digits(images, 60, SEED).numpy()
    assert video.shape == (60, 2, 64, 64, 1)
    np.testing.assert_allclose(video.sum(axis=(2, 3, 4)), 28**2, rtol=1e-5)
    for sample in (0, 1):
        corners = np.array(
            [np.argwhere(frame[..., 0] > 0.5)[0] for frame in video[:, sample]]
        )
        assert corners.min() >= 0
        assert corners.max() <= 64 - 28
        steps = np.diff(corners, axis=0)
        assert (np.abs(steps) <= 5.5).all()
        assert (steps > 0).any(axis=0).all()  # there and back, on both axes
        assert (steps < 0).any(axis=0).all()
        length = np.median(np.linalg.norm(steps, axis=1))
        assert 1.0 <= length <= 6.0


def test_the_last_frames_are_told_and_the_next_is_asked_for():
    images = tf.random.stateless_uniform([3, 14, 14, 1], SEED, -1.0, 1.0)
    video = pairs.moving_digits(images, pairs.HISTORY + 1, SEED)
    assert video.shape[2:] == (32, 32, 1)
    found = make("frames", images)
    told = found["sources"] * 0.5 + 0.5
    np.testing.assert_allclose(told[..., 0], video[0, ..., 0], atol=1e-6)
    np.testing.assert_allclose(told[..., 2], video[2, ..., 0], atol=1e-6)
    np.testing.assert_allclose(found["samples"] * 0.5 + 0.5, video[3], atol=1e-6)


@pytest.mark.parametrize("size", IMAGE_SIZES)
def test_digits_move_in_pictures_of_any_size(size):
    side = TASKS["frames"].image_size(size)
    video = pairs.moving_digits(tf.zeros([2, side, side, 1]), 1, SEED)
    assert video.shape[2:] == (size, size, 1)


def test_printed_digits_are_those_of_the_labels():
    labels = tf.constant([3, 1, 3, 7])
    found = pairs.printed(labels, pairs.FONTS[:1], 28, SEED)
    known = pairs.glyphs(pairs.FONTS[0], 28)
    np.testing.assert_array_equal(found, known[[3, 1, 3, 7]])
    for name in pairs.FONTS:
        ink = pairs.glyphs(name, 28) > 0
        rows, columns = ink.any(axis=(2, 3)), ink.any(axis=(1, 3))
        sides = np.maximum(rows.sum(axis=1), columns.sum(axis=1))
        assert (abs(sides - 20) <= 1).all(), name
        assert len({digit.tobytes() for digit in ink}) == 10, name
