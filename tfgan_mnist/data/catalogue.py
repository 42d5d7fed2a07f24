"""Data sets of tensorflow-datasets: what they are, their download, their images."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfgan_mnist.data.pictures import IN_MEMORY, Facts
from tfgan_mnist.system import progress
from tfgan_mnist.system.errors import (
    UserError,
    first_line,
    is_out_of_memory,
    nearest,
)

if TYPE_CHECKING:  # loading TensorFlow takes seconds
    import tensorflow as tf

Arrays = tuple[np.ndarray, np.ndarray | None]
Rows = dict[str, Any]


def describe(name: str, data_dir: str = "", known: Sequence[str] = ()) -> Facts:
    """What a data set says of itself, without TensorFlow.

    Args:
      name: ``cifar10``, or with a configuration ``emnist/letters``.
      data_dir: where it is prepared, or will be.
      known: other names that may have been meant.

    Returns:
      facts, with ``count`` 0 where it is still to be downloaded.

    Raises:
      UserError: if there is none of this name, or it holds no images.
    """
    with _quiet():
        import tensorflow_datasets as tfds

        builder = _builder(name, data_dir, known)
        features = builder.info.features
    named = f"--dataset={name}"
    parts = dict(features.items()) if hasattr(features, "items") else {}
    image = parts.get("image")
    if not isinstance(image, tfds.features.Image):
        raise UserError(f"{named}: holds no 'image', and so cannot be imitated")
    *sides, channels = image.shape
    if channels not in (1, 3, None) or image.np_dtype != np.uint8:
        raise UserError(
            f"{named}: its images have {channels} channels of "
            f"{np.dtype(image.np_dtype)}; give a data set of 8-bit images with 1 or 3"
        )
    names = _class_names(parts)
    split = _training_split(builder)
    return {
        "count": builder.info.splits[split].num_examples if split else 0,
        "classes": len(names),
        "class_names": names,
        "image_size": min(side or 64 for side in sides),
        "channels": channels or 3,
    }


def prepare(name: str, data_dir: str = "") -> None:
    """Downloads a data set unless there is a copy.

    Raises:
      UserError: if it cannot be downloaded.
    """
    with _quiet():
        _prepared(name, data_dir)


def load(
    name: str, data_dir: str, size: int, channels: int, split: str = "train"
) -> Arrays:
    """The images of a split, cropped to a square and resized, and their labels.

    Args:
      name, data_dir: as for ``describe``.
      size, channels: what images are made to be.
      split: "train" is the only one there is, if it has another name.

    Returns:
      uint8 [count, size, size, channels], and int32 [count], or None where ``describe``
      tells of no classes.

    Raises:
      UserError: if they cannot be had, or need more memory than ``IN_MEMORY`` bytes.
    """
    import tensorflow as tf

    def fit(rows: Rows) -> Rows:
        """Of one row, or of many if all have images of one shape."""
        images = rows["image"]
        height, width = images.shape[-3:-1]
        if height is None or height != width:
            height, width = tf.unstack(tf.shape(images)[-3:-1])
            side = tf.minimum(height, width)
            top, left = (height - side) // 2, (width - side) // 2
            images = images[..., top : top + side, left : left + side, :]
        if tuple(images.shape[-3:-1]) != (size, size):
            images = tf.image.resize(images, [size, size], antialias=True)
            images = tf.cast(tf.round(images), tf.uint8)
        if images.shape[-1] != channels:
            change = tf.image.rgb_to_grayscale
            images = change(images) if channels == 1 else tf.repeat(images, 3, axis=-1)
        kept = {"image": tf.cast(images, tf.uint8)}
        return kept | ({"label": rows["label"]} if labelled else {})

    where = f"--data_dir={data_dir}" if data_dir else f"--dataset={name}"
    with _quiet():
        builder = _prepared(name, data_dir)
        labelled = bool(_class_names(dict(builder.info.features.items())))
        if split == "train":
            split = _training_split(builder)
        expected = builder.info.splits[split].num_examples
        needed = expected * size * size * channels
        if needed > IN_MEMORY:
            raise UserError(
                f"--dataset={name}: its {expected:,} images take {needed:,} bytes, "
                f"more than the {IN_MEMORY:,} that are kept in memory; give a smaller "
                "--image_size, or write them as a folder of pictures"
            )
        try:
            shape = builder.info.features["image"].shape
            at_once = rows_at_once(shape)
            parts = _parts(builder, split, fit, labelled, at_once)
            parts = parts.as_numpy_iterator()
            found = list(
                progress.bar(parts, "reading", -(-expected // at_once), leave=False)
            )
        except Exception as error:  # whatever a damaged copy makes of its reader
            if is_out_of_memory(error):
                raise
            # Without the name of TensorFlow's operation.
            reason = re.sub(r"\{\{.*?\}\} ", "", first_line(error))
            raise UserError(_damaged(where, reason)) from None
    count = sum(len(part["image"]) for part in found)
    if count != expected or not count:
        raise UserError(_damaged(where, f"{count} of {expected} images"))
    images = np.concatenate([part["image"] for part in found])
    if not labelled:
        return images, None
    labels = np.concatenate([part["label"] for part in found]).astype(np.int32)
    return images, labels


def rows_at_once(shape: Sequence[int | None]) -> int:
    """How many images of a shape are read at once: 1,000, or 32 million values."""
    known = [size or 1 for size in shape]  # of others each is read on its own
    return max(1, min(1_000, 2**25 // math.prod(known)))


def _parts(
    builder: Any,
    split: str,
    fit: Callable[[Rows], Rows],
    labelled: bool,
    at_once: int,
) -> tf.data.Dataset:
    """What ``fit`` makes of the rows of a split, ``at_once`` of them in each part.

    Images of one shape are parsed and decoded so many at once, in the order of
    ``as_dataset``, which has a graph run for each image and takes much longer.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    features, shards = builder.info.features, builder.info.splits[split].filepaths
    if not _of_records(builder) or None in features["image"].shape:
        once = tfds.ReadConfig(try_autocache=False)
        rows = builder.as_dataset(split=split, shuffle_files=False, read_config=once)
        return rows.map(fit, tf.data.AUTOTUNE).batch(at_once)
    names = ("image", "label") if labelled else ("image",)
    wanted = {name: features.tf_example_spec[name] for name in names}

    def decode(some: tf.Tensor) -> Rows:
        rows = tf.io.parse_example(some, wanted)
        rows = {name: features[name].decode_batch_example(rows[name]) for name in names}
        rows["image"] = tf.ensure_shape(rows["image"], [None, *features["image"].shape])
        return fit(rows)

    # Files side by side, so many at a time, as ReadConfig has it by default.
    paths = tf.data.Dataset.from_tensor_slices([str(path) for path in shards])
    records = paths.interleave(
        tf.data.TFRecordDataset,
        cycle_length=1 if builder.info.disable_shuffling else 16,
        block_length=16,
    )
    return records.batch(at_once).map(decode)


