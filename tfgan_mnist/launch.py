"""Starts the workers of a run, watches them, and starts them again: ``--workers``.

Ray does it. Each worker makes the run as it does under ``--distribute=multi_worker``;
they and this process talk through a coordinator, an actor of Ray's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import os
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfgan_mnist.config import Config
from tfgan_mnist.system import engine, interrupts
from tfgan_mnist.system.errors import RunStopped, UserError, WorkerLost, first_line
from tfgan_mnist.system.runtime import without_noise
from tfgan_mnist.system.streams import say, warn
from tfgan_mnist.train import train_here
from tfgan_mnist.training.checkpoint import Checkpoints
from tfgan_mnist.training.run_directory import RunDirectory

if TYPE_CHECKING:  # it loads TensorFlow
    from tfgan_mnist.runner import Result
    from tfgan_mnist.training.distribution import Team

PATIENCE = 300  # seconds within which all workers must have met
STALLED = 2  # starts in a row that may fail to reach a new checkpoint
GRACE = 20  # seconds that the chief may take to say what another worker has said


@dataclasses.dataclass(frozen=True)
class End:
    """How a worker ended.

    Args:
      text: what it said of that.
      exit_code: 0, or why it did not finish: as ``command.run`` has it.
      step, seconds: what was reached.
    """

    text: str = ""
    exit_code: int = 0
    step: int = 0
    seconds: float = 0.0


class Coordinator:
    """Where workers leave what they have to tell, and read what they are asked."""

    def __init__(self):
        self.starts = 0
        self.came = False
        self.opened = False
        self.reason = ""
        self.lines: list[tuple[str, str]] = []
        self.ends: dict[int, End] = {}
        self.signal = 0

    def begin(self, rank: int) -> bool:
        """Notes that a worker begins; whether a chief has opened the run before."""
        self.starts += rank == 0
        return self.opened

    def meet(self) -> None:
        """Notes that all workers have found each other."""
        self.came = True

    def lose(self, reason: str) -> None:
        """Notes that a worker was lost, and with it all that were started."""
        self.came = False
        self.reason = reason

    def hear(self, stream: str, line: str) -> None:
        """Notes a line that the chief prints."""
        self.lines.append((stream, line))

    def end(self, rank: int, end: End) -> None:
        """Notes how a worker ended that Ray shall not start again."""
        self.ends[rank] = end

    def ask(self, number: int) -> None:
        """Asks the workers to stop, for a signal's number."""
        self.signal = number

    def asked(self) -> int:
        """What they are asked; the chief reads it once it has opened the run."""
        self.opened = True
        return self.signal

    def news(self) -> tuple[int, bool, str, list[tuple[str, str]], dict[int, End]]:
        """Starts, whether all are there, why not, new lines, and ends."""
        lines, self.lines = self.lines, []
        return self.starts, self.came, self.reason, lines, self.ends


# ------------------------------------------------------------------- in each worker


@dataclasses.dataclass(frozen=True)
class Job:
    """What a worker is given.

    Args:
      config: of the run.
      hooks: the caller's, for the chief.
      folder: where paths begin.
      coordinator: the handle of a ``Coordinator``.
    """

    config: Config
    hooks: Sequence[Any]
    folder: str
    coordinator: Any


def work(job: Job) -> None:
    """What each of Ray's workers does: the run, until it ends or a worker was lost.

    Raises:
      WorkerLost: if another has gone; Ray starts all of them again.
    """
    import ray
    from ray import train

    logging.getLogger().setLevel(logging.WARNING)  # as it is without Ray
    rank = train.get_context().get_world_rank()
    coordinator, config = job.coordinator, job.config
    again = ray.get(coordinator.begin.remote(rank))
    if again:
        config = dataclasses.replace(config, overwrite=False, resume=True)
    try:
        os.chdir(job.folder)
    except OSError as error:
        text = f"{job.folder}: not on {socket.gethostname()} ({error.strerror}); all "
        end = End(text + "workers need the folders that the run is in", 2)
        ray.get(coordinator.end.remote(rank, end))
        return
    asked = _Asked(lambda: ray.get(coordinator.asked.remote()))

    def joined(team: Team) -> None:
        coordinator.meet.remote()
        if team.is_chief:
            team.asked = asked

    try:
        with contextlib.ExitStack() as stack:
            if rank == 0:
                out = _Relay(lambda line: coordinator.hear.remote("stdout", line))
                errors = _Relay(lambda line: coordinator.hear.remote("stderr", line))
                stack.enter_context(out)
                stack.enter_context(errors)
                stack.enter_context(contextlib.redirect_stdout(out))
                stack.enter_context(contextlib.redirect_stderr(errors))
            result = train_here(config, None, job.hooks, joined)
        end = End(step=result.step, seconds=result.seconds)
    except WorkerLost:
        raise
    except RunStopped as stop:
        if rank and stop.exit_code > 128:  # a signal: the chief says it
            return
        end = End(str(stop), stop.exit_code)
    except UserError as error:
        if again:  # the worker that has gone may still hold the run directory's lock
            raise
        end = End(str(error), 2)
    except Exception as error:
        from tensorflow.errors import OpError, ResourceExhaustedError

        if isinstance(error, OpError) and not isinstance(error, ResourceExhaustedError):
            raise  # from the steps that the workers make together: another has gone
        for line in traceback.format_exc().splitlines():
            coordinator.hear.remote("stderr", line)
        end = End(f"worker {rank}: {type(error).__name__}: {first_line(error)}", 1)
    ray.get(coordinator.end.remote(rank, end))


