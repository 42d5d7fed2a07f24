"""Trains a recipe: ``python -m tfgan_mnist.train --flagfile=dcgan.flags``."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tfgan_mnist import __version__, command
from tfgan_mnist.config import (
    Config,
    find_recipe,
    grouped_help,
    parse_flags,
    read_config,
    recipe_header,
    recipes,
)
from tfgan_mnist.errors import RunStopped, UserError
from tfgan_mnist.run_directory import RunDirectory

_EXTRA_HELP = """\
Commands:
  --flagfile=RECIPE               a packaged recipe's name, or a file of flags; flags
                                  after it win
  --list_recipes                  the packaged recipes
  --dry_run                       print the configuration, the networks and the plan;
                                  train nothing
  --help                          this page"""


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


def train(
    recipe: str | Path | Config,
    echo: Callable[[str], None] | None = None,
    **overrides: Any,
) -> Result:
    """Trains a recipe, or goes on with a run of it.

    >>> train("dcgan_cpu", max_seconds=60, run_dir="runs/try")  # doctest: +SKIP

    Args:
      recipe: a packaged recipe's name, a flagfile, or a Config.
      echo: what is done with each log line; by default it is printed.
      **overrides: flags by name, in place of the recipe's.

    Raises:
      UserError: if it cannot be run as asked; nothing was touched.
      RunStopped: if it was interrupted or its losses stopped being finite; everything
        up to the last checkpoint is kept.
    """
    config = recipe if isinstance(recipe, Config) else read_config(find_recipe(recipe))
    unknown = overrides.keys() - {field.name for field in dataclasses.fields(Config)}
    if unknown:
        raise UserError(f"{min(unknown)!r} is no flag of a recipe")
    config = dataclasses.replace(config, **overrides)
    directory = RunDirectory(config.run_dir)
    directory.check(config)

    from tfgan_mnist.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.build import build_training

    with _interrupts() as interrupted:
        training = build_training(config)
        try:
            with directory.open(config) as removed:
                return _train(config, directory, training, removed, interrupted, echo)
        except OSError as error:
            raise RunStopped(
                f"cannot write to {directory.path} ({error.strerror or error}): the last "
                "checkpoint is kept; make room, then run the same command to go on"
            ) from error


def _train(config, directory, training, removed, interrupted, echo) -> Result:
    from tfgan_mnist import saving
    from tfgan_mnist.build import build_gan, build_montage
    from tfgan_mnist.training import hooks, loop
    from tfgan_mnist.training.checkpoint import Checkpoints, State

    import tensorflow as tf

    checkpoints = Checkpoints(directory.checkpoints, config.keep_checkpoints, _warn)
    state = State(training.variables)
    if checkpoints.restore(state):
        message = f"resuming at step {state.step:,}"
    else:
        message = "training" + (
            f" anew; removed {', '.join(removed)}" if removed else ""
        )
    directory.truncate_metrics(state.step)

    board = hooks.Board(directory, state.step)
    clock = hooks.Clock(state, config.batch_size, config.last_step, config.max_seconds)
    step = training.step
    bar = hooks.Bar(state, clock, lambda: step.names)
    echo = echo or bar.echo
    echo(f"{directory.path}: {message}")
    watchers = [
        bar,
        hooks.Log(config.log_every, lambda: step.names, directory, board, clock, echo),
        hooks.Montages(
            config.sample_every, build_montage(config, training), directory, board
        ),
        hooks.Saver(config.checkpoint_every, checkpoints),
    ]
    try:
        finished = loop.run(
            lambda first, count: step(tf.constant(first), tf.constant(count)).numpy(),
            lambda: step.names,
            state,
            watchers,
            config.last_step,
            config.max_seconds,
            config.steps_per_call,
            lambda: bool(interrupted),
        )
        if not finished:
            watchers[-1](state)
            raise RunStopped(
                f"stopped by {signal.Signals(interrupted[0]).name} at step "
                f"{state.step:,}, saved; run the same command to go on from there",
                exit_code=128 + interrupted[0],
            )
    finally:
        bar.close()
        board.close()

    # Saved in float32 whatever it was trained in: a server may know nothing else.
    gan = build_gan(dataclasses.replace(config, mixed_precision=False))
    gan.generator.set_weights(training.sampler.get_weights())
    gan.discriminator.set_weights(training.gan.discriminator.get_weights())
    saving.save(directory.saved_model, gan, gan.generator, _metadata(config, state))
    _draw_summary(directory, state.step)
    echo(
        f"{directory.path}: {state.step:,} steps in {hooks.duration(state.seconds)}; "
        f"see {directory.sample_path(state.step).name}, {directory.animation.name}, "
        f"{directory.loss_plot.name} and {directory.saved_model.name}/"
    )
    return Result(directory.path, directory.saved_model, state.step, state.seconds)


def _metadata(config: Config, state) -> dict[str, Any]:
    import tensorflow as tf

    return {
        "recipe": config.recipe,
        "step": state.step,
        "seconds": round(state.seconds, 1),
        "dataset": config.dataset,
        "averaged_weights": bool(config.ema_decay),
        "labels": 0,
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "tfgan_mnist": __version__,
        "tensorflow": tf.__version__,
        "flags": dataclasses.asdict(config),
    }


def _draw_summary(directory: RunDirectory, step: int) -> None:
    """The animation of the montages and the plot of the losses."""
    import imageio.v3 as imageio

    from tfgan_mnist.files import whole_file
    from tfgan_mnist.visual.animation import write_gif
    from tfgan_mnist.visual.plots import plot_curves

    frames = [imageio.imread(path) for path in directory.sample_paths(step)]
    with whole_file(directory.animation) as unfinished:
        write_gif(frames, unfinished)
    columns = directory.read_metrics()
    curves = {
        player: columns[f"{name}"]
        for player, name in (("D", "discriminator"), ("G", "generator"))
        if name in columns
    }
    with whole_file(directory.loss_plot) as unfinished:
        plot_curves(columns["step"], curves, unfinished, "loss")


@contextlib.contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Yields a list that gets the number of the first SIGINT or SIGTERM.

    A second one acts as it always does. Only the main thread can catch signals; in
    another one the list stays empty.
    """
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}

    def catch(number, frame):
        caught.append(number)
        for which, handler in before.items():
            signal.signal(which, handler)

    for which in before:
        signal.signal(which, catch)
    try:
        yield caught
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


