"""Image to image: each task's recipe beside L1 alone and a classical way.

    python scripts/experiments/translations.py --data_dir=FOLDER [RECIPE ...]
    python scripts/experiments/translations.py --only_write

Trains each recipe on real MNIST, and the same without an adversary, for equally many
steps, and measures what they and a classical way make of the 10,000 test images; the
unpaired ones both ways, from each of --seeds. A run that is there already in
runs/translations (RECIPE and RECIPE-l1, or RECIPE-SEED) goes on, or is only measured;
one that ended on another machine can be copied there. What was found goes into
samples/translations.json, beside what other seeds gave, and, as tables, into
docs/image_to_image.md; pictures of test images go into samples/RECIPE. --steps=20 tries
it all out.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from common import (
    ROOT,
    TrainFlags,
    each_seed,
    markdown,
    measure_each,
    read_words,
    run_command,
    write_between_marks,
)

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag

if TYPE_CHECKING:  # they load TensorFlow, or take their time
    from tfgan_mnist.config import Config
    from tfgan_mnist.data.pairs import Task
    from tfgan_mnist.serving.reader import LoadedModel

RUNS = Path("runs") / "translations"
RECORD = ROOT / "samples" / "translations.json"
DOCUMENT = ROOT / "docs" / "image_to_image.md"

PAIRED = (
    "colour",
    "superres",
    "inpaint",
    "background_removal",
    "background_blur",
    "fonts",
    "frames",
)
UNPAIRED = ("cyclegan_thickness", "cyclegan_uci")
RECIPES = (*PAIRED, *UNPAIRED)
COLUMNS = {
    "psnr": ("PSNR", "{:.2f}"),
    "ssim": ("SSIM", "{:.3f}"),
    "digit_kept": ("digit kept", "{:.4f}"),
    "fcd": ("FCD", "{:z.3f}"),
    "precision": ("precision", "{:.3f}"),
    "recall": ("recall", "{:.3f}"),
    "spread": ("spread", "{:.2f}"),
    "colour_error": ("colour error", "{:.4f}"),
    "hole_error": ("error in the hole", "{:.4f}"),
}
PICTURES = {
    "fonts": {"several.png": "printed digits, each with several in handwriting"},
    "frames": {"ahead.gif": "truth, and frames predicted from it: L1, adversarial"},
    **{recipe: {"progress.gif": "during training"} for recipe in UNPAIRED},
}
UNPAIRED_COLUMNS = {
    "count": ("images", "{:,}"),
    "read_before": ("read before", "{:.4f}"),
    "digit_kept": ("digit kept", "{:.4f}"),
    "permuted": ("classes permuted", "{}"),
    "thickness_before": ("thickness before", "{:.2f}"),
    "thickness": ("after", "{:.2f}"),
    "thickness_of_targets": ("of the other kind", "{:.2f}"),
    "cycle_l1": ("L1 there and back", "{:.4f}"),
}
SLOW = 1_000  # images that slow ways are measured by
SHOWN = 8  # test images in a picture, or outputs for one of them
OUTPUTS = 5  # for one image, whose distances are taken
AHEAD = 10  # frames, each from those predicted before

Images = np.ndarray
Examples = Mapping[str, np.ndarray]  # sources, samples (targets) in [0, 1], labels


def bicubic(factor: int) -> Callable[[Examples], Images]:
    """The small image that a source was enlarged from, enlarged by splines."""

    def enlarge(examples: Examples) -> Images:
        from skimage.transform import resize

        count, size = examples["samples"].shape[:2]
        small = examples["samples"].reshape(count, size // factor, factor, -1, factor)
        small = small.mean(axis=(2, 4))
        found = [resize(image, (size, size), order=3) for image in small]
        return np.clip(np.stack(found)[..., np.newaxis], 0.0, 1.0)

    return enlarge


def biharmonic(examples: Examples) -> Images:
    """Holes filled by a biharmonic equation (Damelin and Hoang, 2018)."""
    from skimage.restoration import inpaint_biharmonic

    found = []
    for source, hole in zip(examples["sources"], holes(examples), strict=True):
        filled = inpaint_biharmonic(source[..., 1].astype(np.float64), hole)
        found.append(filled[..., np.newaxis])
    return np.clip(np.stack(found), 0.0, 1.0)


def holes(examples: Examples) -> np.ndarray:
    """bool [count, height, width]: where a source is red."""
    red, green, blue = np.moveaxis(examples["sources"], -1, 0)
    return (red > 0.99) & (green < 0.01) & (blue < 0.01)


def foreground(examples: Examples) -> np.ndarray:
    """bool [count, height, width, 1]: brighter than Otsu's threshold of each image."""
    from skimage.filters import threshold_otsu

    sources = examples["sources"]
    thresholds = [threshold_otsu(image) for image in sources]
    return sources > np.array(thresholds).reshape(-1, 1, 1, 1)


