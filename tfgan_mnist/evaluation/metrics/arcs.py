"""How near points are to two half moons, and whether they are on all of them."""

from __future__ import annotations

import numpy as np

BINS = 20


def arc_fit(points: np.ndarray, noise: float) -> dict[str, float]:
    """Share of points within three noise deviations of the arcs, and bins covered.

    The arcs are scikit-learn's: the upper half of the unit circle around (0, 0), and
    the lower half of that around (1, 0.5). Ten equal bins divide each of them; one
    that a near point projects to is covered.

    Args:
      points: [count, 2].
      noise: standard deviation of the data around the arcs.
    """
    points = np.asarray(points, np.float64)
    centred = np.stack([points, np.array([1.0, 0.5]) - points])  # each arc upwards
    angle = np.arctan2(centred[..., 1], centred[..., 0])
    below = angle < 0.0  # beyond an end of the half circle, which is then nearest
    angle[below] = np.where(centred[..., 0][below] > 0.0, 0.0, np.pi)
    nearest = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    distance = np.linalg.norm(centred - nearest, axis=-1)  # [2, count]

    arc = distance.argmin(axis=0)
    near = distance.min(axis=0) <= 3.0 * noise
    along = np.take_along_axis(angle, arc[np.newaxis], axis=0)[0] / np.pi
    per_arc = BINS // 2
    bins = arc * per_arc + np.minimum(along * per_arc, per_arc - 1).astype(int)
    return {
        "near_arcs": float(near.mean()),
        "bins": float(len(np.unique(bins[near]))),
    }
