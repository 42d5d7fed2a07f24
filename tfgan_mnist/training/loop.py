"""The loop: makes steps, many in a call, and hands their losses to hooks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from tfgan_mnist.system.errors import NotFiniteError
from tfgan_mnist.training.checkpoint import State

MOST_STEPS = 2**31 - 1  # that 32 bits can count


class Hook(Protocol):
    """Something that watches a run.

    Attributes:
      every: steps between its calls, or 0: after each compiled call.
      at_start: whether it is called before the first step of a run.
      at_end: whether it is called after the last step, whatever that is.
    """

    every: int
    at_start: bool
    at_end: bool

    def __call__(self, state: State) -> None: ...


def run(
    advance: Callable[[int, int], np.ndarray],
    names: Callable[[], Sequence[str]],
    state: State,
    hooks: Sequence[Hook],
    last_step: int | None = None,
    max_seconds: float = 0.0,
    steps_per_call: int = 1,
    why_stop: Callable[[], int] = lambda: 0,
    agree: Callable[[float, int, int], tuple[float, int, int]] = lambda *own: own,
) -> int:
    """Trains until a limit is met; it never asks what.

    Args:
      advance: (steps made, count) → float32 [count, len(names)], after making them.
      names: of the losses, asked after the first call.
      state: where to start; kept up to date, losses that nobody has logged included.
      hooks: called in their order.
      last_step: where to stop; None: where 32 bits end.
      max_seconds: time to stop after, resumed time included; 0: never.
      steps_per_call: at most so many in a call; a call ends where a hook is due.
      why_stop: asked between calls for a reason to end, a number from 1 to 255, or 0.
      agree: (seconds, reason, steps of the next call) → those that hold, where several
        processes make the steps.

    Returns:
      0 if it came to its end, or the reason why it did not.

    Raises:
      NotFiniteError: if a loss is not finite. No hook has seen that step.
    """
    if not state.step:
        for hook in hooks:
            if hook.at_start:
                hook(state)
    last_step = MOST_STEPS if last_step is None else last_step
    started = time.perf_counter() - state.seconds
    intervals = [hook.every for hook in hooks if hook.every]
    due: set[int] = set()  # hooks that have seen the current step
    while state.step < last_step:
        counts = [steps_per_call, *(every - state.step % every for every in intervals)]
        counts.append(last_step - state.step)
        seconds, reason, count = agree(state.seconds, why_stop(), min(counts))
        if max_seconds and seconds >= max_seconds:
            break
        if reason:
            return reason
        losses = advance(state.step, count)
        check_finite(losses, names(), state.step)
        state.step += len(losses)
        state.losses = np.concatenate(
            [state.losses.reshape(-1, losses.shape[1]), losses]
        )
        state.seconds = time.perf_counter() - started
        due = {
            i
            for i, hook in enumerate(hooks)
            if not hook.every
            or not state.step % hook.every
            or (hook.at_end and state.step == last_step)
        }
        for i in sorted(due):
            hooks[i](state)
        # What the hooks took counts after the next call. Whether time is up is thus
        # decided by the seconds that a checkpoint holds, in a resumed run too.
    for i, hook in enumerate(hooks):
        if hook.at_end and i not in due:
            hook(state)
    return 0


def check_finite(losses: np.ndarray, names: Sequence[str], step: int) -> None:
    """Raises NotFiniteError naming the first loss [steps, names] that is not finite."""
    bad = np.argwhere(~np.isfinite(losses))
    if len(bad):
        row, column = bad[0]
        raise NotFiniteError(
            f"{names[column]} is {losses[row, column]} at step {step + row + 1:,}"
        )
