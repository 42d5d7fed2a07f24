"""What the experiments share: how they read their words, run commands, write tables."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).parents[2]))

from tfgan_mnist.serving.saved_model import check_saved_model, read_metadata
from tfgan_mnist.system import command
from tfgan_mnist.system.errors import RunStopped, UserError, nearest
from tfgan_mnist.system.files import atomic_file, check_folder
from tfgan_mnist.system.flags import (
    check_flags,
    flag,
    grouped_help,
    parse_flags,
    parse_numbers,
)

ROOT = Path(__file__).parents[2]


def run_command(name: str, words: Sequence[str]) -> None:
    """Runs a command in a process of its own; if it fails, which it explains, so do we.

    Raises:
      SystemExit: with the command's exit code.
    """
    done = subprocess.run([sys.executable, "-m", f"tfgan_mnist.{name}", *words])
    if done.returncode:
        sys.exit(done.returncode)


@dataclasses.dataclass(frozen=True)
class ScriptFlags:
    """Of a script: what it adds are fields made by ``flag``."""

    def __post_init__(self):
        check_flags(self)


@dataclasses.dataclass(frozen=True)
class DataFlags(ScriptFlags):
    data_dir: str = flag(
        "", "Data", "a prepared copy of MNIST; empty: tensorflow-datasets' own"
    )

    def __post_init__(self):
        super().__post_init__()
        if self.data_dir:
            check_folder(Path(self.data_dir), "--data_dir")


@dataclasses.dataclass(frozen=True)
class RunsFlags(DataFlags):
    at_once: int = flag(
        0, "Runs", "at a time, by Ray; 0: one, or all that a cluster allows", low=0
    )
    address: str = flag("", "Runs", "host:port of a Ray cluster; empty: this machine")

    @property
    def ray(self) -> dict[str, Any]:
        """As ``engine.each`` takes them."""
        given = f"--at_once={self.at_once}"
        return {"flag": given, "at_once": self.at_once, "address": self.address}


@dataclasses.dataclass(frozen=True)
class RecordFlags(DataFlags):
    only_write: bool = flag(False, "Results", "tables of what was measured before")


@dataclasses.dataclass(frozen=True)
class StepsFlags(DataFlags):
    steps: int = flag(
        0, "Training", "of a run, with no limit of time; 0: as its recipe says", low=0
    )

    @property
    def schedule(self) -> list[str]:
        """Flags of ``train`` in place of a recipe's."""
        if not self.steps:
            return []
        return [f"--steps={self.steps}", "--epochs=0", "--max_seconds=0"]


@dataclasses.dataclass(frozen=True)
class TrainFlags(RecordFlags, StepsFlags):
    """Of what trains and keeps a record."""


@dataclasses.dataclass(frozen=True)
class ModelFlags(ScriptFlags):
    saved_model: str = flag("", "Model", "of what is measured")
    recipe: str = flag("", "Results", "folder in samples/")

    def __post_init__(self):
        super().__post_init__()
        for name in ("saved_model", "recipe"):
            if not getattr(self, name):
                raise UserError(f"--{name} is missing (--help tells what there is)")
        check_saved_model(self.saved_model)


AnyFlags = TypeVar("AnyFlags", bound=ScriptFlags)


def read_words(
    argv: Sequence[str],
    doc: str | None,
    flags_class: type[AnyFlags],
    known: Collection[str] | None = (),
    needed: str = "",
) -> tuple[AnyFlags, list[str]]:
    """A script's flags, and those of its words that belong to none.

    Args:
      argv: the words.
      doc: the script's docstring; --help prints it above the flags, and ends.
      flags_class: of its flags.
      known: what words there can be beside flags; None: any.
      needed: what they are called, if there must be one.

    Raises:
      UserError: if there is another, or none where one is needed.
    """
    if command.take(argv, "help", "h"):
        print(f"{(doc or '').strip()}\n\n{grouped_help(flags_class)}".strip())
        raise SystemExit(0)
    words: list[str] = []
    flags = flags_class(**parse_flags(argv, flags_class, words=words))
    for word in words:
        if known is not None:
            check_name(word, known, repr(word))
    if needed and not words:
        raise UserError(f"{needed} is missing (--help tells what there is)")
    return flags, words


