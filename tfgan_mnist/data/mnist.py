"""MNIST (LeCun et al., 1998): all of it, or the 5,000 images that need no network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfgan_mnist.data import catalogue

Arrays = tuple[np.ndarray, np.ndarray]


def mnist(data_dir: str = "", split: str = "train") -> Arrays:
    """The 60,000 training or 10,000 test images, through tensorflow-datasets.

    Downloads them on first use unless ``data_dir`` holds a prepared copy.

    Returns:
      images uint8 [count, 28, 28, 1] and labels int32 [count].

    Raises:
      UserError: if there is no copy and none can be downloaded, or it is damaged.
    """
    return catalogue.load("mnist", data_dir, 28, 1, split)


def mnist5k(data_dir: str = "") -> Arrays:
    """500 training images of each digit that are part of this package (see NOTICE).

    Args:
      data_dir: not needed.

    Returns:
      images uint8 [5000, 28, 28, 1] and labels int32 [5000], sorted by digit.
    """
    with np.load(Path(__file__).with_name("mnist5k.npz")) as file:
        return file["images"], file["labels"].astype(np.int32)
