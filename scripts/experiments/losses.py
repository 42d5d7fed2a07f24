"""Losses side by side: recipes on one narrow pair of networks, for equal seconds.

    python scripts/experiments/losses.py --time
    python scripts/experiments/losses.py --data_dir=FOLDER [RECIPE ...] [--seeds=2,3]
    python scripts/experiments/losses.py --only_write

The first takes the milliseconds that a step of each recipe lasts, on a machine that
does nothing else, and adds a round to samples/losses/milliseconds.json. The second
trains each recipe on real MNIST for as many steps as 120 seconds hold, by the median of
those rounds, so that it matters little what else the machine does then. A run that is
there already in runs/losses goes on, or is only measured. What was found joins what
other seeds gave in samples/losses/losses.json; 40 samples of each first seed go into
samples/losses/strip.png, and the table into docs/losses.md.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import (
    ROOT,
    RecordFlags,
    alarm_cell,
    each_seed,
    markdown,
    measure_each,
    read_record,
    read_words,
    train_and_measure,
    with_run,
    write_between_marks,
    write_record,
)

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag
from tfgan_mnist.system.tables import spread

RUNS = Path("runs") / "losses"
FOLDER = ROOT / "samples" / "losses"
DOCUMENT = ROOT / "docs" / "losses.md"

RECIPES = (
    "non_saturating",
    "lsgan",
    "wgan",
    "wgan_gp",
    "hinge_sn",
    "relativistic_r1_r2",
    "acgan",
    "vae",
)
FIRST_SEED = 1  # whose samples are shown
SECONDS = 120  # of training, each
TIMED = 7  # seconds that steps are timed for
METRICS = {
    "fcd_10k": ("FCD", "{:.2f}"),
    "precision_10k": ("precision", "{:.3f}"),
    "recall_10k": ("recall", "{:.3f}"),
    "classes_10k": ("classes", "{:.3g}"),
    "digit_agreement_10k": ("digit agreement", "{:.3f}"),
}
SHARP = 10_000  # images, whose sharpness is taken
PICTURES, COLUMNS = 40, 20  # in a recipe's row of the strip

Record = dict[str, list[dict]]  # what was found of each recipe, a run each


def run_dir(recipe: str, seed: int) -> Path:
    return RUNS / f"{recipe}-{seed}"


def run(recipe: str, seed: int, data_dir: str, sharpness_of_real: float) -> dict:
    """Trains a recipe from a seed and measures it; what is to be said of that."""
    count = steps(milliseconds_of(recipe))
    flags = [f"--flagfile={recipe}.flags", f"--seed={seed}", "--max_seconds=0"]
    flags += [f"--steps={count}", f"--evaluate_every={count // 4}"]
    found = train_and_measure(flags, run_dir(recipe, seed), data_dir)

    from tfgan_mnist.evaluation.protocols import protocol_of

    labels = protocol_of("mnist").labels(SHARP)
    return {
        **found,
        "milliseconds_per_step": milliseconds_of(recipe),
        "sharpness": sharpness(draw(recipe, seed, labels)) / sharpness_of_real,
    }


def milliseconds_of(recipe: str) -> float:
    """What a step takes: the median of the rounds that were timed."""
    return statistics.median(read_record(FOLDER / "milliseconds.json")[recipe])


def steps(milliseconds: float) -> int:
    """How many steps ``SECONDS`` hold, in tens."""
    return int(round(SECONDS * 1000.0 / milliseconds, -1))


def time_step(recipe: str) -> float:
    """Milliseconds that a step takes now: the median over compiled calls."""
    import tensorflow as tf

    from tfgan_mnist.build import build_training
    from tfgan_mnist.config import find_recipe, read_config

    config = read_config(find_recipe(recipe))
    training = build_training(dataclasses.replace(config, dataset="mnist5k"))
    count = config.steps_per_call
    found, start = [], time.perf_counter()
    for i in itertools.count():
        before = time.perf_counter()
        training.step(tf.constant(i * count), tf.constant(count)).numpy()
        if i < 2:  # traces, and warms up
            start = time.perf_counter()
            continue
        found.append(1000.0 * (time.perf_counter() - before) / count)
        if time.perf_counter() - start > TIMED:
            return round(statistics.median(found), 2)


def draw(recipe: str, seed: int, labels: np.ndarray) -> np.ndarray:
    """Images that a run's model makes: one a label, if it takes any."""
    from tfgan_mnist.serving.reader import LoadedModel, row_seeds

    model = LoadedModel(run_dir(recipe, seed) / "saved_model")
    seeds = row_seeds(1, len(labels))
    return model.sample(seeds, labels=labels if model.classes else None)


