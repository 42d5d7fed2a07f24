"""Trains a recipe from many seeds and with many values of its flags; a table of all."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from tfgan_mnist.config import Config, find_recipe, parse_config, refuse_bare_recipe
from tfgan_mnist.serving.saved_model import check_own_model
from tfgan_mnist.system import command, engine, interrupts
from tfgan_mnist.system.errors import RunStopped, UserError
from tfgan_mnist.system.files import atomic_file
from tfgan_mnist.system.flags import (
    check_flags,
    flag,
    grouped_help,
    parse_flags,
    parse_numbers,
)
from tfgan_mnist.system.records import DamagedError, read_json
from tfgan_mnist.system.streams import say
from tfgan_mnist.system.tables import columns, spread
from tfgan_mnist.training.run_directory import RunDirectory

EXAMPLES = (
    "tfgan-mnist sweep dcgan_fast --seeds=20",
    "tfgan-mnist sweep dcgan_cpu --base_channels=16,32 --r1_weight=0,0.1 --seeds=1-3",
    "tfgan-mnist sweep dcgan_fast --seeds=20 --address=head:6379",
)
_EXTRA_HELP = """\
Command:
  RECIPE, --flagfile=RECIPE       a packaged recipe's name, or a file of flags
  --FLAG=A,B,C                    any flag of train (tfgan-mnist train --help): a run
                                  with each value, and with each pair where two flags
                                  have several"""


@dataclasses.dataclass(frozen=True)
class Flags:
    seeds: str = flag(
        "1", "Sweep", "how many, from 1 on: 20; or which: 1-3, or 2,3 (one: 7-7)"
    )
    run_dir: str = flag("", "Sweep", "folder of all the runs; empty: runs/RECIPE-sweep")
    at_once: int = flag(
        0,
        "Sweep",
        "runs at a time, by Ray; each takes a core, or a GPU where there are any. 0: "
        "one after another, or with --address as many as there is room for",
        low=0,
        high=10_000,
    )
    address: str = flag(
        "", "Sweep", "host:port of a Ray cluster for them; empty: this machine"
    )

    def __post_init__(self):
        check_flags(self)
        self.numbers  # noqa: B018 (it is checked)

    @property
    def numbers(self) -> list[int]:
        """The seeds."""
        if self.seeds.isdecimal() and self.seeds != "0":
            return parse_numbers(f"1-{self.seeds}", "seeds", "a seed", 100_000)
        return parse_numbers(self.seeds, "seeds", "a seed", 100_000)


def plan(argv: Sequence[str]) -> tuple[Flags, dict[str, Config]]:
    """What a command line asks for: the runs, by their names.

    Raises:
      UserError: if one of them cannot be trained as it is asked for.
    """
    own = {field.name for field in dataclasses.fields(Flags)}
    ours, words = [], []
    for word in argv:
        name = word.lstrip("-").partition("=")[0]
        (ours if word.startswith("-") and name in own else words).append(word)
    if not words:
        raise UserError("nothing to train: give a recipe (train --list_recipes)")
    if not words[0].startswith("-"):
        words[0] = f"--flagfile={find_recipe(words[0], flag='')}"
    flags = Flags(**parse_flags(ours, Flags))
    fixed, swept = [], {}
    for word in words:
        name, _, values = word.lstrip("-").partition("=")
        if name == "seed":
            some = f"{values}-{values}" if values.isdecimal() else values or "1-3"
            raise UserError(f"{word}: seeds of a sweep are given as --seeds={some}")
        if "," in values:
            swept[name] = values.split(",")
        else:
            fixed.append(word)
    values = parse_config(fixed)
    refuse_bare_recipe(fixed, values)
    folder = Path(flags.run_dir or f"runs/{values['recipe']}-sweep")
    runs: dict[str, Config] = {}
    for chosen in itertools.product(*swept.values()):
        settings = dict(zip(swept, chosen, strict=True))
        for seed in flags.numbers:
            every = [f"{name}={value}" for name, value in settings.items()]
            name = "_".join(re.sub(r"[^\w.=+-]", "-", s) for s in [*every, f"{seed=}"])
            if name in runs:
                raise UserError(f"{name}: this run is asked for twice")
            words = [*fixed, *(f"--{setting}" for setting in every), f"--seed={seed}"]
            runs[name] = Config(**parse_config([*words, f"--run_dir={folder / name}"]))
            _check(runs[name])
    return flags, runs


def _check(config: Config) -> None:
    """Raises UserError if a run may not start in its folder, or is none for a sweep."""
    advice = {
        "overwrite": "remove the folder",
        "workers": "give --at_once",
        "address": "give it on the command line, not in the recipe",
    }
    for name, what in advice.items():
        if value := getattr(config, name):
            raise UserError(f"--{name}={value}: not in a sweep; {what}")
    if config.distribute != "none":
        raise UserError(f"--distribute={config.distribute}: not in a sweep")
    RunDirectory(config.run_dir).check(config)


# ------------------------------------------------------------------------- training


@dataclasses.dataclass(frozen=True)
class Job:
    """A run, and where the lines go that it prints: a file, or where ours go if empty.

    Args:
      flags: of the run.
      folder: where its paths begin.
      log: the file.
    """

    flags: str
    folder: str
    log: str = ""


def train_one(job: Job) -> int:
    """Trains in a process of its own, stopped if we are; its exit code."""
    words = [sys.executable, "-m", "tfgan_mnist.train", *job.flags.splitlines()]
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(open(job.log, "ab")) if job.log else None
        process = subprocess.Popen(
            words, cwd=job.folder, stdout=out, stderr=out, start_new_session=True
        )
        try:
            return process.wait()
        except KeyboardInterrupt as interrupt:
            process.send_signal(interrupts.number_of(interrupt))
            with contextlib.suppress(KeyboardInterrupt):  # a second one skips this
                process.wait()
            process.kill()
            raise


def train_all(
    runs: Mapping[str, Config], flag: str, at_once: int = 0, address: str = ""
) -> list[str]:
    """Trains what is not finished yet, and says so; the names of those that failed.

    Args:
      runs: by their names.
      flag, at_once, address: as for ``engine.each``.
    """
    by_ray = bool(at_once or address)
    if by_ray:
        engine.check_installed(flag)
    missing = {name: c for name, c in runs.items() if outcome(c) is None}
    if there := len(runs) - len(missing):
        say(f"{there} of {len(runs)} runs are finished")
    jobs = []
    for config in missing.values():
        path = Path(config.run_dir)
        log = path.parent / f"{path.name}.log"
        if by_ray:
            log.parent.mkdir(parents=True, exist_ok=True)
        jobs.append(Job(config.to_flags(), str(Path.cwd()), str(log) if by_ray else ""))
    names, failed = list(missing), []
    for place, code in engine.each(train_one, jobs, flag, at_once, address):
        what = f"failed with exit code {code}" if code else "finished"
        if code:
            failed.append(names[place])
            what += f", see {jobs[place].log}" if by_ray else ""
        say(f"{names[place]}: {what}")
    return failed


# -------------------------------------------------------------------------- the table


class _Measured(TypedDict):
    """What is read of a run's metrics.json."""

    step: int
    metrics: dict[str, dict[str, float]]


