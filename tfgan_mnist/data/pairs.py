"""Pairs of images to learn a translation from, made from any images as they are needed.

A task is a function from images to (sources, targets), made anew in each step from a
seed: a digit has another hole, another texture, another enlargement each time.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from tfgan_mnist.data.examples import Examples
from tfgan_mnist.data.pictures import Files
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.seeds import fold_in

Task = Callable[[tf.Tensor, tf.Tensor | None, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
"""(images [n, height, width, 1] in [-1, 1], labels int32 [n] or None, seed int32 [2])
→ sources and targets [n, height, width, channels] in [-1, 1]."""


def split(
    images: np.ndarray | Files, labels: np.ndarray | None, held_out: int
) -> tuple[tuple, tuple]:
    """What is trained on, and what is held out: images and labels each.

    So a run's pictures and metrics are of images that it has not seen, and a data set's
    own test images are left for the end. Those held out are evenly spaced, so that they
    are of every class where images are sorted, and then shuffled.
    """
    some = np.linspace(0, len(images) - 1, held_out, dtype=int)
    some = np.random.default_rng(0).permutation(some)
    rest = np.delete(np.arange(len(images)), some)

    trained = _part(images, labels, rest)
    return trained, (images[some], None if labels is None else labels[some])


def _part(
    images: np.ndarray | Files, labels: np.ndarray | None, some: np.ndarray
) -> tuple:
    """Some of the images, by their indices, and their labels; files are not read."""
    found = images.part(some) if isinstance(images, Files) else images[some]
    return found, None if labels is None else labels[some]


class Pairs:
    """Batches of a paired task, which are functions of the step and the draw.

    Args:
      examples: batches of the images that pairs are made from.
      task: makes them.
      seed: int32 [2], of what is random in the task.
    """

    def __init__(self, examples: Examples, task: Task, seed: tf.Tensor):
        self.examples = examples
        self.task = task
        self.seed = seed

    @property
    def unreadable(self) -> UserError | None:
        """As of ``Examples``."""
        return self.examples.unreadable

    def batch(self, step: tf.Tensor, draw: int = 0) -> Mapping[str, tf.Tensor]:
        """sources and samples (targets) [batch, height, width, channels] in [-1, 1].

        Args:
          step: scalar int, steps made before.
          draw: from 0, within the step.
        """
        batch = self.examples.batch(step, draw)
        seed = fold_in(fold_in(self.seed, tf.cast(step, tf.int32)), draw)
        return make_pairs(self.task, batch["samples"], batch.get("labels"), seed)


def make_pairs(
    task: Task, images: tf.Tensor, labels: tf.Tensor | None, seed: tf.Tensor
) -> dict[str, tf.Tensor]:
    """A task's ``sources`` and ``samples``, the targets, from images in [-1, 1]."""
    sources, targets = task(images, labels, seed)
    return {"sources": sources, "samples": targets}


class Unpaired:
    """Batches of two kinds of images that do not belong together.

    Args:
      sources, samples: batches of either kind.
    """

    def __init__(self, sources: Examples, samples: Examples):
        self.sources = sources
        self.samples = samples

    @property
    def unreadable(self) -> UserError | None:
        """As of ``Examples``."""
        return self.sources.unreadable or self.samples.unreadable

    def batch(self, step: tf.Tensor, draw: int = 0) -> Mapping[str, tf.Tensor]:
        """sources and samples [batch, height, width, channels] in [-1, 1]."""
        return {
            "sources": self.sources.batch(step, draw)["samples"],
            "samples": self.samples.batch(step, draw)["samples"],
        }


def thin_and_thick(images: np.ndarray | Files, labels: np.ndarray | None) -> tuple:
    """The half of the images with the thinner strokes, and the half with the thicker.

    Args:
      images: uint8 [count, height, width, 1].
      labels: int [count], or None.
    """
    chunks = np.split(np.arange(len(images)), range(5000, len(images), 5000))
    measured = np.concatenate(
        [
            thickness(tf.cast(images[chunk], tf.float32) / 255.0).numpy()
            for chunk in chunks
        ]
    )
    thin = measured < np.median(measured)
    return tuple(_part(images, labels, np.flatnonzero(some)) for some in (thin, ~thin))


