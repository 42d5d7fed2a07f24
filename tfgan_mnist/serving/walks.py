"""Latents on the way from one to another."""

from __future__ import annotations

import numpy as np


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
    straight = np.sin(angle) < 1e-4  # no one way round, or hardly a way at all
    angle[straight] = np.pi / 2
    start, end, angle, straight = (x[rows] for x in (start, end, angle, straight))
    weights = [
        np.where(straight, x, np.sin(x * angle) / np.sin(angle))
        for x in (1.0 - share, share)
    ]
    return (weights[0] * start + weights[1] * end).astype(np.float32)


def closed_walk(latents: np.ndarray, frames: int) -> np.ndarray:
    """Latents on the way through all rows and back to the first.

    Args:
      latents: [count, latent_dim].
      frames: from one row to the next.

    Returns:
      float32 [count * frames, latent_dim], beginning with the first row.
    """
    share = np.tile(np.arange(frames) / frames, [len(latents), 1])
    points = between(latents, np.roll(latents, -1, axis=0), share)
    return points.reshape(-1, latents.shape[1])
