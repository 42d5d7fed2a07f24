import math

import numpy as np
import pytest

from tfgan_mnist.data.toys import grid, ring
from tfgan_mnist.evaluation.metrics.modes import mode_coverage, stacked_coverage
from tfgan_mnist.system.seeds import run_seed

CENTRES = np.array([[0.0, 0.0], [10.0, 0.0]])


def test_known_values():
    samples = np.array([[0.0, 0.3], [0.0, -0.2], [0.2, 0.0], [10.0, 0.31]])
    found = mode_coverage(samples, CENTRES, 0.1)
    assert found["modes"] == 1  # the fourth is 3.1 deviations away
    assert found["high_quality"] == pytest.approx(0.75)
    # It still counts for the mode it is nearest to: shares ¾ and ¼ against ½.
    expected = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert found["reverse_kl"] == pytest.approx(expected)


def test_one_of_two_modes_is_log_2_away():
    found = mode_coverage(np.zeros([10, 2]), CENTRES, 0.1)
    assert found == {
        "modes": 1.0,
        "high_quality": 1.0,
        "reverse_kl": pytest.approx(math.log(2)),
    }


@pytest.mark.parametrize(("target", "modes"), [(ring(), 8), (grid(), 25)])
def test_a_perfect_sampler(target, modes):
    found = [
        mode_coverage(
            target.draw(2_500, run_seed(i, 9)).numpy(), target.centres, target.std
        )
        for i in range(20)
    ]
    mean = {name: np.mean([one[name] for one in found]) for name in found[0]}
    assert mean["modes"] == modes
    # In two dimensions P(r ≤ 3σ) = 1 - exp(-9/2).
    assert mean["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.002)
    # To second order in the shares' noise the divergence is χ²/2n: (modes - 1)/2n.
    assert mean["reverse_kl"] == pytest.approx((modes - 1) / 5_000, rel=0.4)


def test_triples_of_digits():
    every = np.stack(np.meshgrid(*[np.arange(10)] * 3), axis=-1).reshape(-1, 3)
    assert stacked_coverage(every) == {"modes": 1000.0, "kl": pytest.approx(0.0)}
    # Half as many modes are log 2 away, one is log 1000; an order is another mode.
    half = every[every[:, 0] < 5]
    assert stacked_coverage(half) == {"modes": 500.0, "kl": pytest.approx(math.log(2))}
    one = stacked_coverage(np.array([[1, 2, 3]] * 7))
    assert one == {"modes": 1.0, "kl": pytest.approx(math.log(1000))}
    assert stacked_coverage(np.array([[1, 2, 3], [3, 2, 1]]))["modes"] == 2.0
