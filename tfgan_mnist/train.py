"""Trains a recipe, or goes on with a run of it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfgan_mnist import pretrained
from tfgan_mnist.config import (
    Config,
    find_recipe,
    parse_config,
    read_config,
    recipe_header,
    recipes,
    refuse_bare_recipe,
)
from tfgan_mnist.registry import ADVERSARIAL, GAMES, find, is_own_judge
from tfgan_mnist.system import command, interrupts
from tfgan_mnist.system.cluster import read_cluster
from tfgan_mnist.system.errors import UserError, nearest
from tfgan_mnist.system.files import check_folder
from tfgan_mnist.system.flags import grouped_help
from tfgan_mnist.training.run_directory import RunDirectory

if TYPE_CHECKING:  # it loads TensorFlow
    from tfgan_mnist.runner import Result
    from tfgan_mnist.training.checkpoint import State
    from tfgan_mnist.training.distribution import Team
    from tfgan_mnist.training.loop import Hook

EXAMPLES = (
    "tfgan-mnist train dcgan_fast",
    "tfgan-mnist train cdcgan_fast --dataset=mnist5k --seed=7 --run_dir=runs/seven",
    "tfgan-mnist train --flagfile=my.flags --dry_run",
)
Flags = Config
SWITCHES = ("list_recipes", "dry_run")
_EXTRA_HELP = """\
Command:
  RECIPE, --flagfile=RECIPE       a packaged recipe's name, or a file of flags; flags
                                  after it win
  --list_recipes                  the packaged recipes
  --dry_run                       print the configuration, the networks and the plan;
                                  train nothing
  --help                          this page"""


def train(
    recipe: str | Path | Config,
    echo: Callable[[str], None] | None = None,
    hooks: Sequence[Hook | Callable[[State], None]] = (),
    **overrides: Any,
) -> Result:
    """Trains a recipe, or goes on with a run of it.

    >>> train("dcgan_cpu", max_seconds=60, run_dir="runs/try")  # doctest: +SKIP

    Args:
      recipe: a packaged recipe's name, a flagfile, or a Config.
      echo: what is done with each log line; by default it is printed.
      hooks: of one's own: functions that are called with the run's state every
        ``log_every`` steps and after the last, or ``training.loop.Hook`` objects that
        say when.
      **overrides: flags by name, in place of the recipe's.

    Raises:
      UserError: if it cannot be run as asked; nothing was touched.
      RunStopped: if it was interrupted or its losses stopped being finite; everything
        up to the last checkpoint is kept.
    """
    if isinstance(recipe, Config):
        config = recipe
    else:
        config = read_config(find_recipe(recipe, flag=""))
    unknown = overrides.keys() - {field.name for field in dataclasses.fields(Config)}
    if unknown:
        raise UserError(f"{min(unknown)!r} is no flag of a recipe")
    config = dataclasses.replace(config, **overrides)
    if config.workers:
        from tfgan_mnist.launch import launch

        RunDirectory(config.run_dir).check(config)
        _check_sources(config)
        return launch(config, echo, hooks)
    return train_here(config, echo, hooks)


def train_here(
    config: Config,
    echo: Callable[[str], None] | None = None,
    hooks: Sequence[Hook | Callable[[State], None]] = (),
    joined: Callable[[Team], None] = lambda team: None,
) -> Result:
    """The part of ``train`` that each worker has in it.

    Args:
      config, echo, hooks: as for ``train``.
      joined: is given the team once all its workers are there.
    """
    directory = RunDirectory(config.run_dir)
    distribute = "multi_worker" if config.workers else config.distribute
    cluster = None
    if distribute == "multi_worker":
        cluster = read_cluster()
        config.check_shares(len(cluster.addresses), "workers of TF_CONFIG")
    if not cluster or cluster.is_chief:
        directory.check(config)
    _check_sources(config)

    from tfgan_mnist.system.runtime import load_tensorflow

    def assembled() -> Team:
        from tfgan_mnist.training.distribution import assemble

        return assemble(distribute, cluster)

    with interrupts.deferred():
        team = load_tensorflow(assembled)
        from tfgan_mnist import runner, worker

    if team.replicas > 1:  # GPUs of each worker included
        config.check_shares(team.replicas, "replicas")
    joined(team)
    if config.data.count == 0:
        find("data.catalogue:prepare")(config.dataset, config.data_dir)
        config = dataclasses.replace(config)  # now all of it is known
    if not team.is_chief:
        return worker.follow(config, directory, team)
    return runner.run(config, directory, echo, hooks, team)


def _check_sources(config: Config) -> None:
    """Raises UserError if what a run reads is missing, as far as one can tell yet."""
    if config.data_dir and not config.data.is_toy:
        check_folder(Path(config.data_dir), "--data_dir")
    if is_own_judge(config.judge) and not Path(config.judge).is_file():
        raise UserError(f"--judge={config.judge}: there is no such file")
    begins = config.overwrite or not RunDirectory(config.run_dir).has_checkpoint()
    if config.init_from and begins and not pretrained.is_named(config.init_from):
        source = Path(config.init_from)
        if not source.exists():
            raise UserError(
                f"--init_from={source}: there is no such folder, nor a pretrained "
                f"model of this name; {nearest(str(source), pretrained.names())}"
            )
        check_folder(source, "--init_from")
        if not any(
            (source / name).exists() for name in ("saved_model.pb", "checkpoints")
        ):
            raise UserError(
                f"--init_from={source}: holds neither a SavedModel nor a checkpoint of "
                "a run"
            )


def _dry_run(config: Config) -> None:
    """Prints the resolved configuration, the networks and the plan."""
    _check_sources(config)
    from tfgan_mnist.system.runtime import load_tensorflow

    with interrupts.deferred():
        load_tensorflow()
        from tfgan_mnist.build import build_networks

    print("# Configuration\n" + config.to_flags())
    for network in build_networks(config).values():
        print(f"# {network.name}: {network.count_params():,} parameters")
        for layer in network.layers:
            output = layer.output[0] if isinstance(layer.output, list) else layer.output
            shape = "×".join(str(size) for size in output.shape[1:])
            print(f"  {type(layer).__name__:<22}{shape:<14}{layer.count_params():>12,}")
        print()
    print("# Plan\n" + plan(config))


def plan(config: Config) -> str:
    """What a run of this configuration does, in sentences."""
    shared = {
        "none": "each update on a batch and latents of its own",
        "batch": "all on one batch, each on latents of its own",
        "all": "all on one batch and one draw of latents",
    }[config.shared_draws]
    moves = (
        f"{config.discriminator_updates} × D, then {config.generator_updates} × G, "
        f"{shared}"
    )
    if config.simultaneous:
        moves = "D and G at once, from the same passes"
    alone = not (config.adversarial_weight or GAMES[config.game].both_ways)
    if config.game not in ADVERSARIAL or alone:
        moves = (
            f"{config.generator_updates} update{'s' * (config.generator_updates > 1)}"
        )
    limits = []
    if config.last_step is not None:
        limit, count = f"{config.last_step:,} steps", config.data.count
        if count:
            limit += f" ({config.last_step * config.batch_size / count:,.1f} epochs)"
        limits.append(limit)
    if config.max_seconds:
        limits.append(f"{config.max_seconds:g} seconds")
    first = ""
    if config.data.count == 0:
        first = " (downloaded first)"
        limits += [f"{config.epochs} epochs"] if config.epochs else []
    lines = [
        f"{' or '.join(limits)} on {config.dataset}{first}, {config.batch_size} a "
        "batch",
        f"a step: {moves}",
        f"a log line every {config.log_every:,} steps, a picture every "
        f"{config.sample_every:,}, a checkpoint every {config.checkpoint_every:,}",
        f"metrics every {config.evaluate_every:,} steps and of the finished model"
        if config.evaluate_every
        else "no metrics",
        f"all of it in {config.run_dir}",
    ]
    return "\n".join(f"  {line}" for line in lines)


def _list_recipes() -> None:
    found = recipes()
    width = max(map(len, found)) + 2
    for name, path in found.items():
        print(f"{name:<{width}}{recipe_header(path)[0]}")


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        flags = _EXTRA_HELP + "\n\n" + grouped_help(Flags)
        print(command.page(__doc__, EXAMPLES, flags))
        return
    if not argv:
        raise UserError(
            "nothing to train: give a recipe (--list_recipes shows them, --help all "
            "flags)"
        )
    if not argv[0].startswith("-"):
        argv = [f"--flagfile={find_recipe(argv[0], flag='')}", *argv[1:]]
    values = parse_config(argv, SWITCHES)
    list_recipes, dry_run = values.pop("list_recipes"), values.pop("dry_run")
    if list_recipes:
        _list_recipes()
        return
    refuse_bare_recipe(argv, values)
    config = Config(**values)
    if dry_run:
        _dry_run(config)
    else:
        train(config)


if __name__ == "__main__":
    sys.exit(command.run(main))
