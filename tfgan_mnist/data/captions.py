"""Captions of digits, made of what is measured in them: "a bold seven leaning right".

The measurements are those of Morpho-MNIST (Castro et al., 2019, arXiv:1809.10780,
section 3), of many images at once. Each property is left out at random, whatever its
level, so that a caption without it is of all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from tfgan_mnist.data.examples import Examples
from tfgan_mnist.data.grammar import (
    ANY_DIGIT,
    ARTICLES,
    DIGITS,
    LETTERS,
    MOST_WORDS,
    PROPERTIES,
    WORDS,
)
from tfgan_mnist.data.pairs import thickness
from tfgan_mnist.system.seeds import fold_in

DISCARDED = 0.02  # of the ink, half at either end of a width or height
_BINS = 8  # of a pixel, along the width
_CHUNK = 5_000  # images that are measured at once


def measure(images: np.ndarray) -> dict[str, np.ndarray]:
    """Thickness, slant, width and height of the strokes in images.

    Slant is the angle from the vertical by which the digit is sheared, from its second
    moments. Width and height are those of the parallelogram of that slant which holds
    the ink but for ``DISCARDED``. Thickness is ``pairs.thickness``, for the paper's
    mean distance along the skeleton, which takes a thousand times as long.

    Args:
      images: [n, height, width, 1], of bytes or in [0, 1], strokes bright.

    Returns:
      float [n] by name: pixels, and degrees of slant, above 0 to the right. Without ink
      all are 0.
    """
    chunks = np.split(images, range(_CHUNK, len(images), _CHUNK))
    parts = [_measure(chunk) for chunk in chunks]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _measure(images: np.ndarray) -> dict[str, np.ndarray]:
    scale = np.float32(255.0 if images.dtype == np.uint8 else 1.0)
    ink = images / scale
    thick = thickness(tf.constant(ink)).numpy()
    ink = ink[..., 0]
    count, height, width = ink.shape
    total = np.maximum(ink.sum(axis=(1, 2)), 1e-6)
    rows, columns = ink.sum(axis=2), ink.sum(axis=1)
    down, right = (
        np.arange(size, dtype=np.float32) - (mass @ np.arange(size) / total)[:, None]
        for size, mass in ((height, rows), (width, columns))
    )  # [count, size], from the centre of mass
    products = np.einsum("nhw,nh,nw->n", ink, down, right)
    shear = products / np.maximum((rows * down**2).sum(axis=1), 1e-6)
    # Every pixel's left edge, as its row is moved back; its ink is spread over a pixel.
    left = right[:, np.newaxis] - (shear[:, np.newaxis] * down)[..., np.newaxis]
    reach = 2 * width * _BINS  # of what stays, to either side
    bins = np.clip(np.floor(left * _BINS).astype(int) + reach, 0, 2 * reach - _BINS)
    bins += 2 * reach * np.arange(count)[:, np.newaxis, np.newaxis]
    mass = np.bincount(bins.ravel(), ink.ravel(), minlength=2 * reach * count)
    mass = np.cumsum(mass.reshape(count, -1), axis=1)
    mass[:, _BINS:] -= mass[:, :-_BINS].copy()
    return {
        "thickness": thick,
        "slant": np.degrees(np.arctan(-shear)),
        "width": _extent(mass) / _BINS,
        "height": _extent(rows),
    }


def _extent(mass: np.ndarray) -> np.ndarray:
    """The length [n] that holds a mass [n, bins] but for ``DISCARDED``, in bins."""
    below = np.pad(np.cumsum(mass, axis=1), [(0, 0), (1, 0)])
    below /= np.maximum(below[:, -1:], 1e-6)
    ends = []
    for share in (DISCARDED / 2, 1.0 - DISCARDED / 2):
        after = np.maximum(np.argmax(below >= share, axis=1), 1)
        one, two = (
            np.take_along_axis(below, i[:, np.newaxis], axis=1)[:, 0]
            for i in (after - 1, after)
        )
        ends.append(after - 1 + (share - one) / np.maximum(two - one, 1e-6))
    empty = below[:, -1] == 0.0
    return np.where(empty, 0.0, ends[1] - ends[0])


THICKNESS = (2.3, 2.9)  # pixels: thin below, bold from there on
SLANT = (-8.0, 8.0)  # degrees: to the left below, to the right from there on
HEIGHT = (18.5,)  # pixels: short below; most digits of MNIST are 20 high
WIDTH = (
    (14.7, 17.3),
    (4.0, 4.9),
    (14.8, 17.4),
    (12.3, 14.5),
    (12.7, 15.3),
    (12.9, 14.9),
    (11.8, 14.4),
    (12.6, 15.1),
    (11.1, 13.2),
    (11.2, 13.2),
)
"""Pixels, for each digit, that a third of MNIST's are narrower or wider than: a narrow
zero is wider than a wide one."""

FACETS = ("digit", *PROPERTIES)
"""What a caption can say of a digit, in the order of the columns of levels."""


def levels(measured: Mapping[str, np.ndarray], digits: np.ndarray) -> np.ndarray:
    """The digit and the level of each property, int32 [n, facets], from 0.

    Args:
      measured: as ``measure`` gives it.
      digits: int [n].
    """
    limits = {"thickness": THICKNESS, "slant": SLANT, "height": HEIGHT}
    columns = [np.asarray(digits)]
    for name in PROPERTIES:
        ends = np.array(limits[name]) if name in limits else np.array(WIDTH)[digits]
        columns.append(np.sum(measured[name][:, np.newaxis] >= ends, axis=1))
    return np.stack(columns, axis=1).astype(np.int32)


HELD_OUT = {"digit": "seven", "thickness": "bold", "slant": "left"}
"""The combination that no training image has, to be asked of the trained model."""


def held_out(some: np.ndarray) -> np.ndarray:
    """Which rows [n] of levels [n, facets] are of ``HELD_OUT``."""
    names = {"digit": DIGITS} | {n: tuple(x) for n, x in PROPERTIES.items()}
    return np.all(
        [
            some[:, FACETS.index(facet)] == names[facet].index(level)
            for facet, level in HELD_OUT.items()
        ],
        axis=0,
    )


def vectorizer() -> keras.layers.TextVectorization:
    """Sentences string [n] → the numbers of their words, int64 [n, MOST_WORDS + 1].

    0 fills up, 1 is an unknown word; those of ``WORDS`` follow. The last number is 0
    unless there are more words than ``MOST_WORDS``.
    """
    return keras.layers.TextVectorization(
        standardize=_standardized,
        output_sequence_length=MOST_WORDS + 1,
        vocabulary=list(WORDS),
    )


def _standardized(sentences: tf.Tensor) -> tf.Tensor:
    """Sentences with spaces between words, as ``grammar.split`` has them."""
    lower = tf.strings.lower(sentences)
    return tf.strings.strip(tf.strings.regex_replace(lower, f"[^{LETTERS}]+", " "))


SAID = 0.4  # the probability of a property
DIGIT_SAID = 0.9


def say(some: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Sentences of levels, with what is said, how and in which order by chance.

    Args:
      some: int32 [n, facets].
      seed: int32 [2].

    Returns:
      string [n], and bool [n, facets]: what each says.
    """
    count = tf.shape(some)[0]

    def uniform(number: int, *columns: int) -> tf.Tensor:
        shape, own = [count, *columns], fold_in(seed, number)
        return tf.random.stateless_uniform(shape, own, alg="philox")

    def pick(number: int, texts: tuple[str, ...]) -> tf.Tensor:
        place = tf.cast(uniform(number) * len(texts), tf.int32)
        return tf.gather(tf.constant(texts), place)

    said = uniform(0, len(FACETS)) < [DIGIT_SAID, *[SAID] * len(PROPERTIES)]
    digit = some[:, 0]
    names = tf.where(
        uniform(1) < 0.5, tf.gather(tf.constant(DIGITS), digit), tf.as_string(digit)
    )
    sentence = tf.where(said[:, 0], names, pick(2, ANY_DIGIT))
    # Each row's properties in an order of its own; what is not said changes nothing.
    order = tf.argsort(uniform(3, len(PROPERTIES)), axis=1)
    wording = tf.cast(uniform(4, len(PROPERTIES)) * _MANY, tf.int32)
    for i in range(len(PROPERTIES)):
        facet = 1 + order[:, i : i + 1]
        level, is_said, number = (
            tf.gather(x, facet - shift, axis=1, batch_dims=1)[:, 0]
            for x, shift in ((some, 0), (said, 0), (wording, 1))
        )
        place = tf.stack([order[:, i], level, number], axis=1)
        before, after = (tf.gather_nd(table, place) for table in _TABLES)
        longer = tf.strings.join([before, sentence, after])
        sentence = tf.where(is_said, longer, sentence)
    sentence = tf.strings.join([pick(5, ARTICLES), sentence], " ")
    sentence = tf.strings.regex_replace(sentence, "^a ([eu8])", r"an \1")
    return tf.strings.strip(sentence), said


