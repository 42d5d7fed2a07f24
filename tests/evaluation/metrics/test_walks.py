import numpy as np
import pytest

from tfgan_mnist.evaluation.metrics.walks import walk_metrics

# A random pair differs by 0.9, so a change of more than 0.3 is a jump.
PAIRS = np.zeros([4, 2, 2, 2, 1]) + np.array([0.0, 0.9])[:, None, None, None]


def walk(*levels: float) -> np.ndarray:
    """Grey images of one level each."""
    return np.array(levels)[:, None, None, None] * np.ones([len(levels), 2, 2, 1])


def test_an_even_walk():
    walks = np.stack([walk(0.0, 0.25, 0.5, 0.75)])
    assert walk_metrics(walks, PAIRS) == {"walk_jumps": 0.0, "walk_peak": 1.0}


def test_jumps_and_peaks_by_hand():
    walks = np.stack([walk(0.0, 0.1, 0.2, 0.8), walk(0.5, 0.5, 0.1, 0.5)])
    found = walk_metrics(walks.astype(np.float32), PAIRS)
    # Changes of 0.1, 0.1, 0.6 and 0, 0.4, 0.4: three of six are large.
    assert found["walk_jumps"] == 0.5
    peaks = [0.6 / (0.8 / 3), 0.4 / (0.8 / 3)]
    assert found["walk_peak"] == pytest.approx(np.mean(peaks))


def test_a_walk_along_which_nothing_changes_counts_as_even():
    assert walk_metrics(np.stack([walk(0.5, 0.5, 0.5)]), PAIRS)["walk_peak"] == 1.0
