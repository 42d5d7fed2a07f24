"""What each part of BigGAN is worth: the recipe without it, for equal seconds.

    python scripts/experiments/ablation.py --data_dir=FOLDER [--seeds=1-3] [VARIANT ...]
    python scripts/experiments/ablation.py --only_write

Trains biggan and each variant below from each seed, for as many steps as two cores with
AVX-512 make of it in 300 seconds; so runs can share the cores. A run that is there
already in runs/ablation goes on, or is only measured. What was found goes into
samples/biggan/ablation.json and docs/variants.md.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

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

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag
from tfgan_mnist.system.tables import spread

RUNS = Path("runs") / "ablation"
RECORD = ROOT / "samples" / "biggan" / "ablation.json"
# Of each variant: flags in place of biggan's, and what 300 seconds are enough for: the
# steps of budgets.py, times how much faster its step was than biggan's in a quiet turn
# of 22 seconds each (train's log: 645, 970, 775, 850 and 612 images a second).
VARIANTS = {
    "biggan": ([], 7_300),
    "without attention": (["--networks=biggan_without_attention"], 10_900),
    "without orthogonal regularisation": (["--orthogonal_weight=0"], 8_700),
    "without spectral normalisation in G": (
        ["--nogenerator_spectral_normalization"],
        9_600,
    ),
    "all latents in the first layer": (["--networks=biggan_without_chunks"], 6_900),
}
METRICS = {
    "fcd_10k": ("FCD", "{:.2f}"),
    "precision_10k": ("precision", "{:.3f}"),
    "recall_10k": ("recall", "{:.3f}"),
    "digit_agreement_10k": ("digit agreement", "{:.3f}"),
}


def table(record: dict[str, list[dict]]) -> str:
    """What was found, as Markdown."""
    heads = ["variant", "seeds", "steps"]
    rows = []
    for name, runs in record.items():
        cells = [name, str(len(runs)), spread([run["step"] for run in runs], "{:,.0f}")]
        for metric, (_, form) in METRICS.items():
            means = [run["metrics"][metric]["mean"] for run in runs]
            cells.append(spread(means, form))
        rows.append(cells)
    return markdown([*heads, *(head for head, _ in METRICS.values())], rows)


@dataclasses.dataclass(frozen=True)
class Flags(RecordFlags):
    seeds: str = flag("1", "Training", "of each variant: 1-3 or 2,3")


def main(argv: Sequence[str]) -> None:
    flags, variants = read_words(argv, __doc__, Flags, VARIANTS)

    def measure(name: str, seed: int) -> dict:
        more, steps = VARIANTS[name]
        words = ["--flagfile=biggan.flags", *more, f"--steps={steps}"]
        words += [f"--seed={seed}", "--evaluate_every=0"]
        run_dir = RUNS / f"{name.replace(' ', '_')}-{seed}"
        return train_and_measure(words, run_dir, flags.data_dir)

    wanted = each_seed(variants or VARIANTS, flags.seeds)
    measure_each(RECORD, wanted, VARIANTS, flags.only_write, measure, write, with_run)


def write(record: dict[str, list[dict]]) -> None:
    """The table of what is in the record."""
    document = ROOT / "docs" / "variants.md"
    write_between_marks(document, {"ablation": table(record)})


if __name__ == "__main__":
    sys.exit(command.run(main))