def uci_and_others(images: np.ndarray, labels: np.ndarray | None) -> tuple:
    """scikit-learn's 1,797 digits of 8×8 pixels, by others, and the images given.

    They are enlarged (bicubic) to 20 of 28 pixels, as digits are in MNIST.
    """
    from sklearn.datasets import load_digits

    size = images.shape[1]
    inner = round(size * 20 / 28)
    digits = load_digits()
    small = tf.constant(digits.images[..., np.newaxis] / 16.0, tf.float32)
    large = tf.clip_by_value(tf.image.resize(small, [inner, inner], "bicubic"), 0, 1)
    before = (size - inner) // 2
    large = tf.image.pad_to_bounding_box(large, before, before, size, size)
    found = tf.cast(tf.round(large * 255.0), tf.uint8).numpy()
    return (found, digits.target.astype(np.int32)), (images, labels)


def halves(images, labels, seed):
    """A pair of one's own, which lies in one image's depth → its two images."""
    return tf.split(images, 2, axis=-1)


def two_kinds(sources: np.ndarray, samples: np.ndarray) -> tuple:
    """One's own images of two kinds, in place of images and labels."""
    return (sources, None), (samples, None)


def _uniform(shape: list, seed: tf.Tensor, low: float = 0.0, high: float = 1.0):
    return tf.random.stateless_uniform(shape, seed, low, high, alg="philox")


def _ink(images: tf.Tensor) -> tf.Tensor:
    """[-1, 1] → [0, 1]."""
    return images * 0.5 + 0.5


def thickness(ink: tf.Tensor) -> tf.Tensor:
    """The mean thickness in pixels of the strokes in images.

    Twice the area over the length of the edge, which is the mean of the gradient's
    magnitude: a bar's width, if it is much longer than wide.

    Args:
      ink: [n, height, width, 1] in [0, 1], strokes bright.

    Returns:
      float32 [n]; 0 where there is no ink.
    """
    padded = tf.pad(ink, [[0, 0], [1, 1], [1, 1], [0, 0]])
    dx = 0.5 * (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2])
    dy = 0.5 * (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1])
    edge = tf.reduce_sum(tf.sqrt(tf.square(dx) + tf.square(dy) + 1e-12), [1, 2, 3])
    return 2.0 * tf.reduce_sum(ink, [1, 2, 3]) / tf.maximum(edge, 1.0)


THINNEST, THICKEST = 1.5, 4.0  # strokes whose colours are the palest and the fullest


def colour(images, labels, seed):
    """A grey digit → the same in its colour.

    The hue follows from the class, ten of them around the circle; the saturation from
    the stroke, 0.4 where it is thin and 1 where it is thick.
    """
    ink = _ink(images)
    share = (thickness(ink) - THINNEST) / (THICKEST - THINNEST)
    saturation = 0.4 + 0.6 * tf.clip_by_value(share, 0.0, 1.0)
    hue = tf.cast(labels, tf.float32) / 10.0
    hsv = tf.stack([hue, saturation, tf.ones_like(hue)], axis=-1)
    rgb = tf.image.hsv_to_rgb(hsv)[:, tf.newaxis, tf.newaxis, :]
    return images, ink * rgb * 2.0 - 1.0


FACTORS = (2, 4)


def superres(images, labels, seed):
    """A digit of half or a quarter of the size, enlarged again → the digit.

    Each row is of one of both sizes, as its seed has it.
    """
    fine, coarse = (reduced(images, factor) for factor in FACTORS)
    chosen = _uniform([tf.shape(images)[0], 1, 1, 1], seed) < 0.5
    return tf.where(chosen, fine, coarse), images


def reduced(images: tf.Tensor, factor: int) -> tf.Tensor:
    """Images in which squares of ``factor`` pixels became one, the mean, and were
    enlarged again (bilinear), as any picture is that a model is given."""
    means = tf.nn.avg_pool2d(images, factor, factor, "VALID")
    return tf.image.resize(means, images.shape[1:3])


HOLE = (1.0, -1.0, -1.0)  # red: no grey digit has it
SQUARE = 12 / 28  # of the height
STROKE = 5 / 28


