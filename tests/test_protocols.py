import numpy as np
import pytest

from tfgan_mnist.protocols import PROTOCOLS, even_labels


@pytest.mark.parametrize("name", ["gaussian", "moons", "ring", "grid"])
def test_fresh_real_samples_reach_what_can_be_reached(name):
    protocol = PROTOCOLS[name]
    real = protocol.real(1)
    assert len(real) == protocol.count
    assert not np.array_equal(real, protocol.real(2))
    found = protocol.reference(1)
    expected = {
        "gaussian": {"mean": (4.0, 0.05), "deviation": (1.25, 0.05), "ks": (0.0, 0.02)},
        "moons": {"near_arcs": (0.997, 0.003), "bins": (20, 0)},
        "ring": {"modes": (8, 0), "high_quality": (0.989, 0.007)},
        "grid": {"modes": (25, 0), "high_quality": (0.989, 0.007)},
    }[name]
    for key, (value, tolerance) in expected.items():
        assert found[key] == pytest.approx(value, abs=tolerance), key


def test_every_label_as_often_in_their_order():
    np.testing.assert_array_equal(even_labels(6, 3), [0, 0, 1, 1, 2, 2])
