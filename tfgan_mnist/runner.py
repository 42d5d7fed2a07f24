"""One run from its configuration to its SavedModel, resumed where it was left."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import json
import math
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import tensorflow as tf

from tfgan_mnist import __version__
from tfgan_mnist.build import (
    Training,
    build_evaluation,
    build_gan,
    build_picture,
    build_training,
)
from tfgan_mnist.config import DATASETS, Config, read_config
from tfgan_mnist.evaluation import report as scores
from tfgan_mnist.evaluation.protocols import PROTOCOLS
from tfgan_mnist.gans.losses import LOSSES
from tfgan_mnist.serving import writer as saving
from tfgan_mnist.serving.saved_model import read_metadata
from tfgan_mnist.system import interrupts
from tfgan_mnist.system.errors import NotFiniteError, RunStopped
from tfgan_mnist.system.files import whole_file
from tfgan_mnist.system.runtime import without_noise
from tfgan_mnist.training import hooks, loop
from tfgan_mnist.training.alarm import PATIENCE, Alarm
from tfgan_mnist.training.checkpoint import Checkpoints, State
from tfgan_mnist.training.run_directory import RunDirectory
from tfgan_mnist.visual.animation import write_gif
from tfgan_mnist.visual.plots import plot_curves, plot_panels

Export = Callable[[Path, dict[str, Any]], None]
Observer = Callable[[State, dict[str, float]], None]


@dataclasses.dataclass(frozen=True)
class Result:
    """What ``train`` leaves.

    Attributes:
      run_dir: where it all is.
      saved_model: the trained generator's folder.
      step: steps made.
      seconds: time spent on them, resumed time included.
    """

    run_dir: Path
    saved_model: Path
    step: int
    seconds: float


def run(
    config: Config, directory: RunDirectory, echo: Callable[[str], None] | None = None
) -> Result:
    """Trains, or goes on, until the configuration's first limit; then saves the model.

    Args:
      config: what to train.
      directory: where.
      echo: what is done with each log line; by default it is printed, above the
        progress bar.

    Raises:
      UserError: if the data or the directory cannot be had; nothing was touched.
      RunStopped: if it was interrupted (after the last step: once it is finished), its
        losses or weights stopped being finite, or the disk is full; the last
        checkpoint is kept.
    """
    with interrupts.noticed(signal.SIGINT, signal.SIGTERM) as interrupted:
        training = build_training(config)
        # Whatever it lacks is said before anything is trained.
        evaluate = build_evaluation(config, training) if config.evaluate_every else None
        checkpoints = Checkpoints(directory.checkpoints, config.keep_checkpoints, _warn)
        state = State(training.variables)
        try:
            with directory.open(config) as removed:
                checkpoints.restore(state)
                if not _is_complete(config, directory, state):
                    (echo or print)(_beginning(directory, state, removed))
                    saver = hooks.Saver(config.checkpoint_every, checkpoints)
                    export = exporter(config, training)
                    _train(
                        config,
                        directory,
                        training,
                        state,
                        evaluate,
                        export,
                        saver,
                        interrupted,
                        echo,
                    )
                    _finish(config, directory, export, state)
        except NotFiniteError as error:
            raise RunStopped(
                f"{error}: the run cannot go on. {_kept(checkpoints)}; lower the "
                "learning rates, in another --run_dir or with --overwrite"
            ) from None
        except BrokenPipeError:  # who reads our lines has left: not the disk's fault
            raise
        except OSError as error:
            raise RunStopped(
                f"cannot write to {directory.path} ({error.strerror or error}). "
                f"{_kept(checkpoints)}; make room, then {_go_on(config)}"
            ) from error
    (echo or print)(
        f"{directory.path}: {state.step:,} steps in {hooks.duration(state.seconds)}; "
        f"see {directory.sample_path(state.step).relative_to(directory.path)}, "
        f"{directory.animation.name}, {directory.loss_plot.name} and "
        f"{directory.saved_model.name}/"
    )
    if config.evaluate_every:
        (echo or print)(scores.table(_read_scores(directory)))
        best = read_metadata(directory.best_model)
        if best and best["step"] != state.step:
            least = ", ".join(f"{n} was {x:.4g}" for n, x in best["score"].items())
            (echo or print)(
                f"{directory.best_model.name}/ is of step {best['step']:,}, where "
                f"{least}, the least of the run"
            )
    if interrupted:
        raise RunStopped(
            f"{signal.Signals(interrupted[0]).name} came after the last step; the run "
            "is finished",
            exit_code=128 + interrupted[0],
        )
    return Result(directory.path, directory.saved_model, state.step, state.seconds)


def _go_on(config: Config) -> str:
    """How to resume; the flags that would prevent it are named."""
    hindrance = "--overwrite" if config.overwrite else "--noresume"
    without = f" without {hindrance}" if config.overwrite or not config.resume else ""
    return f"run the same command{without} to go on from there"


def _kept(checkpoints: Checkpoints) -> str:
    (*_, newest) = [None, *checkpoints.paths()]
    return f"{newest.name} is kept" if newest else "There is no checkpoint yet"


def _is_complete(config: Config, directory: RunDirectory, state: State) -> bool:
    """Whether a limit is met already, and what the run leaves is there."""
    at_end = config.last_step is not None and state.step >= config.last_step
    out_of_time = config.max_seconds and state.seconds >= config.max_seconds
    pictures = (directory.animation, directory.loss_plot)
    scored = _read_scores(directory).get("step") == state.step
    return bool(
        (at_end or out_of_time)
        and read_metadata(directory.saved_model).get("step") == state.step
        and all(path.is_file() for path in pictures)
        and (scored or not config.evaluate_every)
    )


def _read_scores(directory: RunDirectory) -> dict[str, Any]:
    """What scores.json holds; empty if it is not there, or not a record of scores."""
    try:
        found = json.loads(directory.scores.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and "scores" in found else {}


def _beginning(directory: RunDirectory, state: State, removed: list[str]) -> str:
    """The first line of the log."""
    what = f"resuming at step {state.step:,}" if state.step else "training"
    if removed:
        what += f" anew, removed {', '.join(removed)}"
    return f"{directory.path}: {what}"


def _train(
    config: Config,
    directory: RunDirectory,
    training: Training,
    state: State,
    evaluate: Callable[[], dict[str, float]] | None,
    export: Export,
    saver: hooks.Saver,
    interrupted: list[int],
    echo: Callable[[str], None] | None,
) -> None:
    """Makes the steps that are left; the state is then of the last."""
    directory.truncate_metrics(state.step)
    step = training.step
    board = hooks.Board(directory, state.step)
    clock = hooks.Clock(
        state,
        config.batch_size,
        DATASETS[config.dataset].makes,
        config.last_step,
        config.max_seconds,
    )
    bar = hooks.Bar(state, clock, lambda: step.names)
    echo = echo or bar.echo
    alarm, observers = _observers(config, directory, state.step, export, echo)
    log = hooks.Log(config.log_every, lambda: step.names, directory, board, clock, echo)
    picture = build_picture(config, training)
    watchers = [
        bar,
        log,
        hooks.Pictures(config.sample_every, picture, directory, board),
        saver,
    ]
    if evaluate:
        scored = hooks.Scores(config.evaluate_every, evaluate, log, observers)
        watchers.insert(1, scored)
    started = state.step

    def collapsed() -> bool:
        return config.stop_on_collapse and bool(alarm.rung)

    def advance(first: int, count: int) -> np.ndarray:
        # The first call compiles, and XLA has much to say of that.
        with without_noise() if first == started else contextlib.nullcontext():
            return step(tf.constant(first), tf.constant(count)).numpy()

    try:
        finished = loop.run(
            advance,
            lambda: step.names,
            state,
            watchers,
            config.last_step,
            config.max_seconds,
            config.steps_per_call,
            lambda: bool(interrupted or collapsed()),
        )
        if not finished and collapsed():
            saver(state)
            (sentence, *_) = alarm.rung.values()
            raise RunStopped(
                f"stopped by --stop_on_collapse: {sentence}. {_kept(saver.checkpoints)}"
                "; --nostop_on_collapse goes on"
            )
        if not finished:
            saver(state)
            raise RunStopped(
                f"stopped by {signal.Signals(interrupted[0]).name} at step "
                f"{state.step:,}, saved; {_go_on(config)}",
                exit_code=128 + interrupted[0],
            )
    finally:
        bar.close()
        board.close()


def _finish(
    config: Config, directory: RunDirectory, export: Export, state: State
) -> None:
    """Writes what a finished run leaves: animation, plots, model and its scores."""
    frames = [imageio.imread(path) for path in directory.sample_paths(state.step)]
    with whole_file(directory.animation) as unfinished:
        write_gif(frames, unfinished)
    columns = directory.read_metrics()
    curves = {"D": columns["discriminator"], "G": columns["generator"]}
    with whole_file(directory.loss_plot) as unfinished:
        plot_curves(columns["step"], curves, unfinished, "loss")

    export(directory.saved_model, metadata(config, state))
    if config.evaluate_every:
        _score(directory)


def exporter(config: Config, training: Training) -> Export:
    """(path, metadata) → saves the model as it is then.

    In float32 whatever it is trained in: a server may know nothing else.
    """

    @functools.cache
    def writer() -> saving.Writer:
        return saving.Writer(
            build_gan(
                dataclasses.replace(config, mixed_precision=False),
                training.gan.clusters,
            )
        )

    def export(path: Path, made_by: dict[str, Any]) -> None:
        copy = writer().gan
        copy.generator.set_weights(training.sampler.get_weights())
        copy.discriminator.set_weights(training.gan.discriminator.get_weights())
        writer().write(path, made_by)

    return export


def _observers(
    config: Config,
    directory: RunDirectory,
    step: int,
    export: Export,
    echo: Callable[[str], None],
) -> tuple[Alarm, list[Observer]]:
    """What looks at each score: the alarm, and the keeper of the best model.

    Both know what the run's earlier processes saw, up to a step.
    """
    history = _scored_rows(config, directory)
    alarm = _alarm(config, lambda sentence: echo(f"alarm: {sentence}"))
    alarm.replay(history)
    observers: list[Observer] = [lambda state, figures: alarm(state.step, figures)]
    if name := PROTOCOLS[config.dataset].distance:

        def keep(state: State, distance: float) -> None:
            score = {"score": {name: distance}}
            export(directory.best_model, metadata(config, state) | score)

        least = min((row[name] for _, row in history), default=math.inf)
        best = read_metadata(directory.best_model)
        if best.get("step", math.inf) <= step:
            least = min(least, best["score"][name])
        observers.append(hooks.Best(name, least, keep))
    return alarm, observers


def _alarm(config: Config, ring: Callable[[str], None]) -> Alarm:
    protocol, loss = PROTOCOLS[config.dataset], LOSSES[config.loss]
    won = dict(loss.won)
    if "discriminator" in won:
        won["discriminator"] *= config.discriminator_loss_weight
    return Alarm(won, protocol.expected, protocol.distance, ring)


def alarms(directory: RunDirectory) -> list[str] | None:
    """What the alarm has said in a run; None if there are too few scores to judge."""
    config = read_config(directory.config)
    rows = _scored_rows(config, directory)
    alarm = _alarm(config, lambda sentence: None)
    alarm.replay(rows)
    return None if len(rows) < PATIENCE else list(alarm.rung.values())


def _scored_rows(
    config: Config, directory: RunDirectory
) -> list[tuple[int, dict[str, float]]]:
    """The rows of metrics.csv that have scores, by their steps."""
    protocol = PROTOCOLS[config.dataset]
    watched = {*protocol.expected, protocol.distance} - {""}
    columns = directory.read_metrics()
    rows = [
        {name: x for name, x in zip(columns, row, strict=True) if not math.isnan(x)}
        for row in zip(*columns.values(), strict=True)
    ]
    return [
        (int(row["step"]), row)
        for row in rows
        if config.evaluate_every and not row["step"] % config.evaluate_every
        if watched <= row.keys()
    ]


def _score(directory: RunDirectory) -> None:
    """Writes the finished model's scores, and their curves over the run."""
    found = scores.score(saving.SavedGenerator(directory.saved_model), glance=True)
    with whole_file(directory.scores) as unfinished:
        unfinished.write_text(json.dumps(found, indent=2) + "\n")
    columns = directory.read_metrics()
    curves = {name: columns[name] for name in found["scores"] if name in columns}
    if curves:
        levels = {n: s["real"] for n, s in found["scores"].items() if "real" in s}
        with whole_file(directory.scores_plot) as unfinished:
            plot_panels(columns["step"], curves, levels, unfinished, "step")


def metadata(config: Config, state: State) -> dict[str, Any]:
    """What made a model, for its reader; nothing of the machine it was made on."""
    flags = dataclasses.asdict(config)
    for place in ("run_dir", "data_dir"):
        del flags[place]
    return {
        "recipe": config.recipe,
        "step": state.step,
        "seconds": round(state.seconds, 1),
        "dataset": config.dataset,
        "averaged_weights": bool(config.ema_decay),
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "tfgan_mnist": __version__,
        "tensorflow": tf.__version__,
        "flags": flags,
    }


def _warn(message: str) -> None:
    print(f"warning: {message}", file=sys.stderr)
