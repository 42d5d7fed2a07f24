"""Makes the pictures of this folder, on real MNIST, and the tables of what they took.

    python samples/make.py --data_dir=FOLDER [RECIPE ...]

Each recipe trains for its budget below, toys from five seeds, in run directories of
their own under ``runs/samples``; a run that is there already goes on. A recipe's
pictures (of its first seed) and rows are written when its runs end.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
RUNS = Path("runs") / "samples"

# Flags in place of the recipe's: a budget for two cores, and frames enough to watch.
BUDGETS = {
    "dcgan": ["--max_seconds=1800", "--sample_every=100", "--log_every=20"],
    "dcgan_tutorial": ["--max_seconds=900", "--sample_every=100", "--log_every=20"],
    "dcgan32": ["--max_seconds=600", "--sample_every=400", "--log_every=50"],
    "dcgan32_cured": [
        "--evaluate_every=0"
    ],  # as scripts/experiments/epochs.py trains it
    "dcgan_cpu": ["--dataset=mnist"],
    "dcgan_fast": [],
    "cdcgan_fast": [],
    "stacked": [],
    "mlp": ["--sample_every=1875", "--evaluate_every=18750"],
    "cgan_onehot": [],
    "cgan_embedding": ["--evaluate_every=5000"],
    "cdcgan": [
        "--max_seconds=1500",
        "--sample_every=100",
        "--log_every=20",
        "--evaluate_every=1000",
    ],
    "gaussian": [],
    "gaussian_raw": [],
    "gaussian_averaged": [],
    "gaussian_relativistic": [],
    "moons_slow": [],
    "moons": [],
    "moons_relativistic": [],
    "ring": ["--max_seconds=240"],
    "ring_relativistic": [],
    "grid": ["--max_seconds=240"],
    "grid_relativistic": [],
}
# Those whose scores stand in the table below; of the others the README tells.
SCORED = ("gaussian", "moons", "ring", "grid", "stacked")
# Slow ones, and ones that nobody would choose.
SEEDS = {
    name: (1,) for name in ("ring", "grid", "gaussian_raw", "moons_slow", "stacked")
}

HEADER = """\
# Samples

Every picture and figure here was made by `python samples/make.py --data_dir=FOLDER`,
from real MNIST, with the budget that its row names: time on two cores, often far less
than the sources give. Each picture shows the recipe's fixed latents at the last step;
dashed lines in plots of scores are what fresh real samples reach. `dcgan32_cured` is
the run of `python scripts/experiments/epochs.py dcgan32_cured --data_dir=FOLDER`.

| recipe | in place of the recipe's own flags | steps | samples seen | seconds |
| --- | --- | ---: | ---: | ---: |
"""

SCORES = """
## Scores

Of toys and stacks at those steps, by `python -m tfgan_mnist.evaluate`. Most were
trained from five seeds (1 to 5): mean (least – greatest) over them. Of images the
README tells.

| recipe | seeds | score | generated | real |
| --- | ---: | --- | ---: | ---: |
"""


def seeds_of(recipe: str) -> tuple[int, ...]:
    return SEEDS.get(recipe, (1, 2, 3, 4, 5) if recipe.startswith(SCORED) else (1,))


def make(recipe: str, data_dir: str) -> None:
    """Trains a recipe from its seeds, and copies its pictures and facts here."""
    from tfgan_mnist.system.command import run_command

    scores = []
    for seed in reversed(seeds_of(recipe)):  # the first comes last, and is shown
        run_dir = RUNS / (recipe if seed == 1 else f"{recipe}-{seed}")
        flags = [f"--flagfile={recipe}.flags", *BUDGETS[recipe]]
        flags += [f"--run_dir={run_dir}", f"--seed={seed}"]
        if data_dir:
            flags.append(f"--data_dir={data_dir}")
        run_command("train", flags)
        if recipe.startswith(SCORED):
            path = run_dir / "evaluation.json"
            flags = [f"--saved_model={run_dir / 'saved_model'}", f"--output={path}"]
            run_command("evaluate", flags)
            scores.append(json.loads(path.read_text()))
    metadata_path = run_dir / "saved_model" / "assets.extra" / "tfgan_mnist.json"
    facts = json.loads(metadata_path.read_text())
    (HERE / recipe).mkdir(exist_ok=True)
    montage = run_dir / "samples" / f"step_{facts['step']:07d}.png"
    shutil.copy(montage, HERE / recipe / "montage.png")
    for name in ("progress.gif", "loss.png", "scores.png"):
        if (run_dir / name).is_file():
            shutil.copy(run_dir / name, HERE / recipe / name)
    shutil.copy(metadata_path, HERE / recipe / "made_by.json")
    if scores:
        text = json.dumps(scores[::-1], indent=1) + "\n"
        (HERE / recipe / "scores.json").write_text(text)


def score_rows(recipe: str) -> str:
    """The table's rows of a recipe, one a score; none if it was not scored."""
    path = HERE / recipe / "scores.json"
    if not path.is_file():
        return ""
    runs = json.loads(path.read_text())
    rows = []
    for name, first in runs[0]["scores"].items():
        means = [run["scores"][name]["mean"] for run in runs]
        cell = f"{statistics.mean(means):.4f}"
        if len(means) > 1:
            cell += f" ({min(means):.4f} – {max(means):.4f})"
        real = f"{first['real']:.4f}" if "real" in first else ""
        rows.append(f"| `{recipe}` | {len(means)} | {name} | {cell} | {real} |\n")
    return "".join(rows)


def write_table() -> None:
    """Writes README.md from the facts beside the pictures."""
    rows, scores, pictures = [], [], []
    for recipe, flags in BUDGETS.items():
        path = HERE / recipe / "made_by.json"
        if not path.is_file():
            continue
        facts = json.loads(path.read_text())
        seen = facts["step"] * facts["flags"]["batch_size"]
        words = f"`{' '.join(flags)}`" if flags else "none"
        rows.append(
            f"| `{recipe}` | {words} | {facts['step']:,} | {seen:,} "
            f"| {facts['seconds']:,.0f} |\n"
        )
        scores.append(score_rows(recipe))
        pictures.append(
            f"\n## {recipe}\n\n![samples]({recipe}/montage.png) "
            f"![animation]({recipe}/progress.gif)\n\n![losses]({recipe}/loss.png)\n"
        )
        if (HERE / recipe / "scores.png").is_file():
            pictures.append(f"\n![scores]({recipe}/scores.png)\n")
    text = HEADER + "".join(rows) + SCORES + "".join(scores) + "".join(pictures)
    (HERE / "README.md").write_text(text)


def main(argv: Sequence[str]) -> None:
    from tfgan_mnist.system.command import Parser

    parser = Parser(__doc__)
    parser.add_data_dir()
    parser.add_argument("recipes", nargs="*", help="by default all")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.recipes) - set(BUDGETS):
        parser.error(f"no budget for {min(unknown)}; there are: {', '.join(BUDGETS)}")
    for recipe in arguments.recipes or BUDGETS:
        make(recipe, arguments.data_dir)
        write_table()


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    from tfgan_mnist.system import command

    sys.exit(command.run(main))