def _warn(message: str) -> None:
    print(f"warning: {message}", file=sys.stderr)


def _dry_run(config: Config) -> None:
    """Prints the resolved configuration, the networks and the plan."""
    from tfgan_mnist.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.build import build_networks

    print("# Configuration\n" + config.to_flags())
    for network in build_networks(config):
        print(f"# {network.name}: {network.count_params():,} parameters")
        for layer in network.layers:
            shape = "×".join(str(size) for size in layer.output.shape[1:])
            print(f"  {type(layer).__name__:<22}{shape:<14}{layer.count_params():>12,}")
        print()
    print("# Plan\n" + plan(config))


def plan(config: Config) -> str:
    """What a run of this configuration does, in sentences."""
    from tfgan_mnist.config import DATASETS

    shared = "the same latents" if config.share_latents else "fresh latents"
    limits = []
    if config.last_step is not None:
        passes = config.last_step * config.batch_size / DATASETS[config.dataset]
        limits.append(f"{config.last_step:,} steps ({passes:,.1f} epochs)")
    if config.max_seconds:
        limits.append(f"{config.max_seconds:g} seconds")
    lines = [
        f"{' or '.join(limits)} on {config.dataset}, {config.batch_size} images a batch",
        f"a step: {config.discriminator_updates} × D, then {config.generator_updates} "
        f"× G, on {shared}",
        f"a log line every {config.log_every:,} steps, a montage every "
        f"{config.sample_every:,}, a checkpoint every {config.checkpoint_every:,}",
        f"all of it in {config.run_dir}",
    ]
    return "\n".join(f"  {line}" for line in lines)


def _list_recipes() -> None:
    for name, path in recipes().items():
        print(f"{name:<16}{recipe_header(path)[0]}")


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        print(__doc__.strip() + "\n\n" + _EXTRA_HELP + "\n\n" + grouped_help(Config))
        return
    if command.take(argv, "list_recipes"):
        _list_recipes()
        return
    dry_run, argv = command.take(argv, "dry_run"), command.without(argv, "dry_run")
    if not argv:
        raise UserError(
            "nothing to train: give --flagfile=RECIPE (--list_recipes shows them, "
            "--help all flags)"
        )
    config = Config(**parse_flags(argv, Config))
    _dry_run(config) if dry_run else train(config)


if __name__ == "__main__":
    sys.exit(command.run(main))
