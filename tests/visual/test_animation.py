import imageio.v3 as imageio
import numpy as np
import pytest
from PIL import Image

from tfgan_mnist.visual.animation import Animation, gif


def test_frames_rate_and_held_last_frame(tmp_path):
    frames = [np.full([20, 30], level, np.uint8) for level in (0, 100, 255)]
    (tmp_path / "a.gif").write_bytes(gif(frames))
    with Image.open(tmp_path / "a.gif") as image:
        durations = []
        for i in range(image.n_frames):
            image.seek(i)
            durations.append(image.info["duration"])
        assert image.info["loop"] == 0
    assert durations == [200, 200, 2000]
    found = imageio.imread(tmp_path / "a.gif", index=None, mode="L")
    np.testing.assert_array_equal(found, np.stack(frames))


def test_enlarged_frames():
    frame = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    found = imageio.imread(gif([frame], scale=3), index=0, mode="L")
    np.testing.assert_array_equal(found, np.kron(frame, np.ones([3, 3], np.uint8)))


def test_one_frame_is_enough_and_none_is_not():
    assert gif([np.zeros([4, 4], np.uint8)]).startswith(b"GIF89a")
    with pytest.raises(ValueError, match="no frames"):
        gif([])


def test_an_animation_says_how_long_it_is_and_is_shown_at_its_rate(tmp_path):
    frames = np.arange(10, dtype=np.uint8)[:, None, None] * np.ones([8, 8], np.uint8)
    animation = Animation(frames, frames_per_second=20)
    assert repr(animation) == "<Animation: 10 frames, 0.5 s>"
    animation.save(tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.n_frames, image.info["duration"]) == (10, 50)
    assert animation._repr_html_().startswith('<img src="data:image/gif;base64,')
