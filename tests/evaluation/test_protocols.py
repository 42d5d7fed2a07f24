import numpy as np
import pytest
from conftest import PREPARED_MNIST, needs_mnist

from tfgan_mnist.data.mnist import mnist
from tfgan_mnist.evaluation.metrics import judge
from tfgan_mnist.evaluation.metrics.digits import class_histogram
from tfgan_mnist.evaluation.metrics.real import load_real
from tfgan_mnist.evaluation.protocols import (
    balanced_labels,
    brief_count,
    protocol_of,
)


@pytest.mark.parametrize("name", ["gaussian", "moons", "ring", "grid"])
def test_fresh_real_samples_reach_what_can_be_reached(name):
    protocol = protocol_of(name)
    real, labels = protocol.real(1, protocol.count)
    assert labels is None
    assert len(real) == protocol.count
    assert not np.array_equal(real, protocol.real(2, protocol.count)[0])
    found = protocol.metrics(real, None)
    expected = {
        "gaussian": {"mean": (4.0, 0.05), "std": (1.25, 0.05), "ks": (0.0, 0.02)},
        "moons": {"near_arcs": (0.997, 0.003), "bins": (20, 0)},
        "ring": {"modes": (8, 0), "high_quality": (0.989, 0.007)},
        "grid": {"modes": (25, 0), "high_quality": (0.989, 0.007)},
    }[name]
    for key, (value, tolerance) in expected.items():
        assert found[key] == pytest.approx(value, abs=tolerance), key


def test_every_label_as_often_in_their_order():
    np.testing.assert_array_equal(balanced_labels(6, 3), [0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize("count", [1_000, 10_000])
def test_held_out_digits_reach_what_can_be_reached(count):
    protocol = protocol_of("mnist")
    features, digits = protocol.real(1, count)
    found = protocol.metrics(features, digits)
    assert found.pop(f"digit_agreement_{brief_count(count)}") > 0.99
    name = "1k" if count == 1_000 else "10k"
    assert found[f"fcd_{name}"] < (0.5 if count == 1_000 else 0.05)
    assert abs(found[f"kd_{name}"]) < found[f"kd_spread_{name}"]
    for share in ("precision", "recall", "coverage"):
        assert 0.9 < found[f"{share}_{name}"] <= 1.0
    assert found[f"density_{name}"] == pytest.approx(1.0, abs=0.1)
    assert found[f"diversity_{name}"] == pytest.approx(1.0, abs=0.1)
    assert found[f"classes_{name}"] == 10
    assert found[f"class_kl_{name}"] < 0.01
    assert found[f"mnist_score_{name}"] > 7
    quick = protocol.quick_metrics(features, None)
    assert quick.items() <= found.items()


def test_stacks_of_held_out_digits_reach_what_can_be_reached():
    protocol = protocol_of("stacked")
    digits, _ = protocol.real(1, protocol.count)
    assert digits.shape == (26_000, 3)
    found = protocol.metrics(digits, None)
    assert found["modes_26k"] == 1000
    assert found["kl_26k"] == pytest.approx(0.024, abs=0.006)  # as published
    rows = protocol.quick_metrics(*protocol.real(1, protocol.quick_count))
    assert {protocol.distance, *protocol.expected} <= set(rows)
    assert all(rows[name] >= level for name, level in protocol.expected.items())


@needs_mnist
def test_each_colour_of_a_stack_is_read():
    images, labels = mnist(str(PREPARED_MNIST), "test")
    triples = np.stack([images[:300], images[300:600], images[600:900]], axis=-1)
    digits = protocol_of("stacked").features(triples[:, :, :, 0] / np.float32(255.0))
    assert np.mean(digits == labels[:900].reshape(3, 300).T) > 0.98


def test_names_say_how_many_samples():
    protocol = protocol_of("mnist")
    assert protocol.distance == "fcd_1k"
    odd = protocol.metrics(*protocol.real(1, 213))
    assert {"fcd_213", "kd_213"} <= set(odd)
    known = protocol.quick_metrics(*protocol.real(1, protocol.quick_count))
    assert {protocol.distance, *protocol.expected} <= set(known)


def test_digits_of_one_class_are_found_out():
    protocol = protocol_of("mnist")
    real, _ = protocol.real(1, 10_000)
    sevens = real[judge.load_judge().classes_of(real) == 7][:1_000]
    found = protocol.metrics(sevens, np.full(len(sevens), 7))
    name = brief_count(len(sevens))
    assert found[f"classes_{name}"] == 1
    assert found[f"class_kl_{name}"] == pytest.approx(np.log(60_000 / 6265), abs=0.01)
    assert found[f"fcd_{name}"] > 10
    assert found[f"precision_{name}"] > 0.9
    assert found[f"recall_{name}"] < 0.3
    assert found[f"digit_agreement_{name}"] == 1.0


def test_labels_are_asked_for_as_often_as_in_the_data():
    labels = protocol_of("mnist").labels(10_000)
    counts = np.bincount(labels)
    assert counts.sum() == 10_000
    assert counts[1] == pytest.approx(10_000 * 6742 / 60_000, abs=1)
    assert counts[5] == pytest.approx(10_000 * 5421 / 60_000, abs=1)
    # Real digits so chosen are as near as any.
    found = protocol_of("mnist").quick_metrics(*protocol_of("mnist").real(1, 1_000))
    assert class_kl(labels) < found["class_kl_1k"]


def class_kl(labels):
    return class_histogram(labels, load_real().class_shares)["class_kl"]
