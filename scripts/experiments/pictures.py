"""Makes the pictures in samples/, on real MNIST, and the tables of what they took.

    python scripts/experiments/pictures.py --data_dir=FOLDER [RECIPE ...]

Each recipe trains for its budget below, toys from five seeds, in run directories of
their own under ``runs/samples``; a run that is there already goes on. A recipe's
pictures (of its first seed) and rows are written when its runs end. The recipes that
losses.py compares have their pictures there.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import Parser, markdown, run_command, spread, write_record

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
RUNS = Path("runs") / "samples"
SCALE = 2  # pixels of a shown sheet a pixel of its images

# Flags in place of the recipe's: a budget for two cores, and frames enough to watch.
BUDGETS = {
    "dcgan": ["--max_seconds=1800", "--sample_every=100", "--log_every=20"],
    "dcgan_tutorial": [
        "--max_seconds=1800",
        "--sample_every=234",
        "--evaluate_every=234",
    ],
    "dcgan32": ["--max_seconds=600", "--sample_every=400", "--log_every=50"],
    "dcgan32_cured": ["--evaluate_every=0"],  # as epochs.py trains it
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
    "ring": ["--steps=20000", "--sample_every=1000"],
    "ring_relativistic": [],
    "grid": ["--steps=20000", "--sample_every=1000"],
    "grid_relativistic": [],
}
# Those whose metrics stand in the table below; of the others the README tells.
MEASURED = ("gaussian", "moons", "ring", "grid", "stacked")
# Slow ones, and ones that nobody would choose.
SEEDS = {
    name: (1,) for name in ("ring", "grid", "gaussian_raw", "moons_slow", "stacked")
}

HEADER = """\
# Samples

Every picture and number here was made by
`python scripts/experiments/pictures.py --data_dir=FOLDER`, from real MNIST, with the
budget that its row names: time on two cores, often far less than the sources give. Each
picture shows the recipe's fixed latents at the last step, images at twice their size;
dashed lines in plots of metrics are what fresh real samples reach. `dcgan32_cured` is
the run of `python scripts/experiments/epochs.py dcgan32_cured --data_dir=FOLDER`.

"""

METRICS = """
## Metrics

Of toys and stacks at those steps, by `python -m tfgan_mnist.evaluate`. Most were
trained from five seeds (1 to 5): mean (least – greatest) over them. Of images the
README tells.