def threshold(examples: Examples) -> Images:
    """What is darker than Otsu's threshold is black."""
    return examples["sources"] * foreground(examples)


def threshold_and_blur(examples: Examples) -> Images:
    """What is darker than Otsu's threshold is blurred, as the background is to be."""
    from skimage.filters import gaussian

    found = [gaussian(image[..., 0], 2.5) for image in examples["sources"]]
    blurred = np.stack(found)[..., np.newaxis]
    return np.where(foreground(examples), examples["sources"], blurred)


def untouched(examples: Examples) -> Images:
    """The source as it is."""
    channels = examples["samples"].shape[-1]
    return np.repeat(examples["sources"], channels, axis=-1)


def last_frame(examples: Examples) -> Images:
    """The last of the frames that are told."""
    return examples["sources"][..., -1:]


def colour_error(outputs: Images, examples: Examples) -> dict[str, float]:
    """The mean absolute difference of colours where there is ink."""
    targets = examples["samples"]
    ink = targets.max(axis=-1)
    error = np.abs(outputs - targets).mean(axis=-1)
    return {"colour_error": float((error * ink).sum() / ink.sum())}


def hole_error(outputs: Images, examples: Examples) -> dict[str, float]:
    """The mean absolute difference in the holes."""
    hole = holes(examples)
    error = np.abs(outputs - examples["samples"])[..., 0]
    return {"hole_error": float(error[hole].mean())}


def near_and_varied(outputs: Images, examples: Examples) -> dict[str, float]:
    """The share of outputs that lie among the targets, and the other way round."""
    from tfgan_mnist.evaluation.metrics.judge import load_judge
    from tfgan_mnist.evaluation.metrics.manifold import manifold, radii

    features = [load_judge().features(x) for x in (outputs, examples["samples"])]
    found = manifold(*features, *map(radii, features))
    return {name: found[name] for name in ("precision", "recall")}


# Of each recipe: the task's variants by name, the classical way by its name, how many
# images that is measured by, and what else is measured.
Way = tuple[str, Callable[[Examples], Images], int]


def superres_by(factor: int) -> Task:
    """``superres``, with all rows of one size."""

    def task(images, labels, seed):
        from tfgan_mnist.data.pairs import reduced

        return reduced(images, factor), images

    return task


UNSEEN = (
    "DejaVuSansMono-BoldOblique",
    "DejaVuSerif-Italic",
    "STIXGeneralBol",
    "cmss10",
)


def unseen_fonts(images, labels, seed):
    """``fonts``, with fonts that it never shows."""
    from tfgan_mnist.data.pairs import printed

    return printed(labels, UNSEEN, images.shape[1], seed), images


VARIANTS: dict[str, dict[str, tuple[str | Task, Way]]] = {
    "colour": {"": ("colour", ("left grey", untouched, 10_000))},
    "superres": {
        "14×14": (superres_by(2), ("bicubic", bicubic(2), 10_000)),
        "7×7": (superres_by(4), ("bicubic", bicubic(4), 10_000)),
    },
    "inpaint": {"": ("inpaint", ("biharmonic", biharmonic, SLOW))},
    "background_removal": {
        "": ("background_removal", ("Otsu's threshold", threshold, 10_000))
    },
    "background_blur": {
        "": (
            "background_blur",
            ("Otsu's threshold, blur", threshold_and_blur, 10_000),
        )
    },
    "fonts": {"": (unseen_fonts, ("left printed", untouched, 10_000))},
    "frames": {"": ("frames", ("the last frame", last_frame, 10_000))},
}
MORE = {"colour": colour_error, "inpaint": hole_error, "fonts": near_and_varied}


