import numpy as np
import pytest

from tfgan_mnist.evaluation.metrics.similarity import psnr, ssim


def test_peak_signal_to_noise_by_hand():
    black = np.zeros([2, 28, 28, 1], np.float32)
    assert psnr(black, black) == float("inf")
    assert psnr(black, black + 0.1) == pytest.approx(20.0, abs=1e-4)
    half = np.stack([black[0] + 0.1, black[1] + 0.01])  # 20 and 40 dB
    assert psnr(black, half) == pytest.approx(30.0, abs=1e-3)


def test_structural_similarity_by_hand():
    """Of even images only the luminance's term is left: (2ab + c) / (a² + b² + c)."""
    a, b, c = 0.2, 0.6, 0.01**2
    images = [np.full([3, 28, 28, 1], value, np.float32) for value in (a, b)]
    assert ssim(images[0], images[0]) == pytest.approx(1.0)
    expected = (2 * a * b + c) / (a**2 + b**2 + c)
    assert ssim(*images) == pytest.approx(expected, abs=1e-3)


def test_both_agree_with_scikit_image():
    metrics = pytest.importorskip("skimage.metrics")
    random = np.random.default_rng(1)
    images = random.uniform(size=[4, 28, 28, 3]).astype(np.float32)
    others = np.clip(images + 0.2 * random.normal(size=images.shape), 0, 1)
    others = others.astype(np.float32)
    options = {
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
        "data_range": 1.0,
        "channel_axis": -1,
    }
    pairs = list(zip(images, others, strict=True))
    known = np.mean([metrics.structural_similarity(*pair, **options) for pair in pairs])
    assert ssim(images, others) == pytest.approx(known, abs=1e-4)
    known = np.mean(
        [metrics.peak_signal_noise_ratio(*pair, data_range=1.0) for pair in pairs]
    )
    assert psnr(images, others) == pytest.approx(known, abs=1e-3)