def check_name(name: str, known: Collection[str], given: str) -> None:
    """Raises UserError, which begins with what was given, unless a name is known."""
    if not known:
        raise UserError(f"{given}: belongs to no flag; write --flag=value")
    if name not in known:
        raise UserError(f"{given}: there is no such thing here; {nearest(name, known)}")


def parse_names(text: str, flag_name: str, known: Collection[str]) -> list[str]:
    """The names that a flag lists, "ours,plain"; all that are known if it is empty."""
    names = text.split(",") if text else [*known]
    for name in names:
        check_name(name, known, f"--{flag_name}={text}")
    return names


def train_and_measure(
    flags: Sequence[str], run_dir: Path, data_dir: str, compare: bool = False
) -> dict[str, Any]:
    """Trains, or goes on with a run, and measures its model; what is to be said of it.

    Args:
      flags: recipe, seed, and flags in place of the recipe's.
      run_dir: the run's; a run that is finished there is only measured.
      data_dir: a prepared copy of MNIST.
      compare: whether the samples are compared with that copy's images.
    """
    places = [f"--run_dir={run_dir}"]
    of_mnist = [f"--data_dir={data_dir}"] if data_dir else []
    run_command("train", [*flags, *places, *of_mnist])
    model, measured = run_dir / "saved_model", run_dir / "evaluation.json"
    words = [f"--saved_model={model}", f"--output={measured}"]
    run_command("evaluate", words + of_mnist if compare else words)
    metadata = read_metadata(model)
    return {
        "command": " ".join(["python -m tfgan_mnist.train", *flags]),
        "seed": metadata["flags"]["seed"],
        "seconds": metadata["seconds"],
        "alarms": alarms(run_dir),
        **json.loads(measured.read_text()),
    }


def alarms(run_dir: Path) -> list[str] | None:
    """What the alarm says of a run's metrics; None if they are too few to judge."""
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.build import build_gan
    from tfgan_mnist.evaluation.protocols import protocol_of
    from tfgan_mnist.runner import measured_rows
    from tfgan_mnist.training.alarm import PATIENCE, Alarm
    from tfgan_mnist.training.run_directory import RunDirectory

    directory = RunDirectory(run_dir)
    config = directory.read_config()
    protocol = protocol_of(config.dataset)
    rows = measured_rows(config, directory, protocol)
    if len(rows) < PATIENCE:
        return None
    rung: list[str] = []
    sides = build_gan(config).sides
    alarm = Alarm(sides, protocol.expected, protocol.distance, rung.append)
    for step, row in rows:
        alarm(step, row)
    return rung


def alarm_cell(rung: Iterable[Sequence[str] | None]) -> str:
    """How many of some runs the alarm rang in, from what ``alarms`` says of each."""
    judged = [bool(sentences) for sentences in rung if sentences is not None]
    if not judged:
        return "–"
    return f"{sum(judged)} of {len(judged)}" if any(judged) else "silent"


STALE_NOTE = (
    "\\* Measured before the recipe's networks, schedule or optimizer last changed, "
    "and not since."
)


def starred(recipe: str, record: Mapping[str, Any]) -> str:
    """A recipe's name for a table, with a star if its record says that it is stale.

    A record is marked by hand when a recipe changes: ``"stale": true``. What a new run
    writes in its place has no mark.
    """
    return f"`{recipe}`" + " \\*" * record.get("stale", False)


def stale_note(table: str) -> str:
    """The paragraph that tells what a star in a table means; empty without stars."""
    return f"\n{STALE_NOTE}\n" if "\\*" in table else ""


