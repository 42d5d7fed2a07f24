"""What watches a run: the log, the pictures, the checkpoints and the progress bar."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

import imageio.v3 as imageio
import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter
from tqdm import tqdm

from tfgan_mnist.files import whole_file
from tfgan_mnist.run_directory import RunDirectory
from tfgan_mnist.training.checkpoint import Checkpoints, State
from tfgan_mnist.visual.montage import montage


class Board:
    """TensorBoard's event file of a run.

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
        """pixels: uint8 [height, width]."""
        image = summary_pb2.Summary.Image(
            height=pixels.shape[0],
            width=pixels.shape[1],
            colorspace=1,
            encoded_image_string=imageio.imwrite("<bytes>", pixels, extension=".png"),
        )
        summary = summary_pb2.Summary(value=[{"tag": tag, "image": image}])
        self._add(step=step, summary=summary)

    def close(self) -> None:
        self._file.close()

    def _add(self, **event) -> None:
        event = event_pb2.Event(wall_time=time.time(), **event)
        self._writer.write(event.SerializeToString())
        self._file.flush()


class Clock:
    """Images a second, and the time left, from a run's own clock.

    Args:
      state: where this process starts.
      images_per_step: real images in a batch.
      last_step, max_seconds: the run's limits, if any.
    """

    def __init__(
        self,
        state: State,
        images_per_step: int,
        last_step: int | None,
        max_seconds: float,
    ):
        self.first, self.began = state.step, state.seconds
        self.warm: tuple[int, float] | None = None
        self.images_per_step = images_per_step
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
    """Mean losses since the last line: to the screen, metrics.csv and TensorBoard."""

    at_end = True

    def __init__(
        self,
        every: int,
        names: Callable[[], Sequence[str]],
        directory: RunDirectory,
        board: Board,
        clock: Clock,
        echo: Callable[[str], None],
    ):
        self.every = every
        self.names = names
        self.directory = directory
        self.board = board
        self.clock = clock
        self.echo = echo

    def __call__(self, state: State) -> None:
        if not len(state.losses):
            return
        # In double precision, so that the mean of many equal losses is that loss.
        means = state.losses.astype(np.float64).mean(axis=0)
        state.losses = state.losses[:0]
        self.directory.append_metrics(self.names(), state.step, means)
        images = self.clock.rate(state) * self.clock.images_per_step
        losses = dict(zip(self.names(), map(float, means), strict=True))
        self.board.scalars(state.step, losses | {"images_per_second": images})
        self.echo(
            f"step {state.step:,}  {brief(losses)}  {images:,.0f} images/s  "
            f"{duration(state.seconds)} done, {duration(self.clock.left(state))} left"
        )


def brief(losses: dict[str, float]) -> str:
    """The players' losses in a few words: "D 1.234 G 0.812"."""
    players = {"discriminator": "D", "generator": "G"}
    return " ".join(f"{s} {losses[p]:.3f}" for p, s in players.items() if p in losses)


class Montages:
    """The same latents every time, drawn as a sheet: to samples/ and TensorBoard.

    Args:
      sample: () → images [count, height, width, 1] in [0, 1].
    """

    at_end = True

    def __init__(
        self,
        every: int,
        sample: Callable[[], np.ndarray],
        directory: RunDirectory,
        board: Board,
    ):
        self.every = every
        self.sample = sample
        self.directory = directory
        self.board = board

    def __call__(self, state: State) -> None:
        sheet = montage(self.sample())
        self.directory.samples.mkdir(exist_ok=True)
        with whole_file(self.directory.sample_path(state.step)) as unfinished:
            imageio.imwrite(unfinished, sheet)
        self.board.picture(state.step, "samples", sheet)


class Saver:
    """A checkpoint at times. It comes after the hooks whose files it vouches for."""

    at_end = True

    def __init__(self, every: int, checkpoints: Checkpoints):
        self.every = every
        self.checkpoints = checkpoints

    def __call__(self, state: State) -> None:
        self.checkpoints.save(state)


class Bar:
    """The progress bar, after each compiled call; none where stderr is no terminal."""

    every = 0
    at_end = False

    def __init__(self, state: State, clock: Clock, names: Callable[[], Sequence[str]]):
        self.clock = clock
        self.names = names
        self._bar = tqdm(
            total=clock.last_step,
            initial=state.step,
            disable=None,
            unit="step",
            dynamic_ncols=True,
            bar_format="{percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt}{postfix}"
            if clock.last_step
            else "{n_fmt} steps{postfix}",
        )

    def __call__(self, state: State) -> None:
        images = self.clock.rate(state) * self.clock.images_per_step
        if self._bar.disable or not len(state.losses):
            return
        losses = dict(zip(self.names(), map(float, state.losses[-1]), strict=True))
        self._bar.set_postfix_str(
            f"{brief(losses)}, {images:,.0f} images/s, "
            f"{duration(self.clock.left(state))} left",
            refresh=False,
        )
        self._bar.update(state.step - self._bar.n)

    def echo(self, line: str) -> None:
        """Prints a line to stdout without tearing the bar."""
        tqdm.write(line)

    def close(self) -> None:
        self._bar.close()
