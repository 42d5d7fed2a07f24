"""One's own images: what is told of them beforehand, what is read, what is refused."""

import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgan_mnist.data import pictures
from tfgan_mnist.data.examples import Examples
from tfgan_mnist.system.errors import UserError


def colours(count: int, height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(1).integers(
        0, 256, [count, height, width, 3], dtype=np.uint8
    )


@pytest.fixture
def folder(tmp_path):
    """Twelve colour pictures of two classes, in three formats."""
    place = tmp_path / "own pictures"
    for i, image in enumerate(colours(12)):
        path = place / ("square" if i % 2 else "round") / f"{i}"
        path.parent.mkdir(parents=True, exist_ok=True)
        ending = (".png", ".JPG", ".webp")[i % 3]
        Image.fromarray(image).save(path.with_suffix(ending), lossless=True)
    (place / "square" / "notes.txt").write_text("no picture")
    (place / ".thumbnails").mkdir()
    (place / ".thumbnails" / "0.png").write_bytes(b"hidden")
    return place


def test_a_folder_says_what_it_holds(folder):
    facts = pictures.describe_folder(str(folder))
    assert facts == {
        "count": 12,
        "classes": 2,
        "class_names": ("round", "square"),
        "image_size": 40,
        "channels": 3,
    }


def test_a_folder_s_pictures_are_its_middles_resized(folder):
    images, labels = pictures.load_folder(str(folder), "", 20, 3)
    assert (images.shape, images.dtype) == ((12, 20, 20, 3), np.uint8)
    np.testing.assert_array_equal(labels, [0] * 6 + [1] * 6)
    # A lossless one, by hand: 40 of its 60 columns, made half as large. (Near the cut
    # a filter sees what is beyond it.)
    original = Image.fromarray(colours(12)[0]).crop((10, 0, 50, 40))
    expected = np.asarray(original.resize((20, 20), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(images[0][:, 1:-1], expected[:, 1:-1])
    grey, _ = pictures.load_folder(str(folder), "", 20, 1)
    luma = original.convert("L").resize((20, 20), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(grey[0, :, 1:-1, 0], np.asarray(luma)[:, 1:-1])


def test_one_folder_in_another_is_no_class(tmp_path):
    (tmp_path / "all").mkdir()
    for i, image in enumerate(colours(3)):
        Image.fromarray(image).save(tmp_path / "all" / f"{i}.png")
    assert pictures.describe_folder(str(tmp_path))["classes"] == 0
    assert pictures.load_folder(str(tmp_path), "", 28, 3)[1] is None


def test_what_is_transparent_is_black_and_what_lies_on_its_side_is_turned(tmp_path):
    clear = np.full([8, 8, 4], 255, np.uint8)
    clear[:4, :, 3] = 0
    Image.fromarray(clear).save(tmp_path / "clear.png")
    found = pictures.read_picture(tmp_path / "clear.png", 8, 3)
    assert found[:4].max() == 0
    assert found[4:].min() == 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    half = np.zeros([16, 16, 3], np.uint8)
    half[8:] = 255
    Image.fromarray(half).save(tmp_path / "turned.png", exif=exif)
    found = pictures.read_picture(tmp_path / "turned.png", 16, 1)[:, :, 0]
    assert found[:, 0].mean() != found[:, -1].mean()
    assert found[0].mean() == found[-1].mean()


def damage(folder, kind: str) -> None:
    """Makes a folder of pictures unfit."""
    some = folder / "round" / "0.png"
    image = Image.fromarray(colours(1)[0])
    if kind == "empty":
        for path in folder.rglob("*.*"):
            if path.suffix.lower() in pictures.ENDINGS:
                path.unlink()
    elif kind == "one":
        for path in (folder / "square").iterdir():
            path.unlink()
        for path in sorted((folder / "round").iterdir())[1:]:
            path.unlink()
    elif kind == "text":
        some.write_text("I am no picture")
    elif kind == "torn":
        some.write_bytes(some.read_bytes()[:3000])
    elif kind == "grey":
        image.convert("L").save(some)
    elif kind == "deep":
        Image.fromarray(np.zeros([9, 9], np.uint16)).save(some)
    elif kind == "animated":
        some.unlink()
        more = [Image.fromarray(x) for x in colours(3)]
        more[0].save(some.with_suffix(".webp"), save_all=True, append_images=more[1:])
    elif kind == "huge":
        Image.new("1", (9_000, 9_000)).save(some)
    elif kind == "bomb":
        Image.new("1", (20_000, 20_000)).save(some)
    elif kind == "stray":
        image.save(folder / "stray.png")
    elif kind == "name":
        image.save(os.fsdecode(os.fsencode(folder / "round") + b"/caf\xe9.png"))
    elif kind == "forbidden":
        some.chmod(0)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("empty", ["holds no pictures (.png .jpg .jpeg .webp .bmp .gif)"]),
        ("one", ["holds one picture"]),
        ("text", ["0.png: cannot be read", "no picture"]),
        ("deep", ["0.png: has more than 8 bits"]),
        ("animated", ["0.webp: is animated"]),
        ("huge", ["0.png: has 9,000 × 9,000 pixels, more than 50,000,000"]),
        ("bomb", ["0.png: has more than 50,000,000 pixels"]),
        ("stray", ["stray.png is in no sub-folder"]),
        ("name", ["caf\\xe9.png is no UTF-8; rename it"]),
    ],
)
def test_an_unfit_folder_is_refused_by_one_line_before_anything_is_decoded(
    folder, kind, words
):
    damage(folder, kind)
    with pytest.raises(UserError) as error:
        pictures.describe_folder(str(folder))
    line = str(error.value)
    assert "\n" not in line
    assert line.isprintable()
    line.encode()
    for word in words:
        assert word in line


def test_grey_and_colour_together_are_seen(folder):
    damage(folder, "grey")
    assert pictures.describe_folder(str(folder))["channels"] == 0


def test_a_torn_picture_is_named_when_it_is_read(folder):
    damage(folder, "torn")
    with pytest.raises(UserError, match=r"0\.png: cannot be read"):
        pictures.load_folder(str(folder), "", 28, 3)


@pytest.mark.parametrize("place", ["nowhere", "file"])
def test_no_folder(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"--dataset=folder:.*no "):
        pictures.describe_folder(str(tmp_path / place))


def test_files_are_read_ahead_to_the_same_batches(folder, monkeypatch):
    """What does not fit into memory: in turn, out of turn, and in a compiled loop."""
    whole, labels = pictures.load_folder(str(folder), "", 28, 3)
    monkeypatch.setattr(pictures, "IN_MEMORY", 1_000)
    files, _ = pictures.load_folder(str(folder), "", 28, 3)
    assert isinstance(files, pictures.Files)
    np.testing.assert_array_equal(files[np.array([3, 1])], whole[[3, 1]])
    seed = tf.constant([1, 2])
    options = {"batch_size": 5, "seed": seed, "draws": 2, "flip": True, "shift": 2}
    one = Examples(whole, labels, **options)
    other = Examples(files, labels, **options)

    @tf.function
    def several(examples_first):
        return tf.map_fn(
            lambda step: (
                other.batch(step)["samples"],
                other.batch(step, 1)["samples"],
            ),
            examples_first + tf.range(4),
            fn_output_signature=(tf.float32, tf.float32),
        )

    for first in (0, 4, 100, 2):  # on, far ahead, and back: as a resumed run begins
        for drawn, batches in enumerate(several(tf.constant(first))):
            for i, batch in enumerate(batches):
                expected = one.batch(tf.constant(first + i), drawn)["samples"]
                # Compiled and not, the last bits of a division may differ.
                levels = [np.rint((x.numpy() + 1.0) * 127.5) for x in (batch, expected)]
                np.testing.assert_array_equal(*levels)


def test_a_file_that_is_damaged_later_is_named(folder, monkeypatch):
    monkeypatch.setattr(pictures, "IN_MEMORY", 1_000)
    files, labels = pictures.load_folder(str(folder), "", 28, 3)
    damage(folder, "torn")
    examples = Examples(files, labels, 12, tf.constant([1, 2]))
    with pytest.raises(tf.errors.OpError):
        examples.batch(tf.constant(0))
    assert "0.png: cannot be read" in str(examples.unreadable)


def arrays(path, **held) -> str:
    np.savez_compressed(path, **held)
    return str(path)


def test_arrays_say_what_they_hold_and_are_resized(tmp_path):
    images = colours(6, 32, 40)
    place = arrays(tmp_path / "own.npz", images=images, labels=[0, 1, 2, 0, 1, 2])
    assert pictures.describe_arrays(place) == {
        "count": 6,
        "classes": 3,
        "image_size": 32,
        "channels": 3,
    }
    found, labels = pictures.load_arrays(place, "", 32, 3)
    np.testing.assert_array_equal(found, images[:, :, 4:36])
    np.testing.assert_array_equal(labels, [0, 1, 2, 0, 1, 2])
    floats = arrays(tmp_path / "floats.npz", images=images[:, :, :32, 0] / 255.0)
    assert pictures.describe_arrays(floats)["channels"] == 1
    found, labels = pictures.load_arrays(floats, "", 32, 1)
    np.testing.assert_array_equal(found, images[:, :, :32, :1])
    assert labels is None


IMAGES = np.zeros([4, 28, 28], np.uint8)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"x": IMAGES}, "holds x; it must hold images"),
        ({"images": np.zeros([4, 28, 28, 4])}, r"\[4, 28, 28, 4\]"),
        ({"images": np.zeros([0, 28, 28])}, r"\[0, 28, 28\]"),
        ({"images": IMAGES[:1]}, "one image"),
        ({"images": IMAGES.astype(str)}, "not numbers"),
        ({"images": IMAGES.astype(object)}, "not numbers"),
        ({"images": IMAGES, "labels": [0, 1, 2]}, "one whole number for each"),
        ({"images": IMAGES, "labels": [0.0, 1, 0, 1]}, "labels are float64"),
        ({"images": IMAGES, "labels": [0, -1, 0, 1]}, "from -1 to 1"),
        ({"images": IMAGES, "labels": [0, 3, 0, 1]}, "no image is of class 2"),
        ({"images": IMAGES, "labels": [0, 10**6, 0, 1]}, "from 0 to 1000000"),
    ],
)
def test_wrong_arrays_are_refused_by_one_line(tmp_path, held, words):
    with pytest.raises(UserError, match=words) as error:
        pictures.describe_arrays(arrays(tmp_path / "own.npz", **held))
    assert "own.npz" in str(error.value)
    assert "\n" not in str(error.value)


def test_values_out_of_range_are_refused_when_they_are_read(tmp_path):
    masks = arrays(tmp_path / "masks.npz", images=IMAGES + np.eye(28, dtype=np.uint8))
    with pytest.raises(UserError, match="from 0 to 1; give whole numbers from 0"):
        pictures.load_arrays(masks, "", 28, 1)
    place = arrays(tmp_path / "own.npz", images=IMAGES + 2.0)
    with pytest.raises(UserError, match=r"from 2 to 2; give floats from 0 to 1"):
        pictures.load_arrays(place, "", 28, 1)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_no_archive(tmp_path, content):
    path = tmp_path / "own.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"own\.npz"):
        pictures.describe_arrays(str(path))
