"""Data copying: whether samples crowd around training images more than real ones do."""

from __future__ import annotations

import numpy as np
import scipy

CELLS = 10
FEWEST = 20  # samples, and held-out images, in a cell that counts


def data_copying(
    distances: np.ndarray,
    cells: np.ndarray,
    held_out_distances: np.ndarray,
    held_out_cells: np.ndarray,
) -> float:
    """The statistic C_T of Meehan et al., 2020 (arXiv:2004.05675, section 3).

    In each cell of the space a Mann-Whitney test asks whether samples or held-out real
    images are nearer to the training images; the mean of its z-values, weighted by the
    held-out images' share of the cells, is C_T. Far below 0 (-3, say) samples are
    copies, or nearly; 0 is as near as unseen real images are; above 0 samples are
    further away, as those of a model that fits badly. Cells with fewer than ``FEWEST``
    samples or held-out images are left out.

    Args:
      distances: [count], of each sample to its nearest training image.
      cells: int [count], the cell that each sample lies in.
      held_out_distances, held_out_cells: [another count], those of real images that are
        no training images.

    Returns:
      C_T; NaN if there is no cell with enough in it.
    """
    values, weights = [], []
    for cell in np.unique(held_out_cells):
        own = distances[cells == cell]
        real = held_out_distances[held_out_cells == cell]
        m, n = len(own), len(real)
        if min(m, n) < FEWEST:
            continue
        # Pairs in which the sample is the further one; ties count half.
        further = scipy.stats.mannwhitneyu(own, real).statistic
        std = np.sqrt(m * n * (m + n + 1) / 12.0)
        values.append((further - m * n / 2.0) / std)
        weights.append(n)
    return float(np.average(values, weights=weights)) if values else float("nan")