def inpaint(images, labels, seed):
    """A digit with a red hole, a square or a straight stroke → the digit."""
    hole = holes(tf.shape(images)[0], images.shape[1:3], seed)
    grey = tf.repeat(images, 3 // images.shape[-1], axis=-1)
    return tf.where(hole, tf.constant(HOLE), grey), images


def holes(count: int, size: tuple[int, int], seed: tf.Tensor) -> tf.Tensor:
    """bool [count, height, width, 1]: half squares, half strokes, near the middle."""
    height, width = size
    y = (tf.range(height, dtype=tf.float32) + 0.5)[tf.newaxis, :, tf.newaxis]
    x = (tf.range(width, dtype=tf.float32) + 0.5)[tf.newaxis, tf.newaxis, :]
    random = _uniform([4, count, 1, 1], seed)
    middle_y = height * (0.3 + 0.4 * random[0])
    middle_x = width * (0.3 + 0.4 * random[1])
    half = 0.5 * SQUARE * height
    square = (tf.abs(y - middle_y) < half) & (tf.abs(x - middle_x) < half)
    angle = math.pi * random[2]
    across = (x - middle_x) * tf.sin(angle) - (y - middle_y) * tf.cos(angle)
    stroke = tf.abs(across) < 0.5 * STROKE * height
    return tf.where(random[3] < 0.5, square, stroke)[..., tf.newaxis]


BRIGHTEST = 0.7  # of a texture, so that a white digit stands out


def textures(count: int, size: tuple[int, int], seed: tf.Tensor) -> tf.Tensor:
    """Grey textures [count, height, width, 1] from 0 to ``BRIGHTEST``.

    Stripes of any direction and of 3 to 8 pixels, in patches of any brightness.
    """
    height, width = size
    y = tf.range(height, dtype=tf.float32)[tf.newaxis, :, tf.newaxis, tf.newaxis]
    x = tf.range(width, dtype=tf.float32)[tf.newaxis, tf.newaxis, :, tf.newaxis]
    random = _uniform([3, count, 1, 1, 1], fold_in(seed, 0))
    angle, phase = math.pi * random[0], 2.0 * math.pi * random[1]
    period = 3.0 + 5.0 * random[2]
    along = x * tf.cos(angle) + y * tf.sin(angle)
    stripes = 0.5 + 0.5 * tf.sin(2.0 * math.pi * along / period + phase)
    coarse = _uniform([count, 5, 5, 1], fold_in(seed, 1))
    patches = tf.image.resize(coarse, [height, width], "bicubic")
    return BRIGHTEST * tf.clip_by_value(patches * (0.4 + 0.6 * stripes), 0.0, 1.0)


def _over_texture(images, seed):
    """Ink [0, 1], textures, and the digit before its texture, in [-1, 1]."""
    ink = _ink(images)
    texture = textures(tf.shape(images)[0], images.shape[1:3], seed)
    return ink, texture, _over(ink, texture)


def _over(ink: tf.Tensor, background: tf.Tensor) -> tf.Tensor:
    return (ink + (1.0 - ink) * background) * 2.0 - 1.0


def background_removal(images, labels, seed):
    """A digit before a texture → the digit alone."""
    _, _, source = _over_texture(images, seed)
    return source, images


def background_blur(images, labels, seed):
    """A digit before a texture → the digit as sharp, the texture blurred."""
    ink, texture, source = _over_texture(images, seed)
    return source, _over(ink, blurred(texture))


FONTS = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-Oblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-BoldItalic")),
    *(f"STIXGeneral{style}" for style in ("", "Italic", "BolIta")),
    *("cmb10", "cmr10", "cmti10", "cmtt10"),
)
"""Of those inside matplotlib; scripts/experiments/translations.py asks for others."""


def fonts(images, labels, seed):
    """A printed digit, in one of ``FONTS``, → handwriting of the same class."""
    return printed(labels, FONTS, images.shape[1], seed), images


def printed(labels: tf.Tensor, names: tuple[str, ...], size: int, seed: tf.Tensor):
    """Digits [n, size, size, 1] in [-1, 1], bright on black, in fonts by chance."""
    known = tf.constant(np.stack([glyphs(name, size) for name in names]))
    shape = [tf.shape(labels)[0]]
    chosen = tf.random.stateless_uniform(
        shape, seed, 0, len(names), tf.int32, alg="philox"
    )
    return tf.gather_nd(known, tf.stack([chosen, labels], axis=1))