def outcome(config: Config) -> dict[str, Any] | None:
    """What is to be said of a finished run; None if it is not, or is damaged.

    Its step, its seconds, and the metrics of the finished model, or, if the run does
    not measure, the last losses that were logged.
    """
    directory = RunDirectory(config.run_dir, warn=lambda line: None)
    if not directory.seems_finished(config):
        return None
    try:
        model = check_own_model(directory.saved_model)
        if not config.evaluate_every:
            columns = directory.read_metrics()
            values = {name: column[-1] for name, column in columns.items() if column}
            values.pop("step", None)
        else:
            report = read_json(directory.report, _Measured)
            if report is None or report["step"] != model["step"]:
                return None
            values = {name: one["mean"] for name, one in report["metrics"].items()}
    except DamagedError:
        return None
    return {"step": model["step"], "seconds": model["seconds"], **values}


def table(runs: Mapping[str, Config]) -> str:
    """The finished runs: a line for each setting, over its seeds."""
    found = {name: one for name, c in runs.items() if (one := outcome(c))}
    fields = [field.name for field in dataclasses.fields(Config)]
    differing = [
        name
        for name in fields
        if name not in ("seed", "run_dir")
        and len({getattr(config, name) for config in runs.values()}) > 1
    ]
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for name, config in runs.items():
        setting = tuple(str(getattr(config, field)) for field in differing)
        groups.setdefault(setting, []).append(found.get(name, {}))
    shown = list(dict.fromkeys(name for one in found.values() for name in one))
    rows = []
    for setting, ones in groups.items():
        done = [one for one in ones if one]
        row = [*setting, f"{len(done)} of {len(ones)}"]
        for name in shown:
            values = [one[name] for one in done if name in one]
            form = {"step": "{:,.0f}", "seconds": "{:.0f}"}.get(name, "{:.4g}")
            row.append(spread(values, form) if values else "–")
        rows.append(row)
    return columns([*differing, "seeds", *shown], rows)


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        flags = _EXTRA_HELP + "\n\n" + grouped_help(Flags)
        print(command.page(__doc__, EXAMPLES, flags))
        return
    flags, runs = plan(argv)
    asked = f"--at_once={flags.at_once}"
    try:
        failed = train_all(runs, asked, flags.at_once, flags.address)
    except KeyboardInterrupt as interrupt:
        number = interrupts.number_of(interrupt)
        raise RunStopped(
            f"stopped by {signal.Signals(number).name}; what was trained is kept, and "
            "the same command goes on",
            128 + number,
        ) from None
    text = table(runs)
    folder = Path(next(iter(runs.values())).run_dir).parent
    folder.mkdir(parents=True, exist_ok=True)  # all runs may have failed before
    with atomic_file(folder / "sweep.txt") as unfinished:
        unfinished.write_text(text + "\n", "utf-8")
    print(text)
    if failed:
        raise RunStopped(
            f"{len(failed)} of {len(runs)} runs failed; the same command tries them "
            "again, and leaves the others as they are"
        )


if __name__ == "__main__":
    sys.exit(command.run(main))
