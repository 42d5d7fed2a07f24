"""What adaptive augmentation gains when there are few images: 500 digits of MNIST.

    python scripts/experiments/few_digits.py [--seconds=150] [--seed=1]

Trains the networks of dcgan_fast on 50 images of each digit, without augmentation, with
--shift=2, and with --augmentation_target=0.6, for as long each; and measures what each
draws by the packaged judge, against all of MNIST. Prints a table, and writes what it
found to samples/few_digits.json and the three sheets beside it.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import Parser, markdown, run_command, write_record

ROOT = Path(__file__).parents[2]
OF_EACH = 50
WAYS = {
    "as they are": [],
    "moved by up to two pixels": ["--shift=2"],
    "adaptive augmentation": ["--augmentation_target=0.6"],
}
SHOWN = ("fcd_10k", "precision_10k", "recall_10k", "coverage_10k", "classes_10k")


def write_digits(path: Path) -> None:
    """Writes the first images of each digit that need no download."""
    from tfgan_mnist.data.mnist import mnist5k

    images, labels = mnist5k()
    chosen = np.concatenate([np.flatnonzero(labels == i)[:OF_EACH] for i in range(10)])
    np.savez_compressed(path, images=images[chosen], labels=labels[chosen])


def main(argv: Sequence[str]) -> None:
    parser = Parser(__doc__)
    parser.add_argument("--seconds", type=float, default=150.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default="samples/few_digits")
    arguments = parser.parse_args(argv)
    output = ROOT / arguments.output
    output.parent.mkdir(parents=True, exist_ok=True)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        digits = Path(folder) / "few_digits.npz"
        write_digits(digits)
        for number, (way, flags) in enumerate(WAYS.items(), 1):
            run = Path(folder) / str(number)
            run_command(
                "train",
                [
                    "--flagfile=dcgan_fast",
                    f"--dataset={digits}",
                    "--judge=mnist",
                    "--clusters=50",
                    f"--max_seconds={arguments.seconds}",
                    f"--seed={arguments.seed}",
                    f"--run_dir={run}",
                    *flags,
                ],
            )
            report = Path(folder) / "report.json"
            words = [f"--saved_model={run / 'saved_model'}", "--judge=mnist"]
            run_command("evaluate", [*words, f"--output={report}"])
            (*_, last) = sorted((run / "samples").iterdir())
            shutil.copy(last, f"{output}_{number}.png")
            found[way] = json.loads(report.read_text())
    record = {
        "command": f"few_digits.py --seconds={arguments.seconds:g}",
        "seed": arguments.seed,
        "found": found,
    }
    write_record(output.with_suffix(".json"), record)
    rows = [
        [way, f"{one['step']:,}", *(f"{one['metrics'][n]['mean']:.3f}" for n in SHOWN)]
        for way, one in found.items()
    ]
    print(markdown(["500 digits", "steps", *SHOWN], rows))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tfgan_mnist.system import command

    sys.exit(command.run(main))