def train(recipe: str, name: str, given: Flags, *flags: str) -> Path:
    """The folder of a run that is trained, or there already."""
    run_dir = RUNS / name
    words = [f"--flagfile={recipe}.flags", *flags, *given.schedule]
    words += [f"--run_dir={run_dir}", f"--data_dir={given.data_dir}"]
    run_command("train", words)
    return run_dir


def l1_alone(config: Config) -> list[str]:
    """The flags of a recipe's contrast; its own L1, if it has one, else the paper's."""
    more = [] if config.l1_weight else ["--l1_weight=100"]
    return ["--adversarial_weight=0", *more]


def examples_of(task: str | Task, images: np.ndarray, labels: np.ndarray) -> Examples:
    """What a task, or that of a name in data/pairs.py, makes of test images."""
    import tensorflow as tf

    from tfgan_mnist.data import pairs
    from tfgan_mnist.data.examples import as_floats
    from tfgan_mnist.system.seeds import fold_in

    make = getattr(pairs, task) if isinstance(task, str) else task
    found: dict[str, list] = {"sources": [], "samples": []}
    for i in range(0, len(images), 1000):
        seed = fold_in(tf.constant([1, 0], tf.int32), i)
        part = as_floats(images[i : i + 1000]), labels[i : i + 1000]
        for kind, some in pairs.make_pairs(make, *part, seed).items():
            found[kind].append(some.numpy() * 0.5 + 0.5)
    examples = {kind: np.concatenate(some) for kind, some in found.items()}
    return examples | {"labels": labels}


def measure(recipe: str, outputs: Images, examples: Examples) -> dict[str, float]:
    """The metrics of outputs, which may be fewer than the examples."""
    from tfgan_mnist.evaluation.translations import judged_metrics, pair_metrics
    from tfgan_mnist.registry import TASKS, find

    examples = {kind: some[: len(outputs)] for kind, some in examples.items()}
    targets = examples["samples"]
    found = pair_metrics(outputs, targets)
    if TASKS[recipe].ink:
        ink = find(TASKS[recipe].ink)
        found |= judged_metrics(ink(outputs), ink(targets), examples["labels"])
    if recipe in MORE:
        found |= MORE[recipe](outputs, examples)
    # Of the targets themselves there is no finite signal-to-noise ratio.
    return {name: value for name, value in found.items() if np.isfinite(value)}


def run_paired(recipe: str, flags: Flags) -> dict:
    """Trains a paired recipe with and without its adversary; what is to be said."""
    from tfgan_mnist.config import find_recipe, read_config
    from tfgan_mnist.data.mnist import mnist

    config = read_config(find_recipe(recipe))
    run_dir = train(recipe, recipe, flags)
    alone = train(recipe, f"{recipe}-l1", flags, *l1_alone(config))
    found = measure_paired(recipe, run_dir, alone, *mnist(flags.data_dir, "test"))
    keep(recipe, run_dir)
    return found


def measure_paired(
    recipe: str, run_dir: Path, alone: Path, images: np.ndarray, labels: np.ndarray
) -> dict:
    """What is to be said of both runs, by test images uint8 and their labels."""
    from tfgan_mnist.config import find_recipe, read_config
    from tfgan_mnist.data.examples import resized
    from tfgan_mnist.registry import TASKS
    from tfgan_mnist.serving.reader import LoadedModel, row_seeds

    config = read_config(find_recipe(recipe))
    models = {
        "L1 alone": LoadedModel(alone / "saved_model"),
        "adversarial": LoadedModel(run_dir / "saved_model"),
    }
    size = TASKS[config.task].image_size(config.image_shape[0])
    if images.shape[1] != size:
        images = resized(images, (size, size))
    found: dict = {"rows": {}}
    sheets = []
    for variant, (task, (classical, way, count)) in VARIANTS[recipe].items():
        examples = examples_of(task, images, labels)
        fewer = {kind: some[:count] for kind, some in examples.items()}
        outputs = {classical: way(fewer)}
        for name, model in models.items():
            seeds = row_seeds(1, len(images))
            outputs[name] = model.translate(examples["sources"], seeds)
        outputs["targets"] = examples["samples"]
        rows = {n: measure(recipe, some, examples) for n, some in outputs.items()}
        if recipe == "fonts":
            for name, spread in measure_several(models, examples).items():
                rows[name]["spread"] = spread
        found["rows"][variant] = rows
        shown = [examples["sources"], *outputs.values()]
        sheets.append([some[:SHOWN] for some in shown])
    if recipe == "frames":
        found["ahead"] = look_ahead(models, images[:SLOW])
    draw(recipe, sheets)
    metadata = models["adversarial"].metadata
    found |= {"steps": metadata["step"], "seed": metadata["flags"]["seed"]}
    return found