def table(record: Record) -> str:
    """What was found of each recipe, as Markdown, with what it rests on below."""
    heads = ["recipe", *(head for head, _ in METRICS.values())]
    heads += ["sharpness", "steps", "ms a step", "alarm"]
    rows = []
    for recipe, runs in record.items():
        cells = [f"`{recipe}`"]
        for name, (_, form) in METRICS.items():
            values = [one["metrics"][name]["mean"] for one in runs if has(one, name)]
            cells.append(spread(values, form) if values else "–")
        for name, form in (
            ("sharpness", "{:.2f}"),
            ("step", "{:,.0f}"),
            ("milliseconds_per_step", "{:.1f}"),
        ):
            cells.append(spread([one[name] for one in runs], form))
        rows.append([*cells, alarm_cell(one["alarms"] for one in runs)])
    runs = [one for some in record.values() for one in some]
    cells = ["held-out real images"]
    for name, (_, form) in METRICS.items():
        real = [one["metrics"][name]["real"] for one in runs if has(one, name)]
        cells.append(form.format(statistics.mean(real)) if real else "–")
    rows.append([*cells, "1.00", "", "", ""])
    judges = ", ".join(sorted({one["judge"] for one in runs}))
    seeds = sorted({one["seed"] for one in runs})
    words = (
        f"{of_seeds(seeds)}, each measured by three times 10,000 samples, by "
        f"{judges}. FCD: Fréchet distance (`fcd_10k`); digit agreement: the share "
        "that shows the label asked for; sharpness: the mean gradient magnitude of "
        "the samples over that of the test images; ms a step: the median of the "
        "rounds of `--time`, on two cores with AVX-512; alarm: the runs in which it"
        " rang. Each run's metrics are in "
        "[samples/losses/losses.json](../samples/losses/losses.json)."
    )
    return f"{markdown(heads, rows)}\n{words}\n"


def of_seeds(seeds: Sequence[int]) -> str:
    """What the table's cells are, in words."""
    if len(seeds) == 1:
        return f"One training seed ({seeds[0]})"
    return f"Mean (least – greatest) over training seeds {', '.join(map(str, seeds))}"


def has(one: dict, name: str) -> bool:
    """Whether a run was measured by a metric."""
    return name in one["metrics"]


def draw_strip(path: Path) -> None:
    """Draws samples of each recipe whose first run is there, a pixel as 2×2."""
    from matplotlib.figure import Figure

    from tfgan_mnist.visual.montage import montage

    labels = np.arange(PICTURES) % 10
    sheets = {
        recipe: montage(draw(recipe, FIRST_SEED, labels), COLUMNS)
        for recipe in RECIPES
        if (run_dir(recipe, FIRST_SEED) / "saved_model").is_dir()
    }
    if not sheets:
        return
    height, width = (2 * size for size in next(iter(sheets.values())).shape)
    margin, gap = 150, 8
    whole_width, whole_height = margin + width, len(sheets) * (height + gap)
    figure = Figure(figsize=(whole_width / 100, whole_height / 100), dpi=100)
    for i, (recipe, sheet) in enumerate(reversed(sheets.items())):
        middle = (i * (height + gap) + height / 2) / whole_height
        figure.text(4 / whole_width, middle, recipe, va="center", fontsize=10)
        left, bottom = margin / whole_width, i * (height + gap) / whole_height
        place = (left, bottom, width / whole_width, height / whole_height)
        axes = figure.add_axes(place)
        axes.set_axis_off()
        axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    figure.savefig(path)


@dataclasses.dataclass(frozen=True)
class Flags(RecordFlags):
    seeds: str = flag("1-3", "Training", "of each recipe: 1-3 or 2,3")
    time: bool = flag(False, "Training", "only what a step takes")


def main(argv: Sequence[str]) -> None:
    flags, recipes = read_words(argv, __doc__, Flags, RECIPES)
    wanted = each_seed(recipes or RECIPES, flags.seeds)
    if flags.time and not flags.only_write:
        time_steps(recipes or RECIPES)
        return

    def measure(recipe: str, seed: int) -> dict:
        real = sharpness_of_real(flags.data_dir)
        return run(recipe, seed, flags.data_dir, real)

    path = FOLDER / "losses.json"
    measure_each(path, wanted, RECIPES, flags.only_write, measure, write, with_run)
    if not flags.only_write:
        draw_strip(FOLDER / "strip.png")


def time_steps(recipes: Sequence[str]) -> None:
    """Adds what a step of each recipe takes now to the record."""
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    rounds = read_record(FOLDER / "milliseconds.json")
    for recipe in recipes:
        rounds.setdefault(recipe, []).append(time_step(recipe))
    write_record(FOLDER / "milliseconds.json", rounds)


def sharpness(images: np.ndarray) -> float:
    """The mean over images of their mean gradient magnitude.

    A gradient is the difference to the pixel on the right and to the one below; the
    last column and row, which lack one of them, have none. Blurred images have less
    than sharp ones of the same things, noise has more.

    Args:
      images: [count, height, width, channels], at least 2×2 pixels, in [0, 1].
    """
    images = images.astype(np.float64)
    here = images[:, :-1, :-1]
    right, below = images[:, :-1, 1:] - here, images[:, 1:, :-1] - here
    return float(np.hypot(right, below).mean())


@functools.cache
def sharpness_of_real(data_dir: str) -> float:
    """Of MNIST's test images."""
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.data.mnist import mnist

    return sharpness(mnist(data_dir, "test")[0] / np.float32(255.0))


def write(record: Record) -> None:
    """The table of what is in the record."""
    write_between_marks(DOCUMENT, {"losses": table(record)})


if __name__ == "__main__":
    sys.exit(command.run(main))
