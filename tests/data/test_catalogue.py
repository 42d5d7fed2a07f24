"""Data sets of tensorflow-datasets: some that are written here, in its own format."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from tfgan_mnist.config import Config
from tfgan_mnist.data import catalogue
from tfgan_mnist.registry import describe
from tfgan_mnist.system.errors import UserError

COUNT = 30
LABELS = ["leaf", "stone", "wave"]


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, [COUNT, *shape], dtype=np.uint8)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> str:
    """A folder with colour pictures of three classes, of any size and of one; grey ones
    whose labels are no classes; and sounds."""
    folder = tmp_path_factory.mktemp("tensorflow_datasets")
    rows = [
        (i, {"image": image, "label": i % 3})
        for i, image in enumerate(pixels(40, 36, 3))
    ]
    for name, size in (("textures", (None, None)), ("tiles", (40, 36))):
        tfds.dataset_builders.store_as_tfds_dataset(
            name=name,
            version="1.0.0",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(*size, 3)),
                    "label": tfds.features.ClassLabel(names=LABELS),
                }
            ),
            split_datasets={"train": rows, "test": rows[:6]},
            data_dir=folder,
            disable_shuffling=True,
        )
    for name, kind, label in (
        ("named", str, tfds.features.Text()),
        ("numbered", int, tfds.features.Scalar(np.int64)),
    ):
        image = tfds.features.Image(shape=(28, 28, 1))
        features = {"image": image, "label": label}
        rows = [
            (i, {"image": image, "label": kind(i)})
            for i, image in enumerate(pixels(28, 28, 1))
        ]
        tfds.dataset_builders.store_as_tfds_dataset(
            name=name,
            version="1.0.0",
            features=tfds.features.FeaturesDict(features),
            split_datasets={"train": rows},
            data_dir=folder,
            disable_shuffling=True,
        )
    tfds.dataset_builders.store_as_tfds_dataset(
        name="sounds",
        version="1.0.0",
        features=tfds.features.FeaturesDict({"loudness": np.float32}),
        split_datasets={"train": [(0, {"loudness": np.float32(1.0)})]},
        data_dir=folder,
    )
    return str(folder)


def test_a_data_set_s_own_description_is_enough_for_the_flags(prepared):
    config = Config(
        dataset="textures",
        data_dir=prepared,
        networks="cdcgan_fast",
        batch_size=COUNT,
        epochs=4,
    )
    assert (config.data.count, config.data.channels) == (COUNT, 3)
    assert config.data.class_names == tuple(LABELS)
    assert (config.classes, config.image_shape, config.last_step) == (3, (32, 3), 4)
    with pytest.raises(UserError, match=f"textures has {COUNT} images"):
        Config(dataset="textures", data_dir=prepared, batch_size=COUNT + 1, steps=1)
    with pytest.raises(UserError, match="holds colour images, and --networks=mlp"):
        Config(dataset="textures", data_dir=prepared, networks="mlp", batch_size=2)


@pytest.mark.parametrize("name", ["textures", "tiles"])
def test_images_are_cropped_to_a_square_and_their_labels_kept(prepared, name):
    images, labels = catalogue.load(name, prepared, 36, 3)
    np.testing.assert_array_equal(images, pixels(40, 36, 3)[:, 2:38])
    np.testing.assert_array_equal(labels, np.arange(COUNT) % 3)
    small, _ = catalogue.load(name, prepared, 28, 1)
    assert (small.shape, small.dtype) == ((COUNT, 28, 28, 1), np.uint8)
    each = [tf.image.resize(x, [28, 28], antialias=True) for x in images]
    grey = [tf.image.rgb_to_grayscale(tf.round(x)) for x in each]
    assert abs(small - np.stack(grey)).max() <= 1.0
    images, labels = catalogue.load(name, prepared, 28, 1, "test")
    assert (images.shape, images.dtype) == ((6, 28, 28, 1), np.uint8)
    assert len(labels) == 6


def test_fewer_large_images_are_read_at_once():
    assert catalogue.rows_at_once((28, 28, 1)) == 1_000
    assert catalogue.rows_at_once((None, None, 3)) == 1_000  # each on its own
    assert catalogue.rows_at_once((1024, 1024, 3)) == 10
    assert catalogue.rows_at_once((9000, 9000, 3)) == 1


@pytest.mark.parametrize("in_order", [True, False])
def test_rows_of_several_files_come_in_their_reader_s_order(
    in_order, tmp_path, monkeypatch
):
    monkeypatch.setattr(catalogue, "rows_at_once", lambda shape: 7)
    images = np.random.default_rng(2).integers(0, 256, [90, 28, 28, 1], dtype=np.uint8)
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(28, 28, 1)),
            "label": tfds.features.ClassLabel(names=LABELS),
        }
    )
    rows = [(i, {"image": image, "label": i % 3}) for i, image in enumerate(images)]
    tfds.dataset_builders.store_as_tfds_dataset(
        name="sharded",
        version="1.0.0",
        features=features,
        split_datasets={"train": rows},
        data_dir=tmp_path,
        disable_shuffling=in_order,
        download_config=tfds.download.DownloadConfig(num_shards=3),
    )
    builder = tfds.builder("sharded", data_dir=tmp_path)
    assert len(builder.info.splits["train"].filepaths) == 3
    expected = list(tfds.as_numpy(builder.as_dataset(split="train")))
    found, labels = catalogue.load("sharded", str(tmp_path), 28, 1)
    np.testing.assert_array_equal(found, [row["image"] for row in expected])
    np.testing.assert_array_equal(labels, [row["label"] for row in expected])


@pytest.mark.parametrize("name", ["named", "numbered"])
def test_labels_that_are_no_classes_are_left_out(prepared, name):
    assert describe(name, prepared).classes == 0
    images, labels = catalogue.load(name, prepared, 28, 1)
    np.testing.assert_array_equal(images, pixels(28, 28, 1))
    assert labels is None


def test_what_does_not_fit_into_memory_is_refused(prepared, monkeypatch):
    monkeypatch.setattr(catalogue, "IN_MEMORY", 1_000)
    with pytest.raises(UserError, match=r"take 92,160 bytes.*smaller --image_size"):
        catalogue.load("textures", prepared, 32, 3)


def test_what_holds_no_images_is_refused(prepared):
    with pytest.raises(UserError, match="holds no 'image'"):
        describe("sounds", prepared)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mnits", "did you mean 'mnist'"),
        ("cifar01", "did you mean 'cifar10'"),
        ("emnist/leters", "emnist has no leters; did you mean 'letters'"),
    ],
)
def test_a_misspelt_name_is_answered(tmp_path, name, words):
    with pytest.raises(UserError, match=words):
        describe(name, str(tmp_path))


def test_what_is_still_to_be_downloaded_is_known_but_for_its_count(tmp_path):
    config = Config(dataset="cifar10", data_dir=str(tmp_path), epochs=3)
    assert (config.data.count, config.last_step) == (0, None)
    assert (config.data.classes, config.image_shape) == (10, (32, 3))
