import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from tfgan_mnist.evaluation.metrics.mnist_score import mnist_score


def test_sure_and_varied_is_the_number_of_classes():
    assert mnist_score(np.eye(10)[np.arange(200) % 10]) == pytest.approx(10.0)


def test_all_of_one_class_or_wholly_unsure_is_1():
    assert mnist_score(np.eye(10)[np.zeros(50, int)]) == pytest.approx(1.0)
    assert mnist_score(np.full([50, 10], 0.1)) == pytest.approx(1.0)


def test_its_logarithm_is_the_mutual_information():
    """Images 1 and 2, seen as digits in these shares; scikit-learn counts them."""
    counts = np.array([[6, 3, 1], [1, 1, 8]])
    image = np.repeat([0, 1], 10)
    digit = np.concatenate([np.repeat(np.arange(3), row) for row in counts])
    expected = np.exp(mutual_info_score(image, digit))
    assert mnist_score(counts / 10) == pytest.approx(expected)
