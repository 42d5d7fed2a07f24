"""Whole schedules: recipes trained for as long as their sources train, on a GPU.

    python scripts/experiments/whole.py --data_dir=FOLDER [RECIPE ...]
    python scripts/experiments/whole.py --only_write

The published schedules want hours on two cores, minutes on a GPU. Each recipe trains
on real MNIST for as long as it says, or for --max_seconds, in runs/whole; a run that is
there goes on, or is only measured. What was found goes into samples/whole.json and
docs/recipes.md, and each recipe's sheet, losses and metrics over the steps into
samples/whole/RECIPE.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from common import (
    ROOT,
    RecordFlags,
    alarm_cell,
    each_seed,
    markdown,
    measure_each,
    read_words,
    train_and_measure,
    with_run,
    write_between_marks,
)
from pictures import enlarged

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag
from tfgan_mnist.system.tables import spread

RUNS = Path("runs") / "whole"
SAMPLES = ROOT / "samples" / "whole"
RECORD = ROOT / "samples" / "whole.json"
# Each recipe, and flags in place of its own: XLA makes these steps two to four times as
# fast on a GPU, where it compiles them in a minute; stylegan's it had not in two.
RECIPES = {
    "dcgan_tutorial": ["--jit_compile=step"],
    "dcgan": ["--jit_compile=step"],
    "cdcgan": ["--jit_compile=step"],
    "stylegan": [],
    "biggan": [],
}
COLUMNS = {
    "fcd_10k": "FCD",
    "precision_10k": "precision",
    "recall_10k": "recall",
    "diversity_10k": "diversity",
    "digit_agreement_10k": "digit agreement",
}


def run(recipe: str, seed: int, flags: Flags) -> dict:
    """Trains a recipe from a seed and measures it; what is to be said of that."""
    words = [f"--flagfile={recipe}.flags", *RECIPES[recipe], f"--seed={seed}"]
    if flags.max_seconds:
        words.append(f"--max_seconds={flags.max_seconds:g}")
    found = train_and_measure(words, run_dir(recipe, seed), flags.data_dir)
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
    return {**found, "device": details.get("device_name", "no GPU")}


def run_dir(recipe: str, seed: int) -> Path:
    return RUNS / f"{recipe}-{seed}"


def keep(recipe: str, seed: int) -> None:
    """Copies a run's last sheet, enlarged, and its plots."""
    import imageio.v3 as imageio

    path, folder = run_dir(recipe, seed), SAMPLES / recipe
    folder.mkdir(parents=True, exist_ok=True)
    sheet = imageio.imread(max((path / "samples").glob("step_*.png")))
    imageio.imwrite(folder / "montage.png", enlarged(sheet))
    for name in ("loss.png", "metrics.png"):
        if (path / name).is_file():
            shutil.copy(path / name, folder / name)


def table(record: dict[str, list[dict]]) -> str:
    """What was found of each recipe, as Markdown, with what it rests on below."""
    heads = ["recipe", "seeds", "steps", "minutes", *COLUMNS.values(), "alarm", ""]
    rows = []
    for recipe, runs in record.items():
        pictures = f"[sheet](../samples/whole/{recipe}/montage.png)"
        if (SAMPLES / recipe / "metrics.png").is_file():
            pictures += f", [over the steps](../samples/whole/{recipe}/metrics.png)"
        minutes = [found["seconds"] / 60 for found in runs]
        cells = [f"`{recipe}`", f"{len(runs)}"]
        cells += [spread([found["step"] for found in runs], "{:,.0f}")]
        cells += [spread(minutes, "{:.1f}")]
        for name in COLUMNS:
            means = [
                found["metrics"][name]["mean"]
                for found in runs
                if name in found["metrics"]
            ]
            cells.append(spread(means, "{:.3f}") if means else "–")
        alarm = alarm_cell(found["alarms"] for found in runs)
        rows.append([*cells, alarm, pictures])
    all_runs = [found for runs in record.values() for found in runs]
    real = all_runs[0]["metrics"]
    of_real = [
        f"{real[name]['real']:.3f}" if "real" in real.get(name, {}) else ""
        for name in COLUMNS
    ]
    rows.append(["held-out real images", "", "", "", *of_real, "", ""])
    devices = " and ".join(sorted({found["device"] for found in all_runs}))
    judges = ", ".join(sorted({found["judge"] for found in all_runs}))
    words = (
        f"Mean (least – greatest) over the seeds, each measured by three times 10,000 "
        f"samples, by {judges}. Minutes are on {devices}, which other runs "
        "shared; each call made one step. "
        "`python scripts/experiments/whole.py --data_dir=FOLDER` trained and measured "
        "them, `dcgan` and `cdcgan` with `--max_seconds=420`; each run's metrics are "
        "in [samples/whole.json](../samples/whole.json)."
    )
    return f"{markdown(heads, rows)}\n{words}\n"


def write(record: dict[str, list[dict]]) -> None:
    """The table of what is in the record."""
    write_between_marks(ROOT / "docs" / "recipes.md", {"whole": table(record)})


@dataclasses.dataclass(frozen=True)
class Flags(RecordFlags):
    seeds: str = flag("1", "Training", "of each recipe: 1-3 or 2,3")
    max_seconds: float = flag(
        0.0, "Training", "that a recipe trains at most; 0: its whole schedule", low=0.0
    )


def main(argv: Sequence[str]) -> None:
    flags, recipes = read_words(argv, __doc__, Flags, RECIPES)
    wanted = each_seed(recipes or RECIPES, flags.seeds)

    def measure(recipe: str, seed: int) -> dict:
        found = run(recipe, seed, flags)
        if seed == wanted[0][1]:
            keep(recipe, seed)
        return found

    measure_each(RECORD, wanted, RECIPES, flags.only_write, measure, write, with_run)


if __name__ == "__main__":
    sys.exit(command.run(main))
