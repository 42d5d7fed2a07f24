import dataclasses

import pytest

from tfgan_mnist.gans.gan import Side
from tfgan_mnist.training.alarm import PATIENCE, Alarm

GOOD = {
    "discriminator": 1.2,
    "generator": 0.9,
    "classes_1k": 10.0,
    "diversity_1k": 0.9,
    "fcd_1k": 5.0,
}

CONTEST = ("real", "fake", "pairs")
SIDES = (
    Side("discriminator", "D", (), contest=CONTEST, won=0.02, advice="a calmer D"),
    Side("generator", "G", (), contest=CONTEST, won=0.02, advice="a slower G"),
)


def watched(rows, replayed=0, sides=SIDES):
    """The sentences about rows 100 steps apart, after some that were seen before."""
    heard = []
    alarm = Alarm(
        sides,
        {"classes_1k": 10.0, "diversity_1k": 0.5},
        "fcd_1k",
        heard.append,
    )
    numbered = [(100 * i, GOOD | row) for i, row in enumerate(rows, 1)]
    alarm.replay(numbered[:replayed])
    for step, row in numbered[replayed:]:
        alarm(step, row)
    return heard


def test_a_good_run_and_a_bad_moment_are_silent():
    assert watched([{}] * 10) == []
    bad = {"classes_1k": 3.0, "diversity_1k": 0.1, "discriminator": 0.001}
    assert watched([{}, bad, bad, {}, bad, bad, {}]) == []


def test_classes_that_get_lost_ring_once():
    heard = watched([{}, *[{"classes_1k": 7.0}] * 9])
    assert len(heard) == 1
    assert (
        "step 400: at every evaluation since step 200 classes were missing" in heard[0]
    )
    assert "(now 7; 10 are expected)" in heard[0]
    assert "--r1_weight" in heard[0]


def test_classes_that_come_one_by_one_are_awaited():
    rising = [{"classes_1k": float(n), "fcd_1k": 90.0} for n in range(1, 11)]
    assert watched(rising) == []


def test_a_slow_beginning_is_told_from_none():
    """No classes yet, but ever nearer; and no nearer either."""
    nearer = [{"classes_1k": 1.0, "fcd_1k": 200.0 * 0.9**n} for n in range(8)]
    assert watched(nearer) == []
    stuck = [{"classes_1k": 1.0, "fcd_1k": 200.0}] * 8
    assert len(watched(stuck)) == 1
    # Once they were all there, distance is no excuse.
    assert len(watched([{}, *nearer])) == 1


def test_samples_that_are_alike():
    (heard,) = watched([{}, *[{"diversity_1k": 0.21}] * 3])
    assert "samples were too alike (diversity_1k is 0.21; of real data: 1)" in heard
    assert "an R1 penalty (--r1_weight=0.1)" in heard
    # A vae has one side, and no D to be penalised.
    alone = (Side("generator", "G", ()),)
    (heard,) = watched([{}, *[{"diversity_1k": 0.21}] * 3], sides=alone)
    assert "lower learning rates, averaged weights" in heard


@pytest.mark.parametrize(
    ("side", "words", "advice"),
    [
        (
            "discriminator",
            "D has won (loss 0.004, below 0.02), and G learns nothing",
            "what usually helps: a calmer D",
        ),
        (
            "generator",
            "G has won (loss 0.004, below 0.02), and D learns nothing",
            "what usually helps: a slower G",
        ),
    ],
)
def test_a_side_that_has_won(side, words, advice):
    (heard,) = watched([{side: x} for x in (0.5, 0.003, 0.002, 0.004, 0.001)])
    assert words in heard
    assert advice in heard
    assert "step 400" in heard


def test_a_side_whose_loss_has_no_bottom_never_wins():
    sides = [dataclasses.replace(side, won=None) for side in SIDES]
    assert watched([{"discriminator": -5.0, "generator": 0.0}] * 6, sides=sides) == []


def test_a_loss_that_is_missing_from_the_table_was_not_bad():
    del (damaged := dict(GOOD))["generator"]
    alarm = Alarm(SIDES, {"classes_1k": 10.0}, "fcd_1k", pytest.fail)
    for step in range(PATIENCE + 1):
        alarm(step, damaged)
    assert alarm.rung == {}


def test_penalties_do_not_hide_that_a_side_has_won():
    row = {"discriminator": 0.304, "discriminator_r1": 0.2}
    row |= {"discriminator_r2": 0.06, "discriminator_mismatched": 0.04}
    row |= {"discriminator_real": 0.001, "discriminator_fake": 0.003}
    (heard,) = watched([row] * 4)
    assert "D has won (loss 0.004, below 0.02)" in heard


def test_what_was_said_before_a_resumption_is_not_said_again():
    rows = [{}, *[{"classes_1k": 7.0}] * 9]
    assert len(watched(rows, replayed=3)) == 1  # not yet said by then
    assert watched(rows, replayed=4) == []