_MANY = math.lcm(*(len(w) for p in PROPERTIES.values() for w in p.values()))


def _tables() -> tuple[np.ndarray, np.ndarray]:
    """What stands before and after ``~``: [properties, levels, ``_MANY``] each, the
    wordings of a level one after the other again and again."""
    shape = len(PROPERTIES), max(map(len, PROPERTIES.values())), _MANY
    tables = np.full(shape, "", object), np.full(shape, "", object)
    for i, some in enumerate(PROPERTIES.values()):
        for j, wordings in enumerate(some.values()):
            for k in range(_MANY):
                parts = wordings[k % len(wordings)].split("~")
                for table, part in zip(tables, parts, strict=True):
                    table[i, j, k] = part
    return tables


_TABLES = _tables()


def wrong_for(some: tf.Tensor, said: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Whose caption in a batch is wrong for each image, int32 [n].

    Of those that say something false of it, one that says the least of it: a caption
    that is nearly right teaches most. Ties are broken by chance. If nothing false is
    said of an image, it is any other's.

    Args:
      some: int32 [n, facets], levels.
      said: bool [n, facets], what each caption says.
      seed: int32 [2].
    """
    other = some[:, tf.newaxis] != some[tf.newaxis]  # [image, caption, facet]
    false = tf.reduce_sum(tf.cast(other & said[tf.newaxis], tf.float32), axis=2)
    chance = tf.random.stateless_uniform(tf.shape(false), seed, alg="philox")
    last = tf.where(tf.eye(tf.shape(some)[0], dtype=tf.bool), 2e3, 1e3)
    return tf.argmin(tf.where(false > 0.0, false, last) + chance, 1, tf.int32)


class Captioned:
    """Batches with captions, which are functions of the step and the draw.

    Args:
      examples: batches of images whose labels are levels [n, facets].
      vectorize: as ``vectorizer`` makes it.
      seed: int32 [2], of what captions say.
    """

    def __init__(
        self,
        examples: Examples,
        vectorize: keras.layers.TextVectorization,
        seed: tf.Tensor,
    ):
        self.examples = examples
        self.vectorize = vectorize
        self.seed = seed

    def batch(self, step: tf.Tensor, draw: int = 0) -> Mapping[str, tf.Tensor]:
        """samples, labels, and as ``vectorizer`` makes them captions, wrong_captions.

        Args:
          step: scalar int, steps made before.
          draw: from 0, within the step.
        """
        batch = self.examples.batch(step, draw)
        some, seed = batch["labels"], fold_in(self.seed, tf.cast(step, tf.int32))
        seed = fold_in(seed, draw)
        sentences, said = say(some, fold_in(seed, 0))
        captions = self.vectorize(sentences)
        captions = tf.ensure_shape(captions, [some.shape[0], MOST_WORDS + 1])
        return {
            "samples": batch["samples"],
            "labels": some[:, 0],
            "captions": captions,
            "wrong_captions": tf.gather(captions, wrong_for(some, said, seed)),
        }
