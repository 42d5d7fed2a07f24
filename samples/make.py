"""Makes the pictures of this folder, on real MNIST, and the table of what they took.

    python samples/make.py --data_dir=FOLDER [RECIPE ...]

Each recipe trains for its budget below, in a run directory of its own under
``runs/samples``; a run that is there already goes on. The pictures and the table's row
of a recipe are written when its run ends.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
RUNS = Path("runs") / "samples"

# Flags in place of the recipe's: a budget for two cores, and frames enough to watch.
BUDGETS = {
    "dcgan": ["--max_seconds=1800", "--sample_every=100", "--log_every=20"],
    "dcgan_tutorial": ["--max_seconds=900", "--sample_every=100", "--log_every=20"],
    "dcgan32": ["--max_seconds=600", "--sample_every=400", "--log_every=50"],
    "dcgan_cpu": ["--dataset=mnist"],
    "mlp": ["--sample_every=1875"],
    "cgan_onehot": [],
    "cgan_embedding": [],
    "cdcgan": ["--max_seconds=1500", "--sample_every=100", "--log_every=20"],
    "gaussian": [],
    "gaussian_raw": [],
    "gaussian_averaged": [],
    "moons_slow": [],
    "moons": [],
    "ring_gan": [],
    "ring": [],
    "grid_gan": [],
    "grid": [],
}

HEADER = """\
# Samples

Every picture here was made by `python samples/make.py --data_dir=FOLDER`, from real
MNIST, with the budget that its row names: time on two cores, far less than the sources
give the larger recipes. Each montage shows the recipe's 100 fixed latents at the last
step.

| recipe | in place of the recipe's own flags | steps | images seen | seconds |
| --- | --- | ---: | ---: | ---: |
"""


def make(recipe: str, data_dir: str) -> None:
    """Trains a recipe, and copies its pictures and facts here."""
    run_dir = RUNS / recipe
    flags = [f"--flagfile={recipe}.flags", *BUDGETS[recipe], f"--run_dir={run_dir}"]
    if data_dir:
        flags.append(f"--data_dir={data_dir}")
    subprocess.run([sys.executable, "-m", "tfgan_mnist.train", *flags], check=True)
    metadata_path = run_dir / "saved_model" / "assets.extra" / "tfgan_mnist.json"
    facts = json.loads(metadata_path.read_text())
    (HERE / recipe).mkdir(exist_ok=True)
    montage = run_dir / "samples" / f"step_{facts['step']:07d}.png"
    shutil.copy(montage, HERE / recipe / "montage.png")
    for name in ("progress.gif", "loss.png"):
        shutil.copy(run_dir / name, HERE / recipe / name)
    shutil.copy(metadata_path, HERE / recipe / "made_by.json")


def write_table() -> None:
    """Writes README.md from the facts beside the pictures."""
    rows = []
    for recipe, flags in BUDGETS.items():
        path = HERE / recipe / "made_by.json"
        if not path.is_file():
            continue
        facts = json.loads(path.read_text())
        images = facts["step"] * facts["flags"]["batch_size"]
        rows.append(
            f"| `{recipe}` | `{' '.join(flags)}` | {facts['step']:,} | {images:,} "
            f"| {facts['seconds']:,.0f} |\n"
        )
    pictures = "".join(
        f"\n## {path.parent.name}\n\n"
        f"![montage]({path.parent.name}/montage.png) "
        f"![animation]({path.parent.name}/progress.gif)\n\n"
        f"![losses]({path.parent.name}/loss.png)\n"
        for path in sorted(HERE.glob("*/made_by.json"))
    )
    (HERE / "README.md").write_text(HEADER + "".join(rows) + pictures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", default="", help="a prepared copy of MNIST")
    parser.add_argument("recipes", nargs="*", help="by default all")
    arguments = parser.parse_args()
    if unknown := set(arguments.recipes) - set(BUDGETS):
        parser.error(f"no budget for {min(unknown)}; there are: {', '.join(BUDGETS)}")
    for recipe in arguments.recipes or BUDGETS:
        make(recipe, arguments.data_dir)
        write_table()


if __name__ == "__main__":
    main()
