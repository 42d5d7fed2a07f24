import numpy as np
import pytest

from tfgan_mnist.data.mnist import mnist5k
from tfgan_mnist.data.pairs import brightest
from tfgan_mnist.evaluation.translations import translations


@pytest.fixture(scope="module")
def examples():
    images, labels = mnist5k()
    images = images[::25].astype(np.float32) / 127.5 - 1.0
    return {"samples": images, "labels": labels[::25]}


def test_of_the_targets_themselves(examples):
    protocol = translations(examples, brightest)
    targets, _ = protocol.real(1, 200)
    found = protocol.metrics(targets)
    assert set(found) == {
        "l1_200",
        "psnr_200",
        "ssim_200",
        "digit_kept_200",
        "fcd_200",
    }
    assert found["l1_200"] == 0.0
    assert found["psnr_200"] == float("inf")
    assert found["ssim_200"] == pytest.approx(1.0)
    assert found["digit_kept_200"] > 0.99
    assert found["fcd_200"] == pytest.approx(0.0, abs=1e-2)
    assert protocol.distance in found


def test_of_other_digits(examples):
    """Each class in place of the next: as real a set, but nothing is kept."""
    protocol = translations(examples, brightest)
    targets, _ = protocol.real(1, 200)
    found = protocol.metrics(np.roll(targets, 20, axis=0))
    assert found["digit_kept_200"] < 0.02
    assert found["fcd_200"] == pytest.approx(0.0, abs=1e-2)
    assert found["psnr_200"] < 15


def test_what_is_unpaired_or_no_digit_is_not_compared(examples):
    unpaired = translations(examples, brightest, paired=False)
    targets, _ = unpaired.real(1, 200)
    assert set(unpaired.metrics(targets)) == {"digit_kept_200", "fcd_200"}
    no_digits = translations(examples, None)
    assert no_digits.distance == "l1_200"
    assert no_digits.judge == ""
    assert translations(examples, None, paired=False).distance == ""
