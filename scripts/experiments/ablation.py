"""What each part of BigGAN is worth: the recipe without it, for equal seconds.

    python scripts/experiments/ablation.py --data_dir=FOLDER [--seconds=300]
    python scripts/experiments/ablation.py --only_write

Trains biggan and each variant below from one seed, one after the other, on a machine
that does nothing else, measures them, and writes samples/biggan/ablation.json and the
table in docs/variants.md.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from common import (
    ROOT,
    RecordFlags,
    markdown,
    measure_each,
    read_words,
    train_and_measure,
    write_between_marks,
)

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag

RUNS = Path("runs") / "ablation"
RECORD = ROOT / "samples" / "biggan" / "ablation.json"
VARIANTS = {
    "biggan": [],
    "without attention": ["--networks=biggan_without_attention"],
    "without orthogonal regularisation": ["--orthogonal_weight=0"],
    "without spectral normalisation in G": ["--nogenerator_spectral_normalization"],
    "all latents in the first layer": ["--networks=biggan_without_chunks"],
}
METRICS = {
    "fcd_10k": ("FCD", "{:.2f}"),
    "precision_10k": ("precision", "{:.3f}"),
    "recall_10k": ("recall", "{:.3f}"),
    "digit_agreement_10k": ("digit agreement", "{:.3f}"),
}


def table(record: dict[str, dict]) -> str:
    """What was found, as Markdown."""
    heads = ["variant", "steps", *(head for head, _ in METRICS.values())]
    rows = []
    for name, found in record.items():
        measured = found["metrics"]
        cells = [form.format(measured[m]["mean"]) for m, (_, form) in METRICS.items()]
        rows.append([name, f"{found['step']:,}", *cells])
    return markdown(heads, rows)


@dataclasses.dataclass(frozen=True)
class Flags(RecordFlags):
    seconds: int = flag(300, "Training", "of each", low=1)


def main(argv: Sequence[str]) -> None:
    given, _ = read_words(argv, __doc__, Flags)

    def measure(name: str, before: dict | None) -> dict:
        flags = ["--flagfile=biggan.flags", *VARIANTS[name]]
        flags += [f"--max_seconds={given.seconds}", "--evaluate_every=0"]
        return train_and_measure(flags, RUNS / name.replace(" ", "_"), given.data_dir)

    measure_each(RECORD, [], VARIANTS, given.only_write, measure, write)


def write(record: dict[str, dict]) -> None:
    """The table of what is in the record."""
    document = ROOT / "docs" / "variants.md"
    write_between_marks(document, {"ablation": table(record)})


if __name__ == "__main__":
    sys.exit(command.run(main))
