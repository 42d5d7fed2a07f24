"""Walks through the latent space: whether samples change smoothly or jump."""

from __future__ import annotations

import numpy as np

LARGE = 1 / 3  # of what two random samples differ by: more than that is a jump


def walk_metrics(walks: np.ndarray, pairs: np.ndarray) -> dict[str, float]:
    """How evenly samples change in walks. Ours.

    A change is the mean absolute difference of two samples.

    Args:
      walks: [walks, frames, ...], samples on the way from one random latent to another.
      pairs: [count, 2, ...], random samples, those of a pair of the same label if they
        have some.

    Returns:
      ``walk_jumps``, the share of changes from frame to frame that are larger than a
      third of what a random pair differs by: 0 if nothing flickers. ``walk_peak``, the
      largest change of a walk over its mean, mean over the walks: 1 if samples change
      evenly; a walk along which nothing changes counts as one.
    """
    changes = _changes(walks[:, 1:], walks[:, :-1])
    apart = _changes(pairs[:, :1], pairs[:, 1:]).mean()
    means = changes.mean(axis=1)
    peaks = np.divide(
        changes.max(axis=1), means, out=np.ones_like(means), where=means > 0.0
    )
    return {
        "walk_jumps": float(np.mean(changes > LARGE * apart)),
        "walk_peak": float(peaks.mean()),
    }


def _changes(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Mean absolute differences [rows, columns] of [rows, columns, ...]."""
    differences = np.abs(some.astype(np.float64) - others)
    return differences.reshape(*some.shape[:2], -1).mean(axis=2)
