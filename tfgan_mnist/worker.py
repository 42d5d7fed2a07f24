"""A worker of a distributed run that is not its chief: the same steps, nothing else.

It asks and answers at the same places as the chief, which ``runner`` leads through the
run: every one of them waits for the others there.
"""

from __future__ import annotations

import signal

import tensorflow as tf

from tfgan_mnist.build import build_training
from tfgan_mnist.config import Config
from tfgan_mnist.runner import Result
from tfgan_mnist.system import interrupts
from tfgan_mnist.system.errors import NotFiniteError, RunStopped, WorkerLost, first_line
from tfgan_mnist.system.streams import warn
from tfgan_mnist.training import loop
from tfgan_mnist.training.checkpoint import Checkpoints, State
from tfgan_mnist.training.distribution import COLLAPSED, OVER, Team
from tfgan_mnist.training.run_directory import RunDirectory
from tfgan_mnist.training.transfer import Start


def follow(config: Config, directory: RunDirectory, team: Team) -> Result:
    """Makes the steps of a run with the others, until the chief has no more.

    Raises:
      RunStopped: if the run was stopped, another worker was lost, or this one was
        started with other flags or finds another checkpoint than the chief.
    """
    try:
        return _follow(config, directory, team)
    except NotFiniteError as error:  # the chief sees it too, and says what to do
        raise RunStopped(f"{error}: the run cannot go on") from None
    except tf.errors.ResourceExhaustedError:  # this one's own, out of memory
        raise
    except tf.errors.OpError as error:
        raise WorkerLost(
            f"another worker was lost ({first_line(error)}); start the same command on "
            "each worker to go on from the last checkpoint"
        ) from None


def _follow(config: Config, directory: RunDirectory, team: Team) -> Result:
    with interrupts.caught(*interrupts.ENDING) as interrupted:
        with team.strategy.scope():
            training = build_training(config)
        state = State(training.variables)
        checkpoints = Checkpoints(directory.checkpoints, config.keep_checkpoints, warn)
        start = None
        if config.init_from and (config.overwrite or not checkpoints.paths()):
            start = Start(config.init_from, training.variables, training.gan.frozen)
        # It is answered when the chief has opened the run's folder.
        step, over, flags = team.agree(0, 0, 0)
        if flags != config.fingerprint:
            raise RunStopped(
                f"worker {team.cluster.index}: its flags are not the chief's; start "
                "the same command on each worker"
            )
        if over == OVER:  # a signal is asked for again at the first step
            return Result(directory.path, directory.saved_model, int(step), 0.0)
        restored = checkpoints.restore(state)
        if state.step != step:
            raise RunStopped(
                f"--run_dir={directory.path}: is at step {state.step:,} here and at "
                f"step {step:,.0f} for the chief; all workers need the same folder"
            )
        if start and not restored:
            start.assign(training.variables)
            training.gan.renew(config.seed)
        reason = loop.run(
            training.step.advance,
            lambda: training.step.names,
            state,
            [Unheard()],
            config.last_step,
            config.max_seconds,
            config.steps_per_call,
            lambda: interrupted[0] if interrupted else 0,
            team.agree,
        )
    if reason == COLLAPSED:
        raise RunStopped("stopped with the others by --stop_on_collapse")
    if reason:
        name = signal.Signals(reason).name
        raise RunStopped(
            f"stopped with the others by {name} at step {state.step:,}",
            exit_code=128 + reason,
        )
    return Result(directory.path, directory.saved_model, state.step, state.seconds)


class Unheard:
    """In the place of the chief's hooks: forgets the losses that nobody logs here."""

    every = 0
    at_start = False
    at_end = False

    def __call__(self, state: State) -> None:
        state.losses = state.losses[:0]
