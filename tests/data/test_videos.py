from importlib.util import find_spec

import imageio.v3 as imageio
import numpy as np
import pytest
from PIL import Image

from tfgan_mnist.data.videos import last_frames
from tfgan_mnist.system.errors import UserError


@pytest.fixture
def video():
    return np.random.default_rng(2).integers(0, 256, [4, 64, 64], np.uint8)


def test_a_video_in_every_form(video, tmp_path):
    (tmp_path / "folder").mkdir()
    for i, frame in enumerate(video):
        Image.fromarray(frame).save(tmp_path / "folder" / f"frame{8 + i}.png")
    imageio.imwrite(tmp_path / "video.gif", video, loop=0)
    np.save(tmp_path / "video.npy", video)
    for name, tolerance in (("folder", 0), ("video.npy", 0), ("video.gif", 8)):
        found = last_frames(tmp_path / name, "--images", 64, 3)
        assert found.shape == (3, 64, 64, 1)
        np.testing.assert_allclose(
            found[..., 0], video[1:] / 255, atol=tolerance / 255 + 1e-6
        )
    half = last_frames(tmp_path / "folder", "--images", 32, 3)
    assert half.shape == (3, 32, 32, 1)
    with pytest.raises(
        UserError, match="4 frames are too few; to predict the next takes 5"
    ):
        last_frames(tmp_path / "folder", "--images", 64, 5)
    (tmp_path / "broken.gif").write_bytes((tmp_path / "video.gif").read_bytes()[:9000])
    (tmp_path / "a.txt").write_text("no video")
    for name, words in (
        ("broken.gif", "broken.gif: cannot be read"),
        ("a.txt", "a.txt: give a folder"),
        ("a.gif", "no such file"),
    ):
        with pytest.raises(UserError, match=words):
            last_frames(tmp_path / name, "--images", 64, 3)


def test_an_encoded_video(tmp_path):
    pytest.importorskip("av")
    frames = np.zeros([6, 64, 64, 3], np.uint8)
    frames += np.arange(0, 240, 40, np.uint8)[:, np.newaxis, np.newaxis, np.newaxis]
    path = tmp_path / "video.mp4"
    imageio.imwrite(path, frames, plugin="pyav", codec="libx264", fps=5)
    found = last_frames(path, "--images", 64, 3)
    np.testing.assert_allclose(found * 255, frames[3:, ..., :1], atol=5)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match=r"video.mp4: cannot be read"):
        last_frames(path, "--images", 64, 3)


@pytest.mark.skipif(find_spec("av") is not None, reason="the package av is there")
def test_an_encoded_video_without_its_package(tmp_path):
    (tmp_path / "video.mp4").write_bytes(b"anything")
    with pytest.raises(UserError, match=r"video.mp4: a video needs the package av"):
        last_frames(tmp_path / "video.mp4", "--images", 64, 3)


def test_frames_become_grey_squares_of_the_size(tmp_path):
    """The middle of a wide red one: its luma, 76 of 255."""
    wide = np.zeros([10, 30, 3], np.uint8)
    wide[:, 10:20, 0] = 255
    Image.fromarray(wide).save(tmp_path / "1.png")
    (found,) = last_frames(tmp_path, "--images", 20, 1)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 5:15] * 255, 76, atol=0.5)


def test_only_the_last_pictures_of_a_folder_are_read(video, tmp_path):
    for name, frame in zip("abd", video, strict=False):
        Image.fromarray(frame).save(tmp_path / f"{name}.png")
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no picture either")
    found = last_frames(tmp_path, "--images", 64, 2)
    np.testing.assert_array_equal(np.rint(found[..., 0] * 255), video[1:3])
    with pytest.raises(UserError, match=r"a.png: cannot be read"):
        last_frames(tmp_path, "--images", 64, 3)


def test_an_array_has_the_size_already(video, tmp_path):
    np.save(tmp_path / "video.npy", video / 255.0)  # floats
    found = last_frames(tmp_path / "video.npy", "--images", 64, 4)
    np.testing.assert_allclose(found[..., 0], video / 255, atol=1e-6)
    words = r"^--x=.*video.npy: holds frames of 64×64 pixels; the model takes 32×32"
    with pytest.raises(UserError, match=words):
        last_frames(tmp_path / "video.npy", "--x", 32, 4)
    with pytest.raises(UserError, match=r"video.npy: 4 frames are too few"):
        last_frames(tmp_path / "video.npy", "--x", 64, 5)