def measure_several(
    models: Mapping[str, LoadedModel], examples: Examples
) -> dict[str, float]:
    """How far several outputs for one image lie apart, and targets of one class.

    The mean distance of two, as the judge sees them; also draws some of them.
    """
    from tfgan_mnist.evaluation.metrics.judge import load_judge
    from tfgan_mnist.serving.reader import row_seeds

    def several(name: str, sources: Images, count: int) -> Images:
        seeds = row_seeds(1, count * len(sources))
        outputs = models[name].translate(sources.repeat(count, axis=0), seeds)
        return outputs.reshape(len(sources), count, *outputs.shape[1:])

    judge, labels = load_judge(), examples["labels"]
    features = judge.features(examples["samples"])
    found = {"targets": mean_distance([features[labels == k] for k in range(10)])}
    for name in models:
        outputs = several(name, examples["sources"][:SLOW], OUTPUTS)
        features = judge.features(outputs.reshape(-1, *outputs.shape[2:]))
        found[name] = mean_distance(np.split(features, len(outputs)))
    firsts = examples["sources"][[np.argmax(labels == k) for k in range(10)]]
    outputs = several("adversarial", firsts, SHOWN).swapaxes(0, 1)
    draw("fonts", [[firsts, *outputs]], "several")
    return found


def mean_distance(groups: Sequence[np.ndarray]) -> float:
    """Of each two rows of a group, in the mean over the groups."""
    from scipy.spatial.distance import pdist

    return float(np.mean([pdist(rows).mean() for rows in groups]))


def look_ahead(
    models: Mapping[str, LoadedModel], images: np.ndarray
) -> dict[str, dict[str, list[float]]]:
    """The metrics of frames that were predicted one from another, of each way.

    Also draws some: truth above, then L1 alone, then the adversarial one.

    Args:
      models: by name.
      images: uint8, digits to move.
    """
    import tensorflow as tf

    from tfgan_mnist.data.examples import as_floats
    from tfgan_mnist.data.pairs import HISTORY, moving_digits
    from tfgan_mnist.evaluation.metrics.similarity import psnr, ssim
    from tfgan_mnist.serving.reader import row_seeds
    from tfgan_mnist.visual.animation import gif
    from tfgan_mnist.visual.montage import montage

    seed = tf.constant([2, 0], tf.int32)
    video = moving_digits(as_floats(images), HISTORY + AHEAD, seed).numpy()
    told = np.concatenate([*video[:HISTORY]], axis=-1)
    ways = {"the last frame": np.stack([video[HISTORY - 1]] * AHEAD)}
    for name, model in models.items():
        predicted = model.predict(told, row_seeds(1, len(images)), AHEAD)
        ways[name] = predicted.swapaxes(0, 1)
    rows = [np.concatenate([video[:HISTORY], ways[name]]) for name in models]
    frames = np.concatenate([some[:, :SHOWN] for some in (video, *rows)], axis=1)
    path = ROOT / "samples" / "frames" / "ahead.gif"
    path.parent.mkdir(parents=True, exist_ok=True)
    sheets = np.stack([montage(frame, SHOWN) for frame in frames])
    path.write_bytes(gif(sheets, scale=2))
    truth = video[HISTORY:]
    return {
        name: {
            "psnr": [psnr(*pair) for pair in zip(predicted, truth, strict=True)],
            "ssim": [ssim(*pair) for pair in zip(predicted, truth, strict=True)],
        }
        for name, predicted in ways.items()
    }


