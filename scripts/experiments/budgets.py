"""What 300 and 900 seconds of two cores are worth, by three judges.

    python scripts/experiments/budgets.py --data_dir=FOLDER [--seeds=1-3] [RUN ...]
    python scripts/experiments/budgets.py --only_write

A RUN is a recipe and its seconds, as biggan-300. So that runs can share the cores, each
makes as many steps as two cores with AVX-512 do in those seconds, compilation included,
in runs/budgets/RUN-SEED; a run that is there already goes on, or is only measured:
three times 10,000 samples by the package's judge, the first of them by those of
other_judges.py too. stackgan_2 starts from the run runs/results/stackgan_1-SEED. What
was found goes into samples/budgets.json and docs/variants.md.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import (
    ROOT,
    RecordFlags,
    each_seed,
    markdown,
    measure_each,
    read_words,
    train_and_measure,
    with_run,
    write_between_marks,
)
from other_judges import opinions

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag
from tfgan_mnist.system.tables import spread

RUNS = Path("runs") / "budgets"
RECORD = ROOT / "samples" / "budgets.json"
# Steps of each recipe by seconds.
STEPS = {
    "biggan": {300: 7_300, 900: 22_300},
    "stylegan": {300: 15_000, 900: 46_000},
    "stackgan_2": {300: 14_000, 900: 42_800},
}
BUDGETS = {f"{r}-{s}": (r, s) for r, steps in STEPS.items() for s in steps}
METRICS = {
    "fcd_10k": ("FCD", "{:.2f}"),
    "precision_10k": ("precision", "{:.3f}"),
    "recall_10k": ("recall", "{:.3f}"),
}
JUDGES = ("second", "third")
OPINIONS = {"distance": "{:.2f}", "precision": "{:.3f}", "recall": "{:.3f}"}
LAST = {
    "digit_agreement_10k": ("digit agreement", "{:.3f}"),
    "diversity_10k": ("diversity", "{:.2f}"),
}


def run(name: str, seed: int, data_dir: str) -> dict:
    """Trains and measures; what was found."""
    recipe, seconds = BUDGETS[name]
    steps = STEPS[recipe][seconds]
    words = [f"--flagfile={recipe}.flags", f"--seed={seed}", f"--steps={steps}"]
    words.append("--max_seconds=0")
    if recipe == "stackgan_2":
        words.append(f"--init_from=runs/results/stackgan_1-{seed}/saved_model")
    run_dir = RUNS / f"{name}-{seed}"
    found = train_and_measure(words, run_dir, data_dir)
    return {**found, "others": others(run_dir / "saved_model", data_dir)}


def others(path: Path, data_dir: str) -> dict[str, dict[str, float]]:
    """What the other judges say of a model's samples."""
    from tfgan_mnist.evaluation.protocols import protocol_of
    from tfgan_mnist.serving.reader import LoadedModel, row_seeds

    model, count = LoadedModel(path), protocol_of("mnist").count
    asked = protocol_of("mnist").labels(count) if model.classes else None
    samples = model.sample(row_seeds(1, count), labels=asked)
    return {n: o.metrics(samples, asked) for n, o in opinions(data_dir).items()}


@functools.cache
def real(data_dir: str) -> dict[str, dict[str, float]]:
    """What the other judges say of the test images."""
    from tfgan_mnist.data.mnist import mnist

    images, labels = mnist(data_dir, "test")
    images = images / np.float32(255.0)
    return {n: o.metrics(images, labels) for n, o in opinions(data_dir).items()}


def table(record: dict[str, list[dict]]) -> str:
    """What was found, as Markdown."""
    heads = ["recipe", "seconds", "seeds", "steps"]
    heads += [head for head, _ in METRICS.values()]
    heads += [f"{judge}: {name}" for judge in JUDGES for name in OPINIONS]
    heads += [head for head, _ in LAST.values()]
    rows, measured = [], {}
    for name, runs in record.items():
        recipe, seconds = BUDGETS[name]
        measured |= runs[0]["metrics"]
        cells = [f"`{recipe}`", f"{seconds}", f"{len(runs)}", f"{runs[0]['step']:,}"]
        cells += [_mean(runs, metric, form) for metric, (_, form) in METRICS.items()]
        cells += [
            spread([found["others"][judge][metric] for found in runs], form)
            for judge in JUDGES
            for metric, form in OPINIONS.items()
        ]
        cells += [_mean(runs, metric, form) for metric, (_, form) in LAST.items()]
        rows.append(cells)
    cells = ["held-out real images", "", "", ""]
    of_real = next(iter(record.values()))[0]["real_by_others"]
    cells += [form.format(measured[m]["real"]) for m, (_, form) in METRICS.items()]
    cells += [f.format(of_real[j][m]) for j in JUDGES for m, f in OPINIONS.items()]
    cells += [
        form.format(measured[m]["real"]) if "real" in measured.get(m, {}) else "–"
        for m, (_, form) in LAST.items()
    ]
    return f"{markdown(heads, [*rows, cells])}\n{WORDS}\n"


WORDS = (
    "Mean (least – greatest) over the seeds. Seconds are of two cores with AVX-512: a "
    "run made as many steps as they make in that time, compilation included. FCD, "
    "precision and recall are of three times 10,000 samples by the package's judge; "
    "distance, precision and recall of 10,000 by two other classifiers. Distances of "
    "different judges do not compare. `python scripts/experiments/budgets.py "
    "--data_dir=FOLDER` trained and measured them."
)


def _mean(runs: Sequence[dict], metric: str, form: str) -> str:
    """Over the runs; a dash if they have no such metric."""
    means = [run["metrics"][metric]["mean"] for run in runs if metric in run["metrics"]]
    return spread(means, form) if means else "–"


def write(record: dict[str, list[dict]]) -> None:
    path = ROOT / "docs" / "variants.md"
    write_between_marks(path, {"budgets": table(record)})


@dataclasses.dataclass(frozen=True)
class Flags(RecordFlags):
    seeds: str = flag("1-3", "Training", "of each run: 1-3 or 2,3")


def main(argv: Sequence[str]) -> None:
    flags, names = read_words(argv, __doc__, Flags, BUDGETS)

    def measure(name: str, seed: int) -> dict:
        found = run(name, seed, flags.data_dir)
        return {**found, "real_by_others": real(flags.data_dir)}

    wanted = each_seed(names or BUDGETS, flags.seeds)
    measure_each(
        RECORD, wanted, BUDGETS, flags.only_write, measure, write, merge=with_run
    )


if __name__ == "__main__":
    sys.exit(command.run(main))