"""


def seeds_of(recipe: str) -> tuple[int, ...]:
    return SEEDS.get(recipe, (1, 2, 3, 4, 5) if recipe.startswith(MEASURED) else (1,))


def make(recipe: str, data_dir: str) -> None:
    """Trains a recipe from its seeds, and keeps its pictures, and what made them."""
    measured = []
    for seed in reversed(seeds_of(recipe)):  # the first comes last, and is shown
        run_dir = RUNS / (recipe if seed == 1 else f"{recipe}-{seed}")
        flags = [f"--flagfile={recipe}.flags", *BUDGETS[recipe]]
        flags += [f"--run_dir={run_dir}", f"--seed={seed}"]
        if data_dir:
            flags.append(f"--data_dir={data_dir}")
        run_command("train", flags)
        if recipe.startswith(MEASURED):
            path = run_dir / "evaluation.json"
            flags = [f"--saved_model={run_dir / 'saved_model'}", f"--output={path}"]
            run_command("evaluate", flags)
            measured.append(json.loads(path.read_text()))
    keep(run_dir, SAMPLES / recipe)
    if measured:
        write_record(SAMPLES / recipe / "metrics.json", measured[::-1])


def keep(run_dir: Path, folder: Path) -> None:
    """Copies a run's pictures and what made its model; sheets of images are enlarged.

    Of stacks, the three digits of each are shown beside each other too.
    """
    import imageio.v3 as imageio

    from tfgan_mnist.registry import DATASETS
    from tfgan_mnist.serving.saved_model import METADATA
    from tfgan_mnist.training.run_directory import RunDirectory

    folder.mkdir(parents=True, exist_ok=True)
    directory = RunDirectory(run_dir)
    shutil.copy(directory.saved_model / METADATA, folder / "model.json")
    model = json.loads((folder / "model.json").read_text())
    sheet = imageio.imread(directory.sample_path(model["step"]))
    data = DATASETS[model["dataset"]]
    shown = sheet if data.is_toy else enlarged(sheet)
    imageio.imwrite(folder / "montage.png", shown)
    if data.makes == "stacks":
        imageio.imwrite(folder / "channels.png", enlarged(channels(sheet)))
    for path in (directory.animation, directory.loss_plot, directory.report_plot):
        if path.is_file():
            shutil.copy(path, folder / path.name)


def enlarged(pixels: np.ndarray) -> np.ndarray:
    """Each pixel of [height, width, ...] as a square of them."""
    return pixels.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


def channels(sheet: np.ndarray) -> np.ndarray:
    """Red, green and blue of [height, width, 3] in grey, beside each other."""
    return np.concatenate(np.moveaxis(sheet, -1, 0), axis=1)


def metric_rows(recipe: str) -> list[list[str]]:
    """The table's rows of a recipe, one a metric; none if it was not measured."""
    path = SAMPLES / recipe / "metrics.json"
    if not path.is_file():
        return []
    runs = json.loads(path.read_text())
    rows = []
    for name, first in runs[0]["metrics"].items():
        means = [run["metrics"][name]["mean"] for run in runs]
        real = f"{first['real']:.4f}" if "real" in first else ""
        cells = [f"`{recipe}`", str(len(runs)), name, spread(means, "{:.4f}"), real]
        rows.append(cells)
    return rows


def pictures_of(recipe: str) -> str:
    """A recipe's section: the pictures that there are."""

    def shown(*names: tuple[str, str]) -> str:
        links = [
            f"![{text}]({recipe}/{name})"
            for text, name in names
            if (SAMPLES / recipe / name).is_file()
        ]
        return " ".join(links) + "\n\n" if links else ""

    text = f"\n## {recipe}\n\n"
    text += shown(("samples", "montage.png"), ("animation", "progress.gif"))
    text += shown(("red, green and blue", "channels.png"))
    text += shown(("losses", "loss.png")) + shown(("metrics", "metrics.png"))
    return text.removesuffix("\n")


def write_tables() -> None:
    """Writes samples/README.md from what stands beside the pictures."""
    made, measured, pictures = [], [], []
    for recipe, flags in BUDGETS.items():
        path = SAMPLES / recipe / "model.json"
        if not path.is_file():
            continue
        model = json.loads(path.read_text())
        words = f"`{' '.join(flags)}`" if flags else "none"
        seen = model["step"] * model["flags"]["batch_size"]
        cells = [f"`{recipe}`", words, f"{model['step']:,}", f"{seen:,}"]
        made.append([*cells, f"{model['seconds']:,.0f}"])
        measured += metric_rows(recipe)
        pictures.append(pictures_of(recipe))
    instead = "in place of the recipe's own flags"
    heads = ["recipe", instead, "steps", "samples seen", "seconds"]
    text = HEADER + markdown(heads, made, left=[instead]) + METRICS
    heads = ["recipe", "seeds", "metric", "generated", "real"]
    text += markdown(heads, measured, left=["metric"]) + "".join(pictures)
    (SAMPLES / "README.md").write_text(text)


def main(argv: Sequence[str]) -> None:
    parser = Parser(__doc__)
    parser.add_data_dir()
    parser.add_argument("recipes", nargs="*", help="by default all")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.recipes) - set(BUDGETS):
        parser.error(f"no budget for {min(unknown)}; there are: {', '.join(BUDGETS)}")
    for recipe in arguments.recipes or BUDGETS:
        make(recipe, arguments.data_dir)
        write_tables()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tfgan_mnist.system import command

    sys.exit(command.run(main))