def markdown(
    heads: Sequence[str], rows: Iterable[Sequence[str]], left: Sequence[str] = ()
) -> str:
    """A table, its first column and those named in ``left`` aligned to the left."""
    marks = ["---" if i == 0 or h in left else "---:" for i, h in enumerate(heads)]
    lines = [" | ".join(cells) for cells in (heads, marks, *rows)]
    return "".join(f"| {line} |\n" for line in lines)


def write_between_marks(path: Path, texts: Mapping[str, str]) -> None:
    """Puts each text between ``<!-- name: begin -->`` and ``end`` in a file.

    Raises:
      UserError: if the file lacks the marks of a name; nothing is written.
    """
    whole = path.read_text()
    for name, text in texts.items():
        begin, end = (f"<!-- {name}: {word} -->\n" for word in ("begin", "end"))
        if whole.count(begin) != 1 or whole.count(end) != 1:
            raise UserError(
                f"{path}: lacks the lines {begin.strip()} and {end.strip()}"
            )
        before, rest = whole.split(begin)
        _, after = rest.split(end)
        whole = before + begin + text + end + after
    path.write_text(whole)


def measure_each(
    path: Path,
    wanted: Iterable[tuple[str, int]],
    known: Collection[str],
    only_write: bool,
    measure: Callable[[str, int], Any],
    write: Callable[[dict[str, Any]], None],
    merge: Callable[[Any, Any], Any] = lambda before, found: found,
) -> None:
    """Measures one thing after another, and each time writes the record and tables.

    Where one fails, which it explains, the others are measured all the same.

    Args:
      path: of the record.
      wanted: what is measured: names, such as recipes, and a seed for each.
      known: all names, in the order that tables have.
      only_write: whether only tables are written, of what was measured before.
      measure: (name, seed) → what was found.
      write: writes a record's tables.
      merge: (what the record holds of the name or None, what was found) → what it is to
        hold.

    Raises:
      UserError: as ``read_record``.
      RunStopped: at the end, if something failed.
    """
    record = read_record(path, needed=only_write)
    if only_write:
        write(record)
        return
    failed = []
    for name, seed in wanted:
        try:
            found = measure(name, seed)
        except (SystemExit, UserError) as error:
            if isinstance(error, UserError):
                print(f"error: {error}", file=sys.stderr)
            failed.append(f"{name} (seed {seed})")
            continue
        record = read_record(path)  # which another process may have written meanwhile
        record[name] = merge(record.get(name), found)
        record = {name: record[name] for name in known if name in record}
        write_record(path, record)
        write(record)
    if failed:
        raise RunStopped(f"{', '.join(failed)}: failed; the same command tries again")


def with_run(before: list[dict] | None, found: dict) -> list[dict]:
    """The runs of a record with another one, in place of that of its seed, in order."""
    runs = {run["seed"]: run for run in [*(before or []), found]}
    return [runs[seed] for seed in sorted(runs)]


def each_seed(names: Iterable[str], seeds: str) -> list[tuple[str, int]]:
    """Names with each of the seeds that ``--seeds`` gives.

    Raises:
      UserError: if it gives none.
    """
    numbers = parse_numbers(seeds, "seeds", "a seed", 1000)
    return [(name, seed) for name in names for seed in numbers]


def read_record(path: Path, needed: bool = False) -> dict[str, Any]:
    """What a record in samples/ holds; empty if there is none yet.

    Raises:
      UserError: if it cannot be read, or is needed and empty.
    """
    try:
        record = json.loads(path.read_text()) if path.is_file() else {}
    except ValueError as error:
        raise UserError(f"{path}: is damaged ({error})") from None
    if needed and not record:
        raise UserError(f"{path}: nothing was measured yet; leave out --only_write")
    return record


def write_record(path: Path, record: Any) -> None:
    """Writes a record of what was measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as unfinished:
        unfinished.write_text(json.dumps(record, indent=1) + "\n")
