import numpy as np
import pytest

from tfgan_mnist.visual.montage import montage, to_bytes


def test_sheet_of_a_hundred_digits():
    images = np.zeros([100, 28, 28, 1])
    images[12] = 1.0  # second row, third column
    sheet = montage(images)
    assert sheet.shape == (291, 291)
    assert sheet.dtype == np.uint8
    lines = np.arange(0, 291, 29)
    assert (sheet[lines] == 128).all()
    assert (sheet[:, lines] == 128).all()
    assert (sheet[30:58, 59:87] == 255).all()
    assert (sheet == 255).sum() == 28 * 28


def test_empty_places_are_grey_and_columns_can_be_chosen():
    sheet = montage(np.ones([3, 2, 2, 1]), columns=2)
    assert sheet.shape == (7, 7)
    assert (sheet[4:6, 1:3] == 255).all()
    assert (sheet[4:6, 4:6] == 128).all()


def test_colours_keep_their_channels():
    images = np.zeros([1, 2, 2, 3])
    images[..., 1] = 1.0
    assert montage(images).shape == (4, 4, 3)
    assert montage(images)[1, 1].tolist() == [0, 255, 0]


def test_bytes_are_rounded_and_clipped():
    assert to_bytes(np.array([-0.1, 0.0, 0.5, 0.499, 1.0, 2.0])).tolist() == [
        0,
        0,
        128,
        127,
        255,
        255,
    ]


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="no montage of images of shape"):
        montage(np.zeros([0, 28, 28, 1]))
    with pytest.raises(ValueError, match="no montage of images of shape"):
        montage(np.zeros([28, 28]))