def draw(recipe: str, sheets: Sequence[Sequence[Images]], name: str = "test") -> None:
    """Draws test images, a column each: source, ways from it, target.

    Args:
      recipe: whose samples it joins.
      sheets: of the variants, below one another.
      name: of the picture.
    """
    import imageio.v3 as imageio

    from tfgan_mnist.visual.montage import side_by_side

    rows = [row for sheet in sheets for row in sheet]
    # Turned, so that what belongs together stands below one another.
    turned = [np.moveaxis(row, 1, 2) for row in rows]
    pixels = np.swapaxes(side_by_side(*turned, columns=1), 0, 1)
    path = ROOT / "samples" / recipe / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    imageio.imwrite(path, pixels.repeat(2, axis=0).repeat(2, axis=1))


def keep(recipe: str, run_dir: Path) -> None:
    """Copies a run's animation and loss plot to its samples."""
    for name in ("progress.gif", "loss.png"):
        shutil.copy(run_dir / name, ROOT / "samples" / recipe / name)


def read_digits(images: Images) -> np.ndarray:
    """The digits that the judge reads in images [0, 1]."""
    from tfgan_mnist.evaluation.metrics.judge import load_judge

    judge = load_judge()
    return judge.classes_of(judge.features(images))


def run_unpaired(recipe: str, seed: int, flags: Flags) -> dict:
    """Trains an unpaired recipe from a seed; what is to be said of the run."""
    from tfgan_mnist.config import find_recipe, read_config

    task = read_config(find_recipe(recipe)).task
    run_dir = train(recipe, f"{recipe}-{seed}", flags, f"--seed={seed}")
    return measure_unpaired(recipe, task, run_dir, flags.data_dir, seed)


