"""Starts the workers of a run, watches them, and starts them again: ``--workers``.

Ray does it. Each worker makes the run as it does under ``--distribute=multi_worker``;
what they and this process have to tell each other goes over a desk, an object of Ray's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tfgan_mnist.config import Config
from tfgan_mnist.system import engine, interrupts
from tfgan_mnist.system.errors import RunStopped, UserError, WorkerLost, first_line
from tfgan_mnist.system.runtime import without_noise
from tfgan_mnist.system.streams import say, warn
from tfgan_mnist.train import train_here
from tfgan_mnist.training.run_directory import RunDirectory

if TYPE_CHECKING:  # it loads TensorFlow
    from tfgan_mnist.runner import Result
    from tfgan_mnist.training.distribution import Team

PATIENCE = 300  # seconds within which all workers must have met
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


class Desk:
    """Where workers leave what they have to tell, and read what they are asked."""

    def __init__(self):
        self.starts = 0
        self.came = False
        self.lines: list[tuple[str, str]] = []
        self.ends: dict[int, End] = {}
        self.signal = 0

    def begin(self, rank: int) -> bool:
        """Notes that a worker begins; whether a chief has opened the run before."""
        self.starts += rank == 0
        return self.came

    def meet(self) -> None:
        """Notes that all workers have found each other."""
        self.came = True

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
        """What they are asked."""
        return self.signal

    def news(self) -> tuple[int, bool, list[tuple[str, str]], dict[int, End]]:
        """Starts, whether all came, lines since the last time, and ends."""
        lines, self.lines = self.lines, []
        return self.starts, self.came, lines, self.ends


# ------------------------------------------------------------------- in each worker


@dataclasses.dataclass(frozen=True)
class Job:
    """What a worker is given.

    Args:
      config: of the run.
      hooks: the caller's, for the chief.
      folder: where paths begin.
      desk: the handle of a ``Desk``.
    """

    config: Config
    hooks: Sequence[Any]
    folder: str
    desk: Any


def work(job: Job) -> None:
    """What each of Ray's workers does: the run, until it ends or a worker has gone.

    Raises:
      WorkerLost: if another has gone; Ray starts all of them again.
    """
    import ray
    from ray import train

    logging.getLogger().setLevel(logging.WARNING)  # as it is without Ray
    rank = train.get_context().get_world_rank()
    desk, config = job.desk, job.config
    again = ray.get(desk.begin.remote(rank))
    if again:
        config = dataclasses.replace(config, overwrite=False, resume=True)
    try:
        os.chdir(job.folder)
    except OSError as error:
        text = f"{job.folder}: not on {socket.gethostname()} ({error.strerror}); all "
        end = End(text + "workers need the folders that the run is in", 2)
        ray.get(desk.end.remote(rank, end))
        return
    asked = _Asked(lambda: ray.get(desk.asked.remote()))

    def joined(team: Team) -> None:
        desk.meet.remote()
        if team.is_chief:
            team.asked = asked

    try:
        with contextlib.ExitStack() as stack:
            if rank == 0:
                out = _Relay(lambda line: desk.hear.remote("stdout", line))
                errors = _Relay(lambda line: desk.hear.remote("stderr", line))
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
    ray.get(desk.end.remote(rank, end))


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
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.tensorflow import TensorflowTrainer

    here = 0 if job.config.address else job.config.workers
    failures = FailureConfig(
        max_failures=engine.RESTARTS, controller_failure_limit=engine.RESTARTS
    )
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
                failure_config=failures,
                worker_runtime_env={"env_vars": engine.settings(here)},
            ),
        ).fit()


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
        desk = ray.remote(Desk).options(num_cpus=0).remote()
        job = Job(config, hooks, os.getcwd(), desk)
        options = {"num_cpus": 0, "max_retries": 0, "runtime_env": {"env_vars": KEEPER}}
        kept = ray.remote(keep).options(**options).remote(job, each)
        said = echo or (lambda line: say(line, out))
        end = _watch(ray, desk, kept, interrupted, said, flag)
    if end.exit_code == 2:
        raise UserError(end.text)
    if end.exit_code:
        raise RunStopped(end.text, end.exit_code)
    from tfgan_mnist.runner import Result

    directory = RunDirectory(config.run_dir)
    return Result(directory.path, directory.saved_model, end.step, end.seconds)


def _watch(
    ray: Any,
    desk: Any,
    kept: Any,
    interrupted: Sequence[int],
    echo: Callable[[str], None],
    flag: str,
) -> End:
    """Prints what the chief says and hands a signal on, until the workers have ended.

    Args:
      ray: the module.
      desk: theirs.
      kept: what ``keep`` will have answered.
      interrupted: the signal's number, once it has come.
      echo: for the log's lines.
      flag: how many they are.
    """
    begun, told, known, failed = time.monotonic(), False, 1, 0.0
    while True:
        over, _ = ray.wait([kept], timeout=0.2)
        starts, came, lines, ends = ray.get(desk.news.remote())
        for stream, line in lines:
            echo(line) if stream == "stdout" else say(line, sys.stderr)
        if starts > known:
            warn(f"a worker has gone; all are started again ({starts - 1})")
            known = starts
        if over:
            break
        now = time.monotonic()
        if any(end.exit_code for end in ends.values()):
            # The others may still be waiting for the worker that has ended.
            failed = failed or now
            if now - failed > GRACE:
                break
        if interrupted and not told:
            desk.ask.remote(interrupted[0])
            told = True
        if not came and now - begun > PATIENCE:
            raise RunStopped(
                f"{flag}: not all workers came within {PATIENCE:g} seconds; ray status "
                "tells what the cluster has room for"
            )
    if ends:
        return ends[min(ends)]
    try:
        ray.get(kept)
        why = "nobody knows why"
    except Exception as error:  # Ray has many, and wraps all others
        why = first_line(getattr(error, "cause", None) or error)
    raise RunStopped(
        f"{flag}: the workers were started {starts} times and have gone each time "
        f"({why}); run the same command to go on from the last checkpoint"
    )