class _Asked:
    """A signal's number, or 0, asked for at most once a second."""

    def __init__(self, ask: Callable[[], int]):
        self.ask = ask
        self.next = 0.0

    def __call__(self) -> int:
        if (now := time.monotonic()) < self.next:
            return 0
        self.next = now + 1.0
        return self.ask()


class _Relay(io.TextIOBase):
    """A stream that hands its lines on, whole."""

    def __init__(self, hand_on: Callable[[str], Any]):
        self.hand_on = hand_on
        self.begun = ""

    def write(self, text: str) -> int:
        *lines, self.begun = (self.begun + text).split("\n")
        for line in lines:
            self.hand_on(line)
        return len(text)

    def close(self) -> None:
        """Hands on a last line that has no end."""
        if self.begun:
            self.hand_on(self.begun)
            self.begun = ""
        super().close()


# ----------------------------------------------------- in a process that keeps them


def keep(job: Job, each: dict[str, float]) -> None:
    """Starts all workers, and starts them again when one has gone, until they end.

    It has a process of its own, so that it can be ended at any time.

    Args:
      job: the workers'.
      each: what each of them takes of the cluster.
    """
    with without_noise():
        from ray.train import FailureConfig, RunConfig, ScalingConfig, UserCallback
        from ray.train.tensorflow import TensorflowTrainer

    class Losses(UserCallback):
        """Tells the coordinator of each worker that has gone."""

        def after_exception(self, run_context, worker_exceptions):
            job.coordinator.lose.remote(_cause(worker_exceptions.values()))

    here = 0 if job.config.address else job.config.workers
    with tempfile.TemporaryDirectory() as notes:  # of Ray Train
        TensorflowTrainer(
            work,
            train_loop_config=job,
            scaling_config=ScalingConfig(
                num_workers=job.config.workers,
                use_gpu="GPU" in each,
                resources_per_worker=each,
            ),
            run_config=RunConfig(
                storage_path=notes,
                failure_config=FailureConfig(max_failures=-1),  # ``_watch`` counts
                callbacks=[Losses()],
                worker_runtime_env={"env_vars": engine.settings(here)},
            ),
        ).fit()


def _cause(errors: Iterable[Exception]) -> str:
    """What Ray says of a worker that was killed, or else an error that one raised."""
    texts = [str(error).strip() or type(error).__name__ for error in errors]
    traced = "Traceback"  # how Ray gives an error of our own
    text = min(texts, key=lambda text: text.startswith(traced))
    lines = text.splitlines()
    return first_line(lines[-1] if text.startswith(traced) else lines[0])


KEEPER = {
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",  # which prints all twice
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": str(PATIENCE),
}
"""What its environment has."""


# ------------------------------------------------------------ in whoever starts them


def launch(
    config: Config,
    echo: Callable[[str], None] | None = None,
    hooks: Sequence[Any] = (),
) -> Result:
    """Trains by Ray's workers, or goes on with a run.

    Args:
      config: of the run.
      echo: what is done with each log line; by default it is printed.
      hooks: as for ``train``; they are called in the chief's process, and come to it
        as copies.

    Raises:
      UserError, RunStopped: as ``train`` does.
    """
    flag, out = f"--workers={config.workers}", sys.stdout
    with (
        engine.connected(flag, config.address, config.workers) as ray,
        interrupts.caught(*interrupts.ENDING) as interrupted,
        # What Ray prints of itself is no part of the run's log.
        contextlib.redirect_stdout(sys.stderr),
    ):
        each = engine.of_each(ray, config.workers, flag)
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        options = {"num_cpus": 0, "scheduling_strategy": here}
        coordinator = ray.remote(Coordinator).options(**options).remote()
        job = Job(config, hooks, os.getcwd(), coordinator)
        options |= {"max_retries": 0, "runtime_env": {"env_vars": KEEPER}}
        kept = ray.remote(keep).options(**options).remote(job, each)
        said = echo or (lambda line: say(line, out))
        try:
            end = _watch(ray, coordinator, kept, interrupted, said, config)
        finally:  # where Ray is our caller's, it would go on
            ray.cancel(kept, force=True)
            ray.kill(coordinator)
    if end.exit_code == 2:
        raise UserError(end.text)
    if end.exit_code:
        raise RunStopped(end.text, end.exit_code)
    from tfgan_mnist.runner import Result

    directory = RunDirectory(config.run_dir)
    return Result(directory.path, directory.saved_model, end.step, end.seconds)


