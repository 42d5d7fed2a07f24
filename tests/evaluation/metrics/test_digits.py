import math

import numpy as np
import pytest

from tfgan_mnist.evaluation.metrics.digits import class_agreement, class_histogram
from tfgan_mnist.evaluation.metrics.real import load_real

EQUAL = np.full(10, 0.1)


def test_every_digit_as_often():
    assert class_histogram(np.arange(100) % 10, EQUAL) == {
        "classes": 10.0,
        "class_kl": pytest.approx(0.0),
    }


def test_two_digits_of_ten_are_log_5_away():
    found = class_histogram(np.array([3, 7] * 50), EQUAL)
    assert found == {"classes": 2.0, "class_kl": pytest.approx(math.log(5))}


def test_a_stray_sample_is_no_class():
    """Nine samples of a thousand, one of each other digit, may be misread."""
    digits = np.concatenate([np.full(991, 5), np.delete(np.arange(10), 5)])
    assert class_histogram(digits, EQUAL)["classes"] == 1.0
    others = np.repeat(np.delete(np.arange(10), 5), 11)  # a tenth of a tenth, and one
    each = np.concatenate([np.full(901, 5), others])
    assert class_histogram(each, EQUAL)["classes"] == 10.0


def test_agreement_is_the_share_of_equal_ones():
    assert class_agreement(np.array([1, 2, 3, 4]), np.array([1, 2, 3, 5])) == 0.75


def test_the_test_images_of_mnist():
    counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    digits = np.repeat(np.arange(10), counts)
    found = class_histogram(digits, EQUAL)
    assert found["class_kl"] == pytest.approx(0.0017, abs=5e-5)
    assert class_histogram(digits, load_real().class_shares)["class_kl"] < 2e-4
