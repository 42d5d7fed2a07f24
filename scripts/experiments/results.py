"""Writes the tables of results: every recipe, trained and measured.

    python scripts/experiments/results.py --data_dir=FOLDER [RECIPE ...]
    python scripts/experiments/results.py --only_write

Each image recipe trains on real MNIST for its budget below, or for --steps, from each
of its seeds, or of --seeds, in runs/results/RECIPE-SEED; a run that is there already
goes on, or is only measured. One that ended on another machine can be copied there: the
same --steps then find nothing left to train. What
``python -m tfgan_mnist.evaluate --data_dir=FOLDER`` says of each model goes into
samples/results.json, and from there into README.md and docs/, with what losses.py,
pictures.py, epochs.py, race.py, seeds.py and whole.py found. Recipes that want hours of
two cores are in whole.py.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import epochs
import losses
import race
import seeds
import whole
from common import (
    ROOT,
    TrainFlags,
    alarm_cell,
    each_seed,
    markdown,
    measure_each,
    read_record,
    read_words,
    stale_note,
    starred,
    train_and_measure,
    with_run,
    write_between_marks,
)

from tfgan_mnist.system import command
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.flags import flag
from tfgan_mnist.system.tables import spread

RUNS = Path("runs") / "results"
RESULTS = ROOT / "samples" / "results.json"
README, DOCS = ROOT / "README.md", ROOT / "docs"

# Flags in place of the recipe's: a budget for two cores; and the seeds.
RECIPES: dict[str, tuple[list[str], str]] = {
    "dcgan32": (epochs.DCGAN32, "1"),
    "dcgan32_cured": (["--evaluate_every=0"], "1"),  # as epochs.py trains it
    "dcgan_cpu": (["--dataset=mnist"], "1-3"),
    "dcgan_fast": (["--steps=3600", "--max_seconds=0"], "1-3"),
    "dcgan_varied": ([], "1-3"),
    "cdcgan_fast": (["--steps=4800", "--max_seconds=0"], "1-3"),
    "cdcgan_varied": ([], "1-3"),
    "biggan": ([], "1-3"),
    "stylegan": ([], "1-3"),
    "stackgan_1": ([], "1-3"),
    "stackgan_2": (["--init_from={runs}/stackgan_1-{seed}/saved_model"], "1-3"),
    "mlp": (["--sample_every=1875", "--evaluate_every=18750"], "1"),
    "cgan_onehot": ([], "1"),
    "cgan_embedding": ([], "1"),
}
COLUMNS = {
    "fcd_10k": "FCD",
    "precision_10k": "precision",
    "recall_10k": "recall",
    "coverage_10k": "coverage",
    "diversity_10k": "diversity",
    "classes_10k": "classes",
    "class_kl_10k": "class KL",
    "digit_agreement_10k": "digit agreement",
    "accuracy_10k": "accuracy",
    "copies_1k": "copies",
    "data_copying_1k": "C_T",
    "walk_jumps": "walk jumps",
    "walk_peak": "walk peak",
    "path_length_1k": "path length",
}


def run(recipe: str, seed: int, flags: Flags) -> dict:
    """Trains a recipe from a seed and measures it; what is to be said of that."""
    budget = [word.format(runs=RUNS, seed=seed) for word in RECIPES[recipe][0]]
    words = [f"--flagfile={recipe}.flags", *budget, f"--seed={seed}", *flags.schedule]
    run_dir = RUNS / f"{recipe}-{seed}"
    return train_and_measure(words, run_dir, flags.data_dir, compare=True)


def cell(name: str, runs: list[dict]) -> str:
    """A metric's mean over the seeds, ± their std; a dash if there is none.

    The std of a single run is that over its sampling seeds.
    """
    if name not in runs[0]["metrics"]:
        return "–"
    means = [run["metrics"][name]["mean"] for run in runs]
    digits = 0 if name.startswith("classes") else 3 if max(means) < 2.0 else 1
    std = runs[0]["metrics"][name]["std"]
    if len(means) > 1:
        std = statistics.pstdev(means)
    return f"{statistics.mean(means):.{digits}f} ± {std:.{digits}f}"


def real_cell(name: str, results: dict[str, list[dict]]) -> str:
    for runs in results.values():
        metric = runs[0]["metrics"].get(name, {})
        if "real" in metric:
            return f"{metric['real']:.{0 if name.startswith('classes') else 3}f}"
    return "–"


def table(results: dict[str, list[dict]]) -> str:
    """The table as Markdown, with what it rests on below."""
    measured = {name for runs in results.values() for name in runs[0]["metrics"]}
    columns = {name: head for name, head in COLUMNS.items() if name in measured}
    heads = ["recipe", "steps", "minutes", "seeds", *columns.values(), "alarm"]
    rows = []
    for recipe, runs in results.items():
        minutes = statistics.mean(run["seconds"] for run in runs) / 60
        cells = [
            starred(recipe, runs[0]),
            f"{statistics.mean(run['step'] for run in runs):,.0f}",
            f"{minutes:.1f}",
            str(len(runs)),
            *(cell(name, runs) for name in columns),
            alarm_cell(run["alarms"] for run in runs),
        ]
        rows.append(cells)
    cells = ["real images", "", "", ""]
    rows.append([*cells, *(real_cell(name, results) for name in columns), ""])
    judges = sorted({run["judge"] for runs in results.values() for run in runs})
    text = markdown(heads, rows)
    words = (
        f"By {', '.join(judges)}, on 10,000 samples (copies: 1,000). ± is the standard "
        "deviation over training seeds; where there is one, over three sampling seeds. "
        "Real images are the test images; for accuracy, as many training images. "
        "Alarm: a dash if there were too few measurements to judge.\n\n"
        "`python scripts/experiments/results.py --data_dir=FOLDER` trained and "
        "measured them on one or two cores with AVX-512 (the two `_varied`: without), "
        "most of them beside another run: alone, a recipe limited by `--max_seconds` "
        "makes more steps. Each run's command, alarms and metrics are in "
        "[samples/results.json](../samples/results.json)."
    )
    if missing := [f"`{name}`" for name in RECIPES if name not in results]:
        words += f" Not measured yet: {', '.join(missing)}."
    return f"{text}\n{words}\n{stale_note(text)}"


def recipes_table(
    results: dict[str, list[dict]],
    compared: dict[str, list[dict]],
    schedules: dict[str, list[dict]],
) -> str:
    """Each image recipe's purpose, minutes and FCD as Markdown, the nearest first.

    Those that were not measured yet come last.

    Args:
      results: what this script found.
      compared: what losses.py found.
      schedules: what whole.py found; it counts where this script found nothing.
    """
    from tfgan_mnist.config import recipe_header, recipes

    paths, rows = recipes(), []
    for recipe, runs in {**schedules, **results, **compared}.items():
        distance = statistics.mean(run["metrics"]["fcd_10k"]["mean"] for run in runs)
        minutes = statistics.mean(run["seconds"] for run in runs) / 60
        if recipe in compared:
            minutes = losses.SECONDS / 60
        time = f"{minutes:.0f}"
        if recipe not in results and recipe not in compared:
            time += " on a GPU"
        purpose = recipe_header(paths[recipe])[0]
        cells = [starred(recipe, runs[0]), purpose, time]
        shown = f"{distance:.0f}" if distance >= 10.0 else f"{distance:#.2g}"
        rows.append((distance, [*cells, shown]))
    heads = ["recipe", "purpose", "minutes", "FCD"]
    nearest = [cells for _, cells in sorted(rows)]
    unmeasured = [
        [f"`{name}`", recipe_header(paths[name])[0], "–", "–"]
        for name in RECIPES
        if name not in results and name not in schedules
    ]
    text = markdown(heads, nearest + unmeasured, left=["purpose"])
    return text + stale_note(text)


TOYS = {
    "gaussian": {"mean": "mean", "std": "std", "ks": "KS"},
    "moons": {"near_arcs": "near the arcs", "bins": "bins of 20"},
    "ring": {"modes": "modes", "high_quality": "high quality", "reverse_kl": "KL"},
    "grid": {"modes": "modes", "high_quality": "high quality", "reverse_kl": "KL"},
    "stacked": {"modes_26k": "modes (of 1,000)", "kl_26k": "KL"},
}


def toys_table() -> str:
    """What ``pictures.py`` measured of the toys, as Markdown."""
    last = "mean over seeds (least – greatest)"
    heads, rows = ["recipe", "steps", "seeds", last], []
    for folder in sorted((ROOT / "samples").iterdir()):
        kind = folder.name.split("_")[0]
        if kind not in TOYS:
            continue
        runs = json.loads((folder / "metrics.json").read_text())
        model = json.loads((folder / "model.json").read_text())
        metrics = []
        for name, label in TOYS[kind].items():
            means = [run["metrics"][name]["mean"] for run in runs]
            form = "{:,.0f}" if min(means) >= 100 else "{:.3g}"
            metrics.append(f"{label} {spread(means, form)}")
        cells = [starred(folder.name, runs[0]), f"{model['step']:,}"]
        cells += [str(len(runs)), ", ".join(metrics)]
        rows.append(cells)
    text = markdown(heads, rows, left=[last])
    words = (
        "`python scripts/experiments/pictures.py` trained them, and measured three "
        "sampling seeds of each."
    )
    return f"{text}\n{words}\n{stale_note(text)}"


def epochs_table() -> str:
    """What ``epochs.py`` measured, as Markdown."""
    tables = []
    for path in sorted((ROOT / "samples" / "epochs").glob("*.json")):
        found = json.loads(path.read_text())
        measured, names = found["rows"], found["shown"]
        best = min(measured, key=lambda row: row["fcd_10k"])
        last = measured[-1]
        half = min(measured, key=lambda row: abs(row["epoch"] - last["epoch"] / 2))
        marked = [("best, at", best), ("at", half), ("at", last)]
        if best is last:
            marked = [("at", half), ("last and best, at", best)]
        rows = [(f"{what} epoch {row['epoch']:.0f}", row) for what, row in marked]
        rows.append(("held-out real images", found["real"]))
        text = markdown(
            [starred(found["recipe"], found), *(COLUMNS[name] for name in names)],
            [[what, *(f"{row[name]:.3f}" for name in names)] for what, row in rows],
        )
        note = stale_note(text)
        text += (
            f"\n![metrics of {found['recipe']} over the epochs]"
            f"(../samples/epochs/{found['recipe']}.png)\n\n"
            f"`python scripts/experiments/epochs.py {found['recipe']} "
            f"--data_dir=FOLDER` trained it once for {last['epoch']:.0f} epochs on "
            f"real MNIST, in {found['seconds'] / 60:.0f} minutes. It measured 10,000 "
            "samples from the same latents every second epoch, by "
            f"{found['judge']}. Dashed lines are held-out real images.\n{note}"
        )
        tables.append(text)
    return "\n".join(tables)


def write(results: dict[str, list[dict]]) -> None:
    """Puts the tables between their marks in README.md and docs/."""
    compared = read_record(losses.FOLDER / "losses.json")
    schedules = read_record(whole.RECORD)
    recipes = recipes_table(results, compared, schedules)
    write_between_marks(README, {"recipes": recipes})
    write_between_marks(DOCS / "recipes.md", {"results": table(results)})
    write_between_marks(DOCS / "toys.md", {"toys": toys_table()})
    texts = {
        "race": race.table(read_record(race.RACE / "race.json")),
        "seeds": seeds.table(),
        "epochs": epochs_table(),
    }
    write_between_marks(DOCS / "benchmarks.md", texts)


@dataclasses.dataclass(frozen=True)
class Flags(TrainFlags):
    seeds: str = flag("", "Training", "1-3 or 2,3; empty: those of each recipe")


def main(argv: Sequence[str]) -> None:
    flags, recipes = read_words(argv, __doc__, Flags, RECIPES)
    if not flags.data_dir and not flags.only_write:
        raise UserError("--data_dir=FOLDER is missing: a prepared copy of MNIST")

    wanted = [
        pair
        for recipe in recipes or RECIPES
        for pair in each_seed([recipe], flags.seeds or RECIPES[recipe][1])
    ]

    def measure(recipe: str, seed: int) -> dict:
        return run(recipe, seed, flags)

    measure_each(RESULTS, wanted, RECIPES, flags.only_write, measure, write, with_run)


if __name__ == "__main__":
    sys.exit(command.run(main))
