import os
import shutil
import struct
import warnings
import zlib

import imageio.v3 as imageio
import numpy as np
import pytest

from tfgan_mnist.data.images import list_pictures, read_images
from tfgan_mnist.system.errors import UserError


@pytest.fixture
def pixels():
    return np.random.default_rng(1).integers(0, 256, [12, 28, 28], np.uint8)


def test_pictures_and_arrays_are_the_same_images(pixels, tmp_path):
    folder = tmp_path / "digits" / "by" / "anyone"
    folder.mkdir(parents=True)
    for i, image in enumerate(pixels):
        imageio.imwrite(folder / f"{i:03d}.png", image)
    (folder / "notes.txt").write_text("no picture")
    np.save(tmp_path / "bytes.npy", pixels)
    np.save(tmp_path / "floats.npy", pixels[..., np.newaxis] / 255.0)
    expected = pixels[..., np.newaxis] / np.float32(255.0)
    for path in ("digits", "bytes.npy", "floats.npy"):
        found = read_images(tmp_path / path, "--images")
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-7)


def test_hidden_files_and_folders_are_passed_over(pixels, tmp_path):
    imageio.imwrite(tmp_path / "a.png", pixels[0])
    imageio.imwrite(tmp_path / "b.webp", pixels[1])
    (tmp_path / "._a.png").write_bytes(b"no picture")
    (tmp_path / ".trash").mkdir()
    (tmp_path / ".trash" / "c.png").write_bytes(b"no picture")
    assert len(read_images(tmp_path, "--images")) == 2
    assert list(list_pictures(tmp_path, "--images")) == ["a", "b"]


def test_coloured_pictures_are_made_grey(pixels, tmp_path):
    imageio.imwrite(tmp_path / "grey.png", np.stack([pixels[0]] * 3, axis=-1))
    found = read_images(tmp_path, "--images")
    np.testing.assert_allclose(found[0, ..., 0] * 255, pixels[0], atol=1.0)


def test_what_is_transparent_is_black(pixels, tmp_path):
    white = np.full([28, 28, 3], 255, np.uint8)
    alpha = pixels[0][..., np.newaxis]
    imageio.imwrite(tmp_path / "alpha.png", np.concatenate([white, alpha], axis=-1))
    found = read_images(tmp_path, "--images")
    np.testing.assert_allclose(found[0, ..., 0] * 255, pixels[0], atol=1.0)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full([4, 28, 28], 0.5) * 255, "floats from 0 to 1"),
        (np.linspace(-1, 1, 16).reshape(1, 4, 4), "from -1 to 1; give floats"),
        (np.full([4, 28, 28], np.nan), "values from nan to nan"),
        (np.full([4, 28, 28], 256), "whole numbers from 0 to 255"),
        (np.eye(28, dtype=np.uint8)[np.newaxis], "from 0 to 1; give whole numbers"),
        (np.zeros([200, 0, 5]), r"holds an array \[200, 0, 5, 1\]"),
        (np.zeros([4, 28, 28, 3]), r"holds an array \[4, 28, 28, 3\]"),
        (np.zeros([28, 28, 1, 1, 1]), "holds an array"),
        (np.zeros([4, 28, 28], complex), "holds complex128, not numbers"),
    ],
)
def test_other_arrays_are_refused(array, words, tmp_path):
    np.save(tmp_path / "some.npy", array)
    with pytest.raises(UserError, match=rf"some\.npy: .*{words}"):
        read_images(tmp_path / "some.npy", "--images")


def test_other_files_are_refused(pixels, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no pictures"):
        read_images(tmp_path / "empty", "--images")
    with pytest.raises(UserError, match="no such file or folder"):
        read_images(tmp_path / "missing", "--images")
    (tmp_path / "text.npy").write_text("words")
    with pytest.raises(UserError, match=r"text\.npy: is no array"):
        read_images(tmp_path / "text.npy", "--images")
    (tmp_path / "text.npy").write_bytes(b"")
    with pytest.raises(UserError, match=r"text\.npy: is no array"):
        read_images(tmp_path / "text.npy", "--images")
    with (tmp_path / "text.npy").open("wb") as file:
        np.savez(file, one=pixels)
    with pytest.raises(UserError, match="is an archive of arrays"):
        read_images(tmp_path / "text.npy", "--images")
    (tmp_path / "deep").mkdir()
    imageio.imwrite(tmp_path / "deep" / "deep.png", pixels[0].astype(np.uint16) * 257)
    with pytest.raises(UserError, match="more than 8 bits a pixel"):
        read_images(tmp_path / "deep", "--images")
    shutil.rmtree(tmp_path / "deep")
    imageio.imwrite(tmp_path / "one.png", pixels[0])
    with pytest.raises(UserError, match="give a folder of pictures"):
        read_images(tmp_path / "one.png", "--images")
    imageio.imwrite(tmp_path / "two.png", pixels[0][:20])
    with pytest.raises(UserError, match=r"two\.png has 20×28 pixels, others 28×28"):
        read_images(tmp_path, "--images")
    (tmp_path / "one.png").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"one\.png cannot be read"):
        read_images(tmp_path, "--images")


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("pipe", "is no ordinary file"),
        ("link", "is not there"),
        ("huge", "exceeds limit"),
    ],
)
def test_what_only_looks_like_a_picture_is_named(what, words, pixels, tmp_path):
    """At once, and in one line: a pipe would keep its reader waiting."""
    imageio.imwrite(tmp_path / "a.png", pixels[0])
    path = tmp_path / "b.png"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "link":
        path.symlink_to("nowhere")
    else:  # the size that the header says, not what follows it
        header = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
        content = (tmp_path / "a.png").read_bytes()
        check = struct.pack(">I", zlib.crc32(header))
        path.write_bytes(content[:12] + header + check + content[33:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserError, match=rf"b\.png cannot be read \(.*{words}"):
            read_images(tmp_path, "--images")
