"""Makes the pictures in samples/, on real MNIST, and the tables of what they took.

    python scripts/experiments/pictures.py --data_dir=FOLDER [RECIPE ...]
    python scripts/experiments/pictures.py --only_write

Each recipe trains for its budget below, toys from up to five seeds, in run directories
of their own under ``runs/samples``; a run that is there already goes on. A recipe's
pictures (of its first seed) and rows are written when its runs end. The recipes that
losses.py compares have their pictures there.
"""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import epochs
import numpy as np
from common import (
    ROOT,
    DataFlags,
    markdown,
    read_words,
    run_command,
    stale_note,
    starred,
    write_record,
)

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag
from tfgan_mnist.system.tables import spread

SAMPLES = ROOT / "samples"
RUNS = Path("runs") / "samples"
SCALE = 2  # pixels of a shown sheet a pixel of its images
THUMBNAIL = (280, 200)  # width and height that one fits into, in pixels

# Flags in place of the recipe's: a budget for two cores, and frames enough to watch.
BUDGETS = {
    "dcgan": ["--jit_compile=step", "--max_seconds=420"],  # on a GPU: whole.py's
    "dcgan_tutorial": [
        "--max_seconds=1800",
        "--sample_every=234",
        "--evaluate_every=234",
    ],
    "dcgan32": epochs.DCGAN32,
    "dcgan32_cured": ["--evaluate_every=0"],  # as epochs.py trains it
    "dcgan_cpu": ["--dataset=mnist"],
    "dcgan_fast": ["--sample_every=100"],
    "dcgan_varied": [],
    "cdcgan_fast": ["--steps=4800", "--max_seconds=0"],
    "cdcgan_varied": [],
    "biggan": ["--sample_every=100"],
    "stylegan": [],
    "stackgan_1": [],
    "stackgan_2": ["--init_from=runs/samples/stackgan_1/saved_model"],
    "stacked": [],
    "mlp": ["--sample_every=1875", "--evaluate_every=18750"],
    "cgan_onehot": [],
    "cgan_embedding": ["--evaluate_every=5000"],
    "cdcgan": ["--jit_compile=step", "--max_seconds=420"],  # on a GPU: whole.py's
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
# Those whose metrics stand in the table below; others have theirs in docs/recipes.md.
MEASURED = ("gaussian", "moons", "ring", "grid", "stacked")
# Slow ones, and ones that nobody would choose, from fewer seeds than five.
SEEDS = {
    "ring": (1,),
    "grid": (1,),
    "gaussian_raw": (1,),
    "moons_slow": (1,),
    "stacked": (1, 2, 3),
}

# Those whose walk through the latents is kept, and of which label.
WALKS = {
    "dcgan_fast": [],
    "dcgan_varied": [],
    "cdcgan_fast": ["--label=3"],
    "cdcgan_varied": ["--label=3"],
    "stylegan": [],
}

HEADER = """\
# Samples

Samples of most recipes, on real MNIST or its toy, and the training they took: most on
one or two cores, which were not always idle (`biggan` and `cgan_onehot` took three to
four times as long as for the [results](../docs/recipes.md#results)). The budgets are
often far shorter than the sources' own. Each picture links to the animation of its
training, which draws the same latents at every step. Sheets show images at twice their
size. Dashed lines in plots of metrics are real samples: test images, or a toy's fresh
ones.

`python scripts/experiments/pictures.py --data_dir=FOLDER` made all of it except:
`dcgan32` and `dcgan32_cured` are the runs of
`python scripts/experiments/epochs.py dcgan32 dcgan32_cured --data_dir=FOLDER`.
`dcgan` and `cdcgan` are the runs on a GPU of
`python scripts/experiments/whole.py dcgan cdcgan --max_seconds=420 --data_dir=FOLDER`;
the run of `dcgan_tutorial` here stopped after 30 minutes, a whole one is in
[recipes](../docs/recipes.md#whole-schedules). The walks of `dcgan_fast` and
`cdcgan_fast` are of the pretrained models.

"""

METRICS = """
## Metrics

Of toys and stacks, by `tfgan-mnist evaluate`: mean (least – greatest) over the training
seeds. Those of images are in [recipes and results](../docs/recipes.md).

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
    if recipe in WALKS:
        walk = SAMPLES / recipe / "walk.gif"
        flags = [f"--run_dir={run_dir}", "--count=8", f"--output={walk}"]
        run_command("sample", [*flags, *WALKS[recipe]])
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
    for path in directory.path.glob("sheet_*.png"):
        imageio.imwrite(folder / path.name, enlarged(imageio.imread(path)))
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
        form = "{:,.0f}" if max(means) > 10_000 else "{:,.4g}"
        real = form.format(first["real"]) if "real" in first else ""
        cells = [starred(recipe, runs[0]), str(len(runs)), name]
        rows.append([*cells, spread(means, form), real])
    return rows


def thumbnail(recipe: str) -> bytes:
    """A recipe's sheet, small enough for a page of them, as WebP."""
    from PIL import Image

    with Image.open(SAMPLES / recipe / "montage.png") as sheet:
        small = sheet.convert("RGB")
    small.thumbnail(THUMBNAIL, Image.Resampling.LANCZOS)
    packed = io.BytesIO()
    small.save(packed, "webp", quality=75, method=6)
    return packed.getvalue()


def row_of(recipe: str, model: dict) -> list[str]:
    """A recipe's row: its thumbnail, what made it, and the pictures that there are."""
    links = [
        f"[{text}]({recipe}/{name})"
        for text, name in (
            ("sheet", "montage.png"),
            ("channels", "channels.png"),
            ("losses", "loss.png"),
            ("metrics", "metrics.png"),
            ("walk", "walk.gif"),
        )
        if (SAMPLES / recipe / name).is_file()
    ]
    flags = " ".join(f"`{flag}`" for flag in BUDGETS[recipe]) or "none"
    still = f"![samples of {recipe}]({recipe}/thumbnail.webp)"
    picture = f"[{still}]({recipe}/progress.gif)"
    seen = model["step"] * model["flags"]["batch_size"]
    cells = [picture, starred(recipe, model), flags, f"{model['step']:,}", f"{seen:,}"]
    return [*cells, f"{model['seconds']:,.0f}", ", ".join(links)]


def page() -> str:
    """What samples/README.md says, from what stands beside it."""
    made, measured = [], []
    for recipe in BUDGETS:
        path = SAMPLES / recipe / "model.json"
        if path.is_file():
            made.append(row_of(recipe, json.loads(path.read_text())))
            measured += metric_rows(recipe)
    instead, more = "in place of its own flags", "more"
    heads = ["", "recipe", instead, "steps", "samples seen", "seconds", more]
    table = markdown(heads, made, left=["recipe", instead, more])
    heads = ["recipe", "seeds", "metric", "generated", "real"]
    metrics = markdown(heads, measured, left=["metric"])
    return HEADER + table + stale_note(table) + METRICS + metrics + stale_note(metrics)


def write() -> None:
    """Writes the thumbnails, and samples/README.md around them."""
    for path in sorted(SAMPLES.glob("*/montage.png")):
        (path.parent / "thumbnail.webp").write_bytes(thumbnail(path.parent.name))
    (SAMPLES / "README.md").write_text(page())


@dataclasses.dataclass(frozen=True)
class Flags(DataFlags):
    only_write: bool = flag(False, "Results", "the page, of what there is")


def main(argv: Sequence[str]) -> None:
    flags, recipes = read_words(argv, __doc__, Flags, BUDGETS)
    if flags.only_write:
        write()
        return
    for recipe in recipes or BUDGETS:
        make(recipe, flags.data_dir)
        write()


if __name__ == "__main__":
    sys.exit(command.run(main))
