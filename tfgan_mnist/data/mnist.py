"""MNIST (LeCun et al., 1998): all of it, or the 5,000 images that need no network."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from pathlib import Path

import numpy as np

from tfgan_mnist.system.errors import UserError, first_line

Arrays = tuple[np.ndarray, np.ndarray]


def mnist(data_dir: str = "", split: str = "train") -> Arrays:
    """The 60,000 training or 10,000 test images, through tensorflow-datasets.

    Downloads them on first use unless ``data_dir`` holds a prepared copy.

    Returns:
      images uint8 [count, 28, 28, 1] and labels int32 [count].

    Raises:
      UserError: if there is no copy and none can be downloaded, or it is damaged.
    """
    with _quiet_download():
        import tensorflow_datasets as tfds

        where = f"--data_dir={data_dir}" if data_dir else "--dataset=mnist"
        try:
            builder = tfds.builder("mnist", data_dir=data_dir or None)
            prepared = _is_prepared(builder, where)
        except UserError:
            raise
        except Exception as error:  # whatever a damaged copy makes of its reader
            raise UserError(_damaged(where, first_line(error))) from None
        if not prepared:
            _expect_network(builder)
            try:
                builder.download_and_prepare()
            except Exception as error:  # the network's, the disk's or the server's
                raise UserError(_unprepared(builder, first_line(error))) from None
        try:
            data = builder.as_dataset(split=split, batch_size=-1)
            images, labels = data["image"].numpy(), data["label"].numpy()
        except Exception as error:
            raise UserError(_damaged(where, first_line(error))) from None
    expected = builder.info.splits[split].num_examples
    if images.shape != (expected, 28, 28, 1):
        raise UserError(_damaged(where, f"{len(images)} of {expected} images"))
    return images, labels.astype(np.int32)


def mnist5k(data_dir: str = "") -> Arrays:
    """500 training images of each digit that are part of this package (see NOTICE).

    Args:
      data_dir: not needed.

    Returns:
      images uint8 [5000, 28, 28, 1] and labels int32 [5000], sorted by digit.
    """
    with np.load(Path(__file__).with_name("mnist5k.npz")) as file:
        return file["images"], file["labels"].astype(np.int32)


def _is_prepared(builder, where: str) -> bool:
    """Whether every file that the copy's own description names is there."""
    folder = Path(str(builder.data_dir))
    if not (folder / "dataset_info.json").is_file():
        return False
    missing = [
        Path(str(path)).name
        for split in builder.info.splits.values()
        for path in split.filepaths
        if not Path(str(path)).is_file()
    ]
    if missing:
        raise UserError(_damaged(where, f"{', '.join(missing)} is missing"))
    return True


def _expect_network(builder) -> None:
    """Raises at once where a download would only fail after minutes of retries."""
    if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"):
        return  # names are resolved by the proxy
    host = "storage.googleapis.com"
    try:
        socket.create_connection((host, 443), timeout=5).close()
    except OSError:
        raise UserError(_unprepared(builder, f"{host} cannot be reached")) from None


def _unprepared(builder, reason: str) -> str:
    where = Path(str(builder.data_dir)).parent.parent
    return (
        f"--dataset=mnist: not prepared in {where}, and no download ({reason}); give "
        "--data_dir=FOLDER with a prepared copy, or --dataset=mnist5k, which needs no "
        "network"
    )


def _damaged(where: str, reason: str) -> str:
    return (
        f"{where}: the prepared copy is damaged ({reason}); prepare it again, or use "
        "--dataset=mnist5k"
    )


@contextlib.contextmanager
def _quiet_download():
    """Keeps the download's progress bars, drops the log lines around them."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
