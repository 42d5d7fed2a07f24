"""Whether a recipe collapses from any seed: trained from many, each one measured.

    python scripts/experiments/seeds.py RECIPE [...] [--count=20] [--data_dir=FOLDER]
        [--steps=COUNT] [--evaluate_every=STEPS] [--at_once=2] [--address=CLUSTER]

Trains the recipe on real MNIST from seeds 1 to count, for as long as it says unless
steps are given, in runs/seeds; a run that is there already is only measured. What
10,000 samples of each measure, and what the alarm said, goes into
samples/seeds/RECIPE.json, and from there, by ``python scripts/experiments/results.py
--only_write``, into docs/benchmarks.md. The alarm needs three evaluations: on a slow
machine ask for more than the recipe does.
With ``--at_once`` or ``--address`` the runs are tasks of Ray.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from common import (
    ROOT,
    RunsFlags,
    StepsFlags,
    alarms,
    markdown,
    read_words,
    stale_note,
    starred,
    write_record,
)

from tfgan_mnist.config import (
    Config,
    parse_config,
    read_config,
    recipes,
)
from tfgan_mnist.sweep import train_all
from tfgan_mnist.system import command
from tfgan_mnist.system.errors import RunStopped, UserError
from tfgan_mnist.system.flags import flag
from tfgan_mnist.system.tables import spread

RUNS = Path("runs") / "seeds"
SEEDS = ROOT / "samples" / "seeds"
COUNT = 20
SHOWN = {
    "fcd_10k": "FCD",
    "precision_10k": "precision",
    "recall_10k": "recall",
    "classes_10k": "classes",
    "class_kl_10k": "class KL",
}


def check_runs(runs: Iterable[Config]) -> None:
    """Raises UserError if a run that is there was trained or measured at other steps.

    It would go on, but its metrics could not be told from the others' later.
    """
    for config in runs:
        path = Path(config.run_dir) / "config.flags"
        if not path.is_file():
            continue
        there = read_config(path)
        for name in ("evaluate_every", "steps", "max_seconds"):
            asked, found = getattr(config, name), getattr(there, name)
            if asked != found:
                raise UserError(
                    f"--{name}={asked}: {config.run_dir} has --{name}={found}; ask for "
                    "the same, or remove it"
                )


def config_of(recipe: str, seed: int, data_dir: str, more: list[str]) -> Config:
    """Of a run."""
    flags = [f"--flagfile={recipe}.flags", "--dataset=mnist", f"--data_dir={data_dir}"]
    flags += [f"--seed={seed}", f"--run_dir={RUNS / f'{recipe}-{seed}'}", *more]
    return Config(**parse_config(flags))


def measure(recipe: str, seed: int) -> dict:
    """What is to be said of a run."""
    from tfgan_mnist.evaluation.protocols import protocol_of
    from tfgan_mnist.serving.reader import LoadedModel, row_seeds

    run_dir = RUNS / f"{recipe}-{seed}"
    model, protocol = LoadedModel(run_dir / "saved_model"), protocol_of("mnist")
    labels = protocol.labels(protocol.count) if model.classes else None
    samples = model.sample(row_seeds(seed, protocol.count), labels=labels)
    return {
        "seed": seed,
        "step": model.metadata["step"],
        "seconds": model.metadata["seconds"],
        "alarms": alarms(run_dir),
        **protocol.metrics(protocol.features(samples), labels),
    }


def table() -> str:
    """What was found of each recipe, as Markdown; nothing before there was one."""
    heads = ["recipe", "seeds", "steps", "seconds", *SHOWN.values(), "alarm"]
    records = [json.loads(path.read_text()) for path in sorted(SEEDS.glob("*.json"))]
    if not records:
        return ""
    rows = []
    for found in records:
        runs = found["rows"]
        rung = sum(bool(run["alarms"]) for run in runs)
        unjudged = sum(run["alarms"] is None for run in runs)
        cells = [starred(found["recipe"], found), str(len(runs))]
        cells.append(spread([run["step"] for run in runs], "{:,.0f}"))
        cells.append(spread([run["seconds"] for run in runs], "{:.0f}"))
        for name in SHOWN:
            form = "{:.4g}" if name.startswith("classes") else "{:.3f}"
            cells.append(spread([run[name] for run in runs], form))
        cells.append(f"{rung} rang" + f", {unjudged} not judged" * bool(unjudged))
        rows.append(cells)
    commands = ", ".join(f"`{found['command']}`" for found in records)
    judges = ", ".join(sorted({found["judge"] for found in records}))
    words = (
        "Mean (least – greatest) over the seeds, on 10,000 samples each, by "
        f"{judges}. {commands} trained and measured them; each seed's metrics are in "
        "[samples/seeds](../samples/seeds)."
    )
    text = markdown(heads, rows)
    return f"{text}\n{words}\n{stale_note(text)}"


@dataclasses.dataclass(frozen=True)
class Flags(RunsFlags, StepsFlags):
    count: int = flag(COUNT, "Training", "of seeds", low=1)
    evaluate_every: int = flag(-1, "Training", "steps; -1: as the recipe", low=-1)

    @property
    def seeds(self) -> range:
        return range(1, self.count + 1)

    @property
    def given(self) -> list[str]:
        """What is not as the recipe says, as words of the command."""
        words = []
        if self.steps:
            words.append(f"--steps={self.steps}")
        if self.evaluate_every >= 0:
            words.append(f"--evaluate_every={self.evaluate_every}")
        return words

    @property
    def more(self) -> list[str]:
        """Flags of ``train`` in place of a recipe's."""
        return [*self.given, *self.schedule]


def main(argv: Sequence[str]) -> None:
    flags, names = read_words(argv, __doc__, Flags, recipes(), needed="RECIPE")
    plans = [plan(recipe, flags) for recipe in names]  # all of them before any trains
    for recipe, runs in zip(names, plans, strict=True):
        if failed := train_all(runs, **flags.ray):
            failed = ", ".join(failed)
            raise RunStopped(f"{failed}: failed; the same command tries again")
        record(recipe, flags)
    print(table())


def plan(recipe: str, flags: Flags) -> dict[str, Config]:
    """A recipe's runs by name.

    Raises:
      UserError: if they cannot be trained, or were measured at other steps.
    """
    runs = {
        f"{recipe}-{seed}": config_of(recipe, seed, flags.data_dir, flags.more)
        for seed in flags.seeds
    }
    check_runs(runs.values())
    return runs


def record(recipe: str, flags: Flags) -> None:
    """Measures a recipe's trained runs, and writes what was found."""
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.evaluation.protocols import protocol_of

    protocol_of("mnist").prepare()
    rows = [measure(recipe, seed) for seed in flags.seeds]
    words = ["python scripts/experiments/seeds.py", recipe, "--data_dir=FOLDER"]
    words += flags.given
    if flags.count != COUNT:
        words.append(f"--count={flags.count}")
    found = {
        "recipe": recipe,
        "command": " ".join(words),
        "judge": protocol_of("mnist").judge,
        "rows": rows,
    }
    write_record(SEEDS / f"{recipe}.json", found)


if __name__ == "__main__":
    sys.exit(command.run(main))