class Patience:
    """How often workers may be started again, and how long one waits for them.

    Args:
      flag: that asked for them, as messages name it.
      newest: the run's newest checkpoint, if it has one.
      now: the clock, in seconds.
    """

    def __init__(self, flag: str, newest: Path | None, now: float):
        self.flag = flag
        self.newest = newest
        self.starts = 1
        self.stalled = 0  # starts in a row without a new checkpoint
        self.met = now  # when all workers were last there

    def start_again(self, starts: int, reason: str, newest: Path | None) -> None:
        """Warns that all workers are started again.

        Args:
          starts: how often they have been started.
          reason: why one of them has gone.
          newest: the checkpoint that they begin from.

        Raises:
          RunStopped: if ``STALLED`` starts in a row have reached no new checkpoint.
        """
        self.stalled = self.stalled + 1 if newest == self.newest else 0
        self.starts, self.newest = starts, newest
        if self.stalled == STALLED:
            raise RunStopped(
                f"{self.flag}: a worker was lost ({reason}), and {STALLED} starts in a "
                "row have reached no new checkpoint; run the same command to go on"
            )
        warn(f"a worker was lost ({reason}); all are started again ({starts - 1})")

    def wait(self, came: bool, now: float) -> None:
        """Notes whether all workers are there.

        Raises:
          RunStopped: if they have not been for longer than ``PATIENCE``.
        """
        if came:
            self.met = now
        elif now - self.met > PATIENCE:
            raise RunStopped(
                f"{self.flag}: not all workers came within {PATIENCE:g} seconds; "
                "ray status tells what the cluster has room for"
            )


def _newest(checkpoints: Path) -> Path | None:
    """The newest checkpoint of a folder, by its name; it may be damaged."""
    return next(reversed(Checkpoints(checkpoints, keep=1).paths()), None)


def _watch(
    ray: Any,
    coordinator: Any,
    kept: Any,
    interrupted: Sequence[int],
    echo: Callable[[str], None],
    config: Config,
) -> End:
    """Prints what the chief says and hands a signal on, until the workers have ended.

    Args:
      ray: the module.
      coordinator: theirs.
      kept: what ``keep`` will have answered.
      interrupted: the signal's number, once it has come.
      echo: for the log's lines.
      config: of the run.

    Raises:
      RunStopped: if the workers do not meet in time or get no further, or a signal
        came before they had met.
    """
    flag, again = f"--workers={config.workers}", "run the same command to go on"
    checkpoints = RunDirectory(config.run_dir).checkpoints
    patience = Patience(flag, _newest(checkpoints), time.monotonic())
    told, failed = False, 0.0
    while True:
        over, _ = ray.wait([kept], timeout=0.2)
        starts, came, reason, lines, ends = ray.get(coordinator.news.remote())
        for stream, line in lines:
            echo(line) if stream == "stdout" else say(line, sys.stderr)
        now = time.monotonic()
        if any(end.exit_code for end in ends.values()):
            # The others may still be waiting for the worker that has ended.
            failed = failed or now
        started_again = starts > patience.starts
        heard = started_again or 0 in ends or now - failed > GRACE
        if over or (failed and heard):
            break
        if interrupted and not came:
            raise RunStopped(
                f"stopped by {signal.Signals(interrupted[0]).name} before all workers "
                f"had met; {again}",
                128 + interrupted[0],
            )
        if started_again:
            patience.start_again(starts, reason, _newest(checkpoints))
        patience.wait(came, now)
        if interrupted and not told:
            coordinator.ask.remote(interrupted[0])
            told = True
    if 0 in ends:
        return ends[0]
    if badly := [ends[rank] for rank in sorted(ends) if ends[rank].exit_code]:
        return badly[0]
    try:
        ray.get(kept)
        why = "nobody knows why"
    except Exception as error:  # Ray has many, and wraps all others
        why = first_line(getattr(error, "cause", None) or error)
    raise RunStopped(
        f"{flag}: the workers were started {starts} times and have gone each time "
        f"({why}); {again}"
    )
