"""What watches a run: the log, the pictures, the checkpoints and the progress bar."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter
from tqdm import tqdm

from tfgan_mnist.system import progress
from tfgan_mnist.system.files import atomic_file
from tfgan_mnist.training.checkpoint import Checkpoints, State
from tfgan_mnist.training.run_directory import RunDirectory
from tfgan_mnist.visual.montage import png


class EventFile:
    """A run's event file, for TensorBoard.

    Args:
      directory: where it goes.
      step: steps made before; what an earlier process wrote after them is disowned, so
        that a resumed run shows one curve.
    """

    def __init__(self, directory: RunDirectory, step: int):
        name = f"events.out.tfevents.{int(time.time()):010d}.{os.getpid()}"
        # A plain file: TensorBoard's own writer fails in a thread that nobody hears.
        self._file = (directory.path / name).open("ab")
        self._writer = RecordWriter(self._file)
        self._add(file_version="brain.Event:2")
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self._add(step=step + 1, session_log=start)

    def scalars(self, step: int, values: dict[str, float]) -> None:
        summaries = [
            summary_pb2.Summary.Value(tag=tag, simple_value=value)
            for tag, value in values.items()
        ]
        self._add(step=step, summary=summary_pb2.Summary(value=summaries))

    def picture(self, step: int, tag: str, pixels: np.ndarray) -> None:
        """pixels: uint8 [height, width] or [height, width, 3]."""
        image = summary_pb2.Summary.Image(
            height=pixels.shape[0],
            width=pixels.shape[1],
            colorspace=1 if pixels.ndim == 2 else 3,
            encoded_image_string=png(pixels),
        )
        summary = summary_pb2.Summary(value=[{"tag": tag, "image": image}])
        self._add(step=step, summary=summary)

    def close(self) -> None:
        self._file.close()

    def _add(self, **event) -> None:
        whole = event_pb2.Event(wall_time=time.time(), **event)
        self._writer.write(whole.SerializeToString())
        self._file.flush()


class Clock:
    """Samples a second, and the time left, from a run's own clock.

    Args:
      state: where this process starts.
      samples_per_step: real samples in a batch.
      unit: what they are ("images").
      last_step, max_seconds: the run's limits, if any.
    """

    def __init__(
        self,
        state: State,
        samples_per_step: int,
        unit: str,
        last_step: int | None,
        max_seconds: float,
    ):
        self.first, self.began = state.step, state.seconds
        self.warm: tuple[int, float] | None = None
        self.samples_per_step = samples_per_step
        self.unit = unit
        self.last_step = last_step
        self.max_seconds = max_seconds

    def rate(self, state: State) -> float:
        """Steps a second, over all that this process has made.

        The first compiled call is left out as soon as there is another: it traces.
        """
        if self.first < state.step and self.warm is None:
            self.warm = state.step, state.seconds
        step, seconds = self.first, self.began
        if self.warm and self.warm[0] < state.step:
            step, seconds = self.warm
        return (state.step - step) / max(state.seconds - seconds, 1e-9)

    def speed(self, state: State) -> float:
        """Samples a second."""
        return self.rate(state) * self.samples_per_step

    def left(self, state: State) -> float:
        """Seconds until the nearer limit."""
        left = []
        if self.last_step is not None:
            left.append((self.last_step - state.step) / max(self.rate(state), 1e-9))
        if self.max_seconds:
            left.append(self.max_seconds - state.seconds)
        return max(0.0, min(left))


def duration(seconds: float) -> str:
    """65 → "1:05"; 3700 → "1:01:40"."""
    return tqdm.format_interval(seconds).removeprefix("0")


class Log:
    """Mean losses since the last line: to the screen, metrics.csv and TensorBoard.

    Args:
      every: steps between lines.
      names: of the losses, known once there are some.
      symbols: of the sides, by their names.
      directory, events, clock: where lines go, and the time.
      echo: prints one.
    """

    at_start = False
    at_end = True

    def __init__(
        self,
        every: int,
        names: Callable[[], Sequence[str]],
        symbols: Mapping[str, str],
        directory: RunDirectory,
        events: EventFile,
        clock: Clock,
        echo: Callable[[str], None],
    ):
        self.every = every
        self.names = names
        self.symbols = symbols
        self.directory = directory
        self.events = events
        self.clock = clock
        self.echo = echo
        self.last: tuple[int, dict[str, float]] = (0, {})  # step and row

    def has_more(self, state: State) -> bool:
        """Whether there are steps since the last line; those of a run that was stopped
        between two lines wait until there are more, which tell the losses' names."""
        return bool(len(state.losses) and self.names())

    def __call__(
        self, state: State, metrics: Mapping[str, float] = MappingProxyType({})
    ) -> dict[str, float]:
        """Writes a line, if there are steps since the last; what stands in it."""
        if not self.has_more(state):
            return {}
        # In double precision, so that the mean of many equal losses is that loss.
        means = state.losses.astype(np.float64).mean(axis=0)
        state.losses = state.losses[:0]
        losses = dict(zip(self.names(), map(float, means), strict=True))
        row = losses | dict(metrics)
        self.directory.append_metrics(state.step, row)
        speed, unit = self.clock.speed(state), self.clock.unit
        self.events.scalars(state.step, row | {f"{unit}_per_second": speed})
        words = [f"step {state.step:,}", brief(losses, self.symbols)]
        if metrics:
            words.append(" ".join(f"{name} {x:.4g}" for name, x in metrics.items()))
        words.append(f"{speed:,.0f} {unit}/s")
        done, left = duration(state.seconds), duration(self.clock.left(state))
        self.echo("  ".join([*words, f"{done} done, {left} left"]))
        self.last = state.step, row
        return row

    def add(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """Adds metrics to the last line; what it then holds."""
        step, row = self.last
        self.directory.amend_metrics(metrics)
        self.events.scalars(step, dict(metrics))
        words = " ".join(f"{name} {x:.4g}" for name, x in metrics.items())
        self.echo(f"step {step:,}  {words}")
        self.last = step, row | dict(metrics)
        return self.last[1]


class Evaluation:
    """Metrics of the samples, in a log line of their own; it comes before the ``Log``.

    Args:
      every: steps between them.
      evaluate: () → metrics by name.
      log: writes the line.
      observers: then called with the state, and the line's losses and metrics.
    """

    at_start = False
    at_end = True

    def __init__(
        self,
        every: int,
        evaluate: Callable[[], dict[str, float]],
        log: Log,
        observers: Sequence[Callable[[State, dict[str, float]], None]],
    ):
        self.every = every
        self.evaluate = evaluate
        self.log = log
        self.observers = observers
        self.measured = -1  # the last step that was

    def __call__(self, state: State) -> None:
        if self.log.has_more(state):
            row = self.log(state, self.evaluate())
        elif self.log.last[0] == state.step != self.measured:
            # Time was up on a step that the log had a line for.
            row = self.log.add(self.evaluate())
        else:
            return
        self.measured = state.step
        for observer in self.observers:
            observer(state, row)


def brief(losses: Mapping[str, float], symbols: Mapping[str, str]) -> str:
    """The sides' losses in a few words: "D 1.234 G 0.812"."""
    return " ".join(
        f"{symbol} {losses[side]:.3f}"
        for side, symbol in symbols.items()
        if side in losses
    )


class Pictures:
    """The same latents every time, drawn: to samples/ and TensorBoard.

    Args:
      draw: step → uint8 pixels [height, width] or [height, width, 3].
    """

    at_start = True
    at_end = True

    def __init__(
        self,
        every: int,
        draw: Callable[[int], np.ndarray],
        directory: RunDirectory,
        events: EventFile,
    ):
        self.every = every
        self.draw = draw
        self.directory = directory
        self.events = events

    def __call__(self, state: State) -> None:
        pixels = self.draw(state.step)
        self.directory.samples.mkdir(exist_ok=True)
        with atomic_file(self.directory.sample_path(state.step)) as unfinished:
            unfinished.write_bytes(png(pixels))
        self.events.picture(state.step, "samples", pixels)


class Best:
    """Keeps the model with the smallest distance so far.

    Args:
      name: the distance's.
      least: what an earlier process reached.
      keep: (state, distance) → saves the model.
    """

    def __init__(self, name: str, least: float, keep: Callable[[State, float], None]):
        self.name = name
        self.least = least
        self.keep = keep

    def __call__(self, state: State, metrics: Mapping[str, float]) -> None:
        if metrics[self.name] < self.least:
            self.least = metrics[self.name]
            self.keep(state, self.least)


class Saver:
    """A checkpoint at times. It comes after the hooks whose files it vouches for."""

    at_start = False
    at_end = True

    def __init__(self, every: int, checkpoints: Checkpoints):
        self.every = every
        self.checkpoints = checkpoints

    def __call__(self, state: State) -> None:
        self.checkpoints.save(state)


class Call:
    """A function of the state as a hook, also after the last step."""

    at_start = False
    at_end = True

    def __init__(self, every: int, function: Callable[[State], None]):
        self.every = every
        self.function = function

    def __call__(self, state: State) -> None:
        self.function(state)


def as_hook(hook: Any, every: int) -> Any:
    """A hook as it is; a function as one that is called at times."""
    return hook if hasattr(hook, "every") else Call(every, hook)


class Bar:
    """The progress bar, after each compiled call; none where nobody looks."""

    every = 0
    at_start = False
    at_end = False

    def __init__(
        self,
        state: State,
        clock: Clock,
        names: Callable[[], Sequence[str]],
        symbols: Mapping[str, str],
    ):
        self.clock = clock
        self.names = names
        self.symbols = symbols
        self._bar = progress.bar(
            total=clock.last_step,
            initial=state.step,
            unit="step",
            dynamic_ncols=True,
            bar_format="{percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt}{postfix}"
            if clock.last_step
            else "{n_fmt} steps{postfix}",
        )

    def __call__(self, state: State) -> None:
        if self._bar.disable or not len(state.losses):
            return
        losses = dict(zip(self.names(), map(float, state.losses[-1]), strict=True))
        self._bar.set_postfix_str(
            f"{brief(losses, self.symbols)}, "
            f"{self.clock.speed(state):,.0f} {self.clock.unit}/s, "
            f"{duration(self.clock.left(state))} left",
            refresh=False,
        )
        self._bar.update(state.step - self._bar.n)

    def echo(self, line: str) -> None:
        """Prints a line to stdout without tearing the bar, if anybody listens."""
        with contextlib.suppress(OSError, ValueError):
            tqdm.write(line)
            sys.stdout.flush()

    def close(self) -> None:
        self._bar.close()