def has_split(name: str, data_dir: str, split: str) -> bool:
    """Whether a data set that is prepared has a split of this name."""
    with _quiet():
        return split in _builder(name, data_dir).info.splits


def _builder(name: str, data_dir: str, known: Sequence[str] = ()) -> Any:
    import tensorflow_datasets as tfds

    where = f"--data_dir={data_dir}" if data_dir else f"--dataset={name}"
    first = name.partition("/")[0].partition(":")[0]
    folder = Path(data_dir or tfds.core.constants.DATA_DIR).expanduser()
    if not first or not (folder / first).is_dir():
        registered = tfds.list_builders(with_community_datasets=False)
        if first not in registered:
            meant = nearest(first, {*known, *registered})
            if not meant.startswith("did you mean"):
                meant = nearest(first, known)
            raise UserError(
                f"--dataset={name}: neither one of this package, nor of "
                f"tensorflow-datasets, nor folder:PATH or PATH.npz; {meant}"
            )
        _, _, variant = name.partition("/")
        variants = tfds.builder_cls(first).builder_configs
        if variant and variants and variant.partition("/")[0] not in variants:
            raise UserError(
                f"--dataset={name}: {first} has no {variant}; "
                + nearest(variant, variants)
            )
    try:
        return tfds.builder(name, data_dir=data_dir or None)
    except Exception as error:  # whatever a damaged copy makes of its reader
        raise UserError(_damaged(where, first_line(error))) from None


def _class_names(features: Mapping[str, Any]) -> tuple[str, ...]:
    """Of the label; none if there is no label, one of another kind, or one class."""
    import tensorflow_datasets as tfds

    label = features.get("label")
    if not isinstance(label, tfds.features.ClassLabel) or (label.num_classes or 0) < 2:
        return ()
    return tuple(label.names)


def _training_split(builder: Any) -> str:
    """The split to learn from; empty if the data set is not prepared."""
    splits = list(builder.info.splits)
    return "train" if "train" in splits else next(iter(splits), "")


def _prepared(name: str, data_dir: str) -> Any:
    """The builder of a data set, which is downloaded if it is not there."""
    where = f"--data_dir={data_dir}" if data_dir else f"--dataset={name}"
    builder = _builder(name, data_dir)
    if _is_prepared(builder, where):
        return builder
    _expect_network(builder, name)
    try:
        builder.download_and_prepare()
    except Exception as error:  # the network's, the disk's or the server's
        anew = _builder(name, data_dir)
        if _is_prepared(anew, where):  # by another process, which was sooner
            return anew
        raise UserError(_unprepared(builder, name, first_line(error))) from None
    return builder


def _is_prepared(builder: Any, where: str) -> bool:
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
        first, more = missing[0], len(missing) - 1
        others = f", and {more:,} more" if more else ""
        raise UserError(_damaged(where, f"{first} is missing{others}"))
    if _of_records(builder):
        # It is never compressed, and TensorFlow would log more lines than one.
        for name, split in builder.info.splits.items():
            size = sum(Path(str(path)).stat().st_size for path in split.filepaths)
            if size < (least := int(split.num_bytes)):
                torn = f"{size:,} bytes of {name}, not {least:,} or more"
                raise UserError(_damaged(where, torn))
    return True


def _of_records(builder: Any) -> bool:
    """Whether its files are TFRecord's."""
    return str(getattr(builder.info.file_format, "value", "")) == "tfrecord"


def _expect_network(builder: Any, name: str) -> None:
    """Raises at once where a download would only fail after minutes of retries."""
    if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"):
        return  # names are resolved by the proxy
    host = "storage.googleapis.com"
    try:
        socket.create_connection((host, 443), timeout=5).close()
    except OSError:
        reason = f"{host} cannot be reached"
        raise UserError(_unprepared(builder, name, reason)) from None


def _unprepared(builder: Any, name: str, reason: str) -> str:
    where = Path(str(builder.data_dir))
    for _ in builder.info.full_name.split("/"):
        where = where.parent
    return (
        f"--dataset={name}: not prepared in {where}, and no download ({reason}); give "
        "--data_dir=FOLDER with a prepared copy, or --dataset=mnist5k, which needs no "
        "network"
    )


def _damaged(where: str, reason: str) -> str:
    return (
        f"{where}: the prepared copy is damaged ({reason}); prepare it again, or use "
        "--dataset=mnist5k"
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the download's progress bars, drops the log lines around them."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
