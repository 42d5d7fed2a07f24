"""Walks: latents, or styles, on the way from one to another, and their images."""

from __future__ import annotations

import dataclasses

import numpy as np

from tfgan_mnist.serving.reader import LoadedModel


def between(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Latents at a share of the way from start to end.

    On the sphere, with the length changing evenly: of two draws from a normal
    distribution the straight line's middle is shorter than any draw would be (White,
    2016, arXiv:1609.04468).

    Args:
      start, end: [count, latent_dim].
      share: [count] or [count, frames], from 0 to 1.

    Returns:
      float32 [count, latent_dim] or [count, frames, latent_dim].
    """
    start, end = (np.asarray(x, np.float64) for x in (start, end))
    share = np.asarray(share, np.float64)[..., np.newaxis]
    rows = (slice(None), *[np.newaxis] * (share.ndim - 2))
    lengths = [np.linalg.norm(x, axis=1, keepdims=True) for x in (start, end)]
    cosine = np.sum(start * end, axis=1, keepdims=True) / np.maximum(
        lengths[0] * lengths[1], 1e-12
    )
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    straight = np.sin(angle) < 1e-4  # no one way round, or a very short one
    angle[straight] = np.pi / 2
    start, end, angle, straight = (x[rows] for x in (start, end, angle, straight))
    weights = [
        np.where(straight, x, np.sin(x * angle) / np.sin(angle))
        for x in (1.0 - share, share)
    ]
    return (weights[0] * start + weights[1] * end).astype(np.float32)


def straight(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """As ``between``, on a straight line: unlike latents, styles lie about no sphere.

    Args:
      start, end: [count, layers, latent_dim].
      share: [count] or [count, frames], from 0 to 1.

    Returns:
      float32 [count, layers, latent_dim] or [count, frames, layers, latent_dim].
    """
    share = np.asarray(share, np.float64)[..., np.newaxis, np.newaxis]
    rows = (slice(None), *[np.newaxis] * (share.ndim - 3))
    return ((1.0 - share) * start[rows] + share * end[rows]).astype(np.float32)


def even_steps(images: np.ndarray, frames: int) -> np.ndarray:
    """Frames that change about as much, each from one to the next.

    Equal steps in the latent space change some images far more than others. Of many
    images along a way, those at equal distances are kept; the distance is the sum of
    the mean absolute differences from image to image.

    Args:
      images: [many, height, width, channels], both ends of the way among them.
      frames: how many are kept; the first one is the way's beginning, and its end
        would follow the last.

    Returns:
      [frames, height, width, channels].
    """
    changes = np.abs(np.diff(images, axis=0)).mean(axis=(1, 2, 3))
    passed = np.concatenate([[0.0], np.cumsum(changes)])
    wanted = passed[-1] * np.arange(frames) / frames
    return images[np.abs(passed - wanted[:, np.newaxis]).argmin(axis=1)]


FINE = 8
"""Images on the way that a frame of ``Walks.closed`` is chosen from."""


@dataclasses.dataclass(frozen=True)
class Walks:
    """Where walks between a model's samples go: through its styles, if it has some.

    Args:
      model: one that takes latents.
    """

    model: LoadedModel

    def points(
        self,
        seeds: np.ndarray,
        temperature: float = 1.0,
        labels: np.ndarray | None = None,
        **controls: float,
    ) -> np.ndarray:
        """The styles, or latents, [n, ...] of the samples of seeds, and of labels."""
        if self.model.has_styles:
            return self.model.styles(seeds, temperature, **controls)
        return self.model.latents(seeds, temperature, labels, **controls)

    def between(
        self, start: np.ndarray, end: np.ndarray, share: np.ndarray
    ) -> np.ndarray:
        """Points at a share of the way, as ``between`` or ``straight`` gives them."""
        way = straight if self.model.has_styles else between
        return way(start, end, share)

    def images(
        self, points: np.ndarray, labels: np.ndarray | None = None
    ) -> np.ndarray:
        """The samples of points [n, ...]; of styles, all with the same noise."""
        if self.model.has_styles:
            return self.model.synthesize(points)
        return self.model.generate(points, labels)

    def closed(
        self, points: np.ndarray, frames: int, labels: np.ndarray | None = None
    ) -> np.ndarray:
        """Images on the way through all points and back to the first.

        Steps are even (``even_steps``) between one point and the next.

        Args:
          points: [count, ...].
          frames: from one point to the next.
          labels: [count], those of a way from each point; None if the model wants none.

        Returns:
          [count * frames, height, width, channels], beginning with the first point's.
        """
        share = np.linspace(0.0, 1.0, FINE * frames + 1)[np.newaxis]
        found = []
        # One way at a time, which bounds the memory. A way ends with its own label: the
        # next one may begin with another, and what changes then is no part of either.
        for i, end in enumerate(np.roll(points, -1, axis=0)):
            (way,) = self.between(points[i : i + 1], end[np.newaxis], share)
            told = None if labels is None else np.repeat(labels[i : i + 1], len(way))
            found.append(even_steps(self.images(way, told), frames))
        return np.concatenate(found)
