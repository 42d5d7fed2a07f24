import numpy as np
import pytest

from tfgan_mnist.system.errors import NotFiniteError
from tfgan_mnist.training.checkpoint import State
from tfgan_mnist.training.loop import check_finite, run


class Watcher:
    def __init__(self, every: int, at_end: bool = False, at_start: bool = False):
        self.every = every
        self.at_start = at_start
        self.at_end = at_end
        self.steps: list[int] = []

    def __call__(self, state: State) -> None:
        self.steps.append(state.step)


class Game:
    """Counts its steps; the loss of each is its number."""

    def __init__(self):
        self.calls: list[tuple[int, int]] = []

    def __call__(self, first: int, count: int) -> np.ndarray:
        self.calls.append((first, count))
        return np.arange(first, first + count, dtype=np.float32)[:, None]


def play(state: State, hooks, **options) -> tuple[Game, int]:
    game = Game()
    return game, run(game, lambda: ["loss"], state, hooks, **options)


def test_hooks_are_called_on_time_and_calls_are_long_between_them():
    often, rarely = Watcher(4), Watcher(10, at_end=True)
    each = Watcher(0)
    game, reason = play(
        State({}), [each, often, rarely], last_step=23, steps_per_call=100
    )
    assert not reason
    assert often.steps == [4, 8, 12, 16, 20]
    assert rarely.steps == [10, 20, 23]
    assert each.steps == [4, 8, 10, 12, 16, 20, 23]
    assert game.calls[2] == (8, 2)


def test_a_last_step_that_is_due_is_seen_once():
    hook = Watcher(5, at_end=True)
    play(State({}), [hook], last_step=10)
    assert hook.steps == [5, 10]


def test_what_is_called_at_the_start_is_called_before_the_first_step_of_a_run_alone():
    early, late = Watcher(5, at_start=True), Watcher(5)
    play(State({}), [early, late], last_step=10)
    assert early.steps == [0, 5, 10]
    assert late.steps == [5, 10]
    resumed = Watcher(5, at_start=True)
    play(State({}, step=5), [resumed], last_step=10)
    assert resumed.steps == [10]


def test_resumed_runs_call_hooks_at_the_same_steps():
    hook = Watcher(5)
    play(State({}, step=7), [hook], last_step=20, steps_per_call=3)
    assert hook.steps == [10, 15, 20]


def test_losses_wait_until_a_hook_takes_them():
    state = State({}, step=2, losses=np.float32([[0.0], [1.0]]))
    play(state, [], last_step=5, steps_per_call=2)
    np.testing.assert_array_equal(state.losses[:, 0], [0, 1, 2, 3, 4])


def test_time_ends_a_run_resumed_time_included():
    state = State({}, seconds=60.0)
    hook = Watcher(100, at_end=True)
    game, reason = play(state, [hook], max_seconds=60.0)
    assert not reason
    assert game.calls == []
    assert hook.steps == [0]
    game, reason = play(State({}, seconds=60.0), [], max_seconds=60.05)
    assert not reason
    assert game.calls


def test_an_interrupt_leaves_at_the_next_call():
    asked = iter([0, 0, 15])
    hook = Watcher(100, at_end=True)
    game, reason = play(State({}), [hook], last_step=100, why_stop=lambda: next(asked))
    assert reason == 15
    assert len(game.calls) == 2
    assert hook.steps == []


def test_what_several_processes_agree_on_holds():
    times = iter([0.0, 0.0, 61.0])  # the chief's; ours has hardly begun
    game, reason = play(
        State({}),
        [],
        max_seconds=60.0,
        steps_per_call=10,
        agree=lambda seconds, reason, count: (next(times), reason, 3),
    )
    assert not reason
    assert game.calls == [(0, 3), (3, 3)]
    _, reason = play(State({}), [], last_step=5, agree=lambda *own: (0.0, 9, 1))
    assert reason == 9


def test_the_first_bad_loss_is_named_with_its_step():
    losses = np.float32([[1, 2], [3, np.inf], [np.nan, np.nan]])
    with pytest.raises(NotFiniteError, match="generator is inf at step 12"):
        check_finite(losses, ["discriminator", "generator"], 10)
    check_finite(losses[:1], ["discriminator", "generator"], 10)
