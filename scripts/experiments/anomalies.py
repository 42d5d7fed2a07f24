"""Whether a digit that a model never saw is told from those it learned, by inversion.

    python scripts/experiments/anomalies.py --data_dir=FOLDER [--digits=0-9]
        [--steps=STEPS] [--count=100]
    python scripts/experiments/anomalies.py --only_write

For each digit: trains dcgan_fast on MNIST without it, in runs/anomalies, where a run
that is there already goes on or is only used; then looks for the samples nearest to
test images, as many of the digit as of the nine others together. The mean squared error
of the nearest one is the anomaly score, AnoGAN's residual (Schlegl et al., 2017,
arXiv:1703.05921, section 2.2). Writes its AUROC into samples/anomalies.json and
docs/variants.md.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    ROOT,
    TrainFlags,
    markdown,
    measure_each,
    read_words,
    run_command,
    write_between_marks,
)
from inversion import nearest_samples

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag, parse_numbers

RUNS = Path("runs") / "anomalies"
RECORD = ROOT / "samples" / "anomalies.json"
PAGE = ROOT / "docs" / "variants.md"
DIGITS = [str(digit) for digit in range(10)]


@dataclasses.dataclass(frozen=True)
class Flags(TrainFlags):
    digits: str = flag("0-9", "Training", "to leave out, one in turn: 3 or 0-9")
    seed: int = flag(1, "Training", "of each", low=0)
    count: int = flag(
        100, "Search", "test images of the digit, and of others", low=9, high=800
    )
    starts: int = flag(16, "Search", "random codes for each", low=1)
    adam_steps: int = flag(300, "Search", "of Adam", low=1)


def write_others(
    digit: int, path: Path, images: np.ndarray, labels: np.ndarray
) -> None:
    """Writes images of all but one digit, as ``--dataset`` takes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, images=images[labels != digit])


def chosen(digit: int, labels: np.ndarray, count: int) -> np.ndarray:
    """The first places of a digit, and of the others, as many of each of them."""
    each = [count if k == digit else count // 9 for k in range(10)]
    return np.concatenate([np.flatnonzero(labels == k)[: each[k]] for k in range(10)])


def measure(
    digit: int, saved_model: Path, images: np.ndarray, labels: np.ndarray, flags: Flags
) -> dict[str, Any]:
    """How well errors tell a digit from the others, by test images uint8."""
    from sklearn.metrics import roc_auc_score

    from tfgan_mnist.serving.reader import LoadedModel

    rows = chosen(digit, labels, flags.count)
    images, labels = images[rows] / np.float32(255.0), labels[rows]
    model = LoadedModel(saved_model)
    _, errors = nearest_samples(model, images, labels, flags.starts, flags.adam_steps)
    unseen = labels == digit
    return {
        "step": model.metadata["step"],
        "seed": flags.seed,
        "count": int(unseen.sum()),
        "others": int((~unseen).sum()),
        "error": float(errors[unseen].mean()),
        "error_of_others": float(errors[~unseen].mean()),
        "auroc": float(roc_auc_score(unseen, errors)),
    }


def table(record: Mapping[str, Mapping[str, Any]]) -> str:
    """What was found, as Markdown."""
    heads = ["left out", "steps", "images", "error", "others", "error", "AUROC"]
    rows = [
        [
            digit,
            f"{found['step']:,}",
            f"{found['count']:,}",
            f"{found['error']:.4f}",
            f"{found['others']:,}",
            f"{found['error_of_others']:.4f}",
            f"{found['auroc']:.3f}",
        ]
        for digit, found in record.items()
    ]
    mean = np.mean([found["auroc"] for found in record.values()])
    if len(rows) > 1:
        rows.append(["mean", *[""] * 5, f"{mean:.3f}"])
    return markdown(heads, rows)


def main(argv: Sequence[str]) -> None:
    flags, _ = read_words(argv, __doc__, Flags)
    digits = [str(k) for k in parse_numbers(flags.digits, "digits", "a digit", 10)]

    def find(digit: str, seed: int) -> dict[str, Any]:
        from tfgan_mnist.system.runtime import load_tensorflow

        load_tensorflow()
        from tfgan_mnist.data.mnist import mnist

        others, run_dir = RUNS / f"without_{digit}.npz", RUNS / f"{digit}-{seed}"
        write_others(int(digit), others, *mnist(flags.data_dir))
        words = ["--flagfile=dcgan_fast", f"--dataset={others}", "--evaluate_every=0"]
        words += [f"--seed={seed}", f"--run_dir={run_dir}", *flags.schedule]
        run_command("train", words)
        test = mnist(flags.data_dir, "test")
        return measure(int(digit), run_dir / "saved_model", *test, flags)

    wanted = [(digit, flags.seed) for digit in digits]
    measure_each(RECORD, wanted, DIGITS, flags.only_write, find, write)


def write(record: Mapping[str, Mapping[str, Any]]) -> None:
    """The table of what is in the record."""
    write_between_marks(PAGE, {"anomalies": table(record)})


if __name__ == "__main__":
    sys.exit(command.run(main))