def kinds_of(task: str, data_dir: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images of both kinds that were not trained on, and their labels."""
    from tfgan_mnist.config import HELD_OUT
    from tfgan_mnist.data import pairs
    from tfgan_mnist.data.mnist import mnist

    test = mnist(data_dir, "test")
    if task == "thickness":
        return list(pairs.thin_and_thick(*test))
    sources, _ = pairs.uci_and_others(*test)
    held_out = min(HELD_OUT, 60_000 // 10)
    _, (images, labels) = pairs.split(*sources, held_out)
    return [(images, labels), test]


def measure_unpaired(
    recipe: str, task: str, run_dir: Path, data_dir: str, seed: int
) -> dict:
    from tfgan_mnist.serving.reader import LoadedModel

    model = LoadedModel(run_dir / "saved_model")
    kinds = kinds_of(task, data_dir)
    metadata = model.metadata
    found = {"steps": metadata["step"], "seconds": metadata["seconds"]}
    shown = []
    for (images, labels), (others, _), first, second in zip(
        kinds,
        reversed(kinds),
        ("translate", "translate_back"),
        ("translate_back", "translate"),
        strict=True,
    ):
        sources = images / np.float32(255.0)
        seeds = np.zeros(len(images), np.int64)
        outputs = model.translate(sources, seeds, first)
        back = model.translate(outputs, seeds, second)
        before, after = read_digits(sources), read_digits(outputs)
        # To which digit most of a class are turned, if not to itself.
        usual = [np.bincount(after[labels == k]).argmax() for k in range(10)]
        found[first] = {
            "count": len(images),
            "read_before": float(np.mean(before == labels)),
            "digit_kept": float(np.mean(after == labels)),
            "permuted": int(np.sum(np.array(usual) != np.arange(10))),
            "cycle_l1": float(np.abs(back - sources).mean()),
            "thickness_before": mean_thickness(sources),
            "thickness": mean_thickness(outputs),
            "thickness_of_targets": mean_thickness(others / np.float32(255.0)),
        }
        shown.append([some[:SHOWN] for some in (sources, outputs, back)])
    if seed == 1:
        draw(recipe, shown)
        keep(recipe, run_dir)
    return found


def mean_thickness(images: Images) -> float:
    """Of the strokes in images [0, 1], in pixels."""
    from tfgan_mnist.data.pairs import thickness

    return float(thickness(images).numpy().mean())


def paired_table(one: Mapping) -> str:
    """What was found of a paired recipe, as Markdown."""
    text = ""
    for variant, rows in one["rows"].items():
        text += found_table([variant], {(way,): rows[way] for way in rows}, COLUMNS)
    ahead = one.get("ahead", {})
    for metric in ("psnr", "ssim") if ahead else ():
        head, form = COLUMNS[metric]
        heads = [f"{head} of frame", *(str(1 + i) for i in range(AHEAD))]
        cells = [[way, *map(form.format, x[metric])] for way, x in ahead.items()]
        text += markdown(heads, cells) + "\n"
    words = f"{one['steps']:,} steps of either training, seed {one['seed']}; "
    words += "the 10,000 test images"
    if any("biharmonic" in rows for rows in one["rows"].values()):
        words += f", for the classical way the first {SLOW:,}"
    if ahead:
        words += f"; predicted one from another, {SLOW:,} videos"
    return f"{text}{words}.\n"


def found_table(
    heads: Sequence[str],
    rows: Mapping[tuple[str, ...], Mapping[str, float]],
    columns: Mapping[str, tuple[str, str]],
) -> str:
    """Rows by what they begin with, under ``heads``; columns that no row has are left
    out."""
    names = [n for n in columns if any(n in found for found in rows.values())]
    cells = [
        [
            *first,
            *(columns[n][1].format(found[n]) if n in found else "–" for n in names),
        ]
        for first, found in rows.items()
    ]
    return markdown([*heads, *(columns[name][0] for name in names)], cells) + "\n"


def unpaired_table(one: Mapping) -> str:
    """What was found of an unpaired recipe, as Markdown."""
    rows = {
        (seed, way): run[name]
        for seed, run in one["runs"].items()
        for way, name in (("there", "translate"), ("back", "translate_back"))
    }
    steps = {run["steps"] for run in one["runs"].values()}
    words = " and ".join(f"{count:,}" for count in sorted(steps))
    return f"{found_table(['seed', 'way'], rows, UNPAIRED_COLUMNS)}{words} steps.\n"


def write(record: Mapping[str, Mapping]) -> None:
    """The tables of what is in the record."""
    texts = {}
    for recipe, one in record.items():
        table = paired_table(one) if "rows" in one else unpaired_table(one)
        shown = {"test.png": "test images", **PICTURES.get(recipe, {})}
        pictures = "\n\n".join(
            f"![{what}](../samples/{recipe}/{name})" for name, what in shown.items()
        )
        words = f"    tfgan-mnist train {recipe}"
        texts[recipe] = f"### `{recipe}`\n\n{words}\n\n{pictures}\n\n{table}\n"
    write_between_marks(DOCUMENT, texts)


def with_seeds(before: Mapping | None, found: dict) -> dict:
    """A recipe's record; of an unpaired one with the runs from other seeds."""
    if "runs" not in found:
        return found
    runs = (before or {"runs": {}})["runs"] | found["runs"]
    return {"runs": {seed: runs[seed] for seed in sorted(runs, key=int)}}


@dataclasses.dataclass(frozen=True)
class Flags(TrainFlags):
    seeds: str = flag("1-3", "Training", "of unpaired recipes: 1-3 or 2,3")


def main(argv: Sequence[str]) -> None:
    flags, recipes = read_words(argv, __doc__, Flags, RECIPES)
    wanted = [
        pair
        for recipe in recipes or RECIPES
        for pair in each_seed([recipe], "1" if recipe in PAIRED else flags.seeds)
    ]

    def measure(recipe: str, seed: int) -> dict:
        from tfgan_mnist.system.runtime import load_tensorflow

        load_tensorflow()
        if recipe in PAIRED:
            return run_paired(recipe, flags)
        return {"runs": {str(seed): run_unpaired(recipe, seed, flags)}}

    measure_each(RECORD, wanted, RECIPES, flags.only_write, measure, write, with_seeds)


if __name__ == "__main__":
    sys.exit(command.run(main))