@functools.cache
def glyphs(name: str, size: int) -> np.ndarray:
    """The ten digits of a font inside matplotlib, 20 of 28 pixels high.

    Returns:
      float32 [10, size, size, 1] in [-1, 1].
    """
    import matplotlib

    path = matplotlib.get_data_path() + f"/fonts/ttf/{name}.ttf"
    found = np.full([10, size, size, 1], -1.0, np.float32)
    for digit in range(10):
        text, large = str(digit), ImageFont.truetype(path, 8 * size)
        left, top, right, bottom = large.getbbox(text)
        canvas = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(canvas).text((-left, -top), text, fill=255, font=large)
        inner = round(size * 20 / 28)
        scale = inner / max(canvas.size)
        sides = [max(1, round(scale * side)) for side in canvas.size]
        small = canvas.resize(sides, Image.Resampling.BOX)
        x, y = ((size - side) // 2 for side in small.size)
        ink = np.asarray(small, np.float32) / 127.5 - 1.0
        found[digit, y : y + small.height, x : x + small.width, 0] = ink
    return found


HISTORY = 3  # frames that the next one is told from


def frames(images, labels, seed):
    """The last three frames of two moving digits → the next."""
    video = moving_digits(images, HISTORY + 1, seed) * 2.0 - 1.0
    return tf.concat(tf.unstack(video[:HISTORY]), axis=-1), video[HISTORY]


def moving_digits(images: tf.Tensor, count: int, seed: tf.Tensor) -> tf.Tensor:
    """Two digits that move at even speeds, and bounce off the edges.

    Srivastava et al., 2015 (arXiv:1502.04681, section 4.1): digits of 28 pixels move in
    64; smaller ones in as much less.

    Args:
      images: [n, side, side, 1] in [-1, 1]; each meets the one before it.
      count: frames.
      seed: int32 [2].

    Returns:
      [count, n, size, size, 1] in [0, 1], of 64 / 28 of the side.
    """
    number, side = tf.shape(images)[0], images.shape[1]
    size = math.ceil(side * 64 / 28)
    digits = _ink(images)[..., 0]
    both = tf.stack([digits, tf.roll(digits, 1, axis=0)])
    shape = [2, 2, number]  # digit, axis
    room = float(size - side)
    start = room * _uniform(shape, fold_in(seed, 0))
    angle = 2.0 * math.pi * _uniform([2, number], fold_in(seed, 1))
    speed = size / 64 * _uniform([2, number], fold_in(seed, 2), 2.0, 5.0)
    velocity = tf.stack([speed * tf.sin(angle), speed * tf.cos(angle)], axis=1)
    found = []
    for time in range(count):
        place = tf.math.floormod(start + time * velocity, 2.0 * room)
        place = tf.cast(tf.round(room - tf.abs(place - room)), tf.int32)
        covered = place[..., tf.newaxis] + tf.range(side)
        rows, columns = tf.unstack(tf.one_hot(covered, size), axis=1)
        frame = tf.einsum("dnhr,dnhw,dnwc->dnrc", rows, both, columns)
        found.append(tf.minimum(tf.reduce_max(frame, axis=0), 1.0)[..., tf.newaxis])
    return tf.stack(found)


def brightest(images):
    """The digit in a picture on black, coloured or not: each pixel's largest channel.

    Args:
      images: [n, height, width, channels] in [0, 1].

    Returns:
      [n, height, width, 1].
    """
    return np.max(images, axis=-1, keepdims=True)


def brighter_than_textures(images):
    """The digit before a texture: what is brighter than any of it is."""
    return np.clip((images - BRIGHTEST) / (1.0 - BRIGHTEST), 0.0, 1.0)


def blurred(images: tf.Tensor, std: float = 2.5) -> tf.Tensor:
    """Images [n, height, width, 1] under a Gaussian filter, edges repeated."""
    reach = math.ceil(3.0 * std)
    line = np.exp(-0.5 * (np.arange(-reach, reach + 1) / std) ** 2)
    line = (line / line.sum()).astype(np.float32)
    for axis in (1, 2):
        shape = [1, 1, 1, 1]
        shape[axis - 1] = len(line)
        begin = tf.gather(images, [0], axis=axis)
        end = tf.gather(images, [images.shape[axis] - 1], axis=axis)
        images = tf.concat(
            [tf.repeat(begin, reach, axis), images, tf.repeat(end, reach, axis)], axis
        )
        images = tf.nn.conv2d(images, line.reshape(shape), 1, "VALID")
    return images
