"""What adaptive augmentation gains when there are few images: 500 digits of MNIST.

    python scripts/experiments/few_digits.py [--steps=1200] [--seed=1]

Trains the networks of dcgan_fast on 50 images of each digit: as they are, with
--shift=2, and with --augmentation_target=0.6, as many steps each. Measures what each
draws by the packaged judge, against all of MNIST. Runs are kept in runs/few_digits, and
go on there. Prints a table; samples/few_digits keeps what was found, and the last sheet
of each run.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import (
    ROOT,
    ScriptFlags,
    markdown,
    read_words,
    run_command,
    write_record,
)

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag

OF_EACH = 50
WAYS = {
    "plain": ("as they are", []),
    "shift": ("moved by up to two pixels", ["--shift=2"]),
    "augmentation": ("adaptive augmentation", ["--augmentation_target=0.6"]),
}
SHOWN = ("fcd_10k", "precision_10k", "recall_10k", "coverage_10k", "classes_10k")


def write_digits(path: Path) -> None:
    """Writes the first images of each digit that need no download."""
    from tfgan_mnist.data.mnist import mnist5k

    images, labels = mnist5k()
    chosen = np.concatenate([np.flatnonzero(labels == i)[:OF_EACH] for i in range(10)])
    np.savez_compressed(path, images=images[chosen], labels=labels[chosen])


def words(
    digits: Path, run: Path, steps: int, seed: int, flags: Sequence[str]
) -> list[str]:
    """What is given to ``train``."""
    return [
        "--flagfile=dcgan_fast",
        f"--dataset={digits}",
        "--judge=mnist",
        "--clusters=50",
        f"--steps={steps}",
        "--max_seconds=0",
        f"--seed={seed}",
        f"--run_dir={run}",
        *flags,
    ]


@dataclasses.dataclass(frozen=True)
class Flags(ScriptFlags):
    steps: int = flag(1_200, "Training", "of each way", low=1)
    seed: int = flag(1, "Training", "of weights and samples", low=0)


def main(argv: Sequence[str]) -> None:
    given, _ = read_words(argv, __doc__, Flags)
    output, runs = ROOT / "samples" / "few_digits", ROOT / "runs" / "few_digits"
    for folder in (output, runs):
        folder.mkdir(parents=True, exist_ok=True)
    digits = runs / "few_digits.npz"
    write_digits(digits)
    found = {}
    for name, (way, flags) in WAYS.items():
        run = runs / f"{name}-{given.steps}-{given.seed}"
        run_command("train", words(digits, run, given.steps, given.seed, flags))
        report = run / "evaluation.json"
        measuring = [f"--run_dir={run}", "--judge=mnist", f"--output={report}"]
        run_command("evaluate", measuring)
        (*_, last) = sorted((run / "samples").iterdir())
        shutil.copy(last, output / f"{name}.png")
        found[way] = json.loads(report.read_text())
    record = {
        "command": f"few_digits.py --steps={given.steps}",
        "seed": given.seed,
        "found": found,
    }
    write_record(output / "metrics.json", record)
    rows = [
        [way, *(f"{one['metrics'][n]['mean']:.3f}" for n in SHOWN)]
        for way, one in found.items()
    ]
    print(markdown(["500 digits", *SHOWN], rows))


if __name__ == "__main__":
    sys.exit(command.run(main))
