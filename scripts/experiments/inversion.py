"""How near a model comes to images that it has not made, and how even its space is.

    python scripts/experiments/inversion.py --saved_model=FOLDER --recipe=NAME
        [--data_dir=FOLDER] [--count=100]

Finds latents, or styles of a stylegan, whose samples are nearest to MNIST's test
images, as many of each digit, and says how near they come and in how many the judge
still reads the digit. Then the perceptual path length in the space of latents and of
styles, and how well hyperplanes there separate digits. Writes
samples/NAME/inversion.json, and the table of all recipes that were measured in
docs/variants.md.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from common import (
    ROOT,
    DataFlags,
    ModelFlags,
    markdown,
    read_words,
    write_between_marks,
    write_record,
)

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag

if TYPE_CHECKING:  # it loads TensorFlow
    from tfgan_mnist.serving.reader import LoadedModel

SEED = 1  # of the codes that are begun with, and of the paths' ends
AT_ONCE = 50  # images, which bounds the memory
PAGE = ROOT / "docs" / "variants.md"
SAMPLES = ROOT / "samples"


@dataclasses.dataclass(frozen=True)
class Flags(ModelFlags, DataFlags):
    count: int = flag(100, "Search", "test images", low=10, high=8_000)
    starts: int = flag(16, "Search", "random codes for each", low=1)
    steps: int = flag(300, "Search", "of Adam", low=1)
    paths: int = flag(10_000, "Spaces", "steps along paths", low=1)
    separated: int = flag(
        20_000, "Spaces", "samples whose digits are separated", low=40
    )


def of_each_digit(labels: np.ndarray, count: int) -> np.ndarray:
    """The first places of each digit, ``count`` in all, or as many as come out even."""
    each = count // 10
    return np.concatenate([np.flatnonzero(labels == k)[:each] for k in range(10)])


def nearest_samples(
    model: LoadedModel,
    images: np.ndarray,
    labels: np.ndarray,
    starts: int,
    steps: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Samples as images [n, ...] in [0, 1] are, and mean squared errors [n]."""
    from tfgan_mnist.serving.inversion import invert

    parts = []
    for i in range(0, len(images), AT_ONCE):
        rows = slice(i, i + AT_ONCE)
        told = labels[rows] if model.classes else None
        parts.append(invert(model, images[rows], told, starts, steps, SEED))
    return (
        np.concatenate([part.samples for part in parts]),
        np.concatenate([part.errors[-1] for part in parts]),
    )


def path_lengths(model: LoadedModel, count: int) -> dict[str, float]:
    """Perceptual path lengths by space: of latents and, if there are some, of styles.

    Latents are interpolated on the sphere, styles on a straight line; whole paths, as
    in Karras et al., 2019 (arXiv:1812.04948, section 4.1).
    """
    from tfgan_mnist.evaluation.metrics.judge import load_judge
    from tfgan_mnist.evaluation.metrics.path_length import EPSILON, path_length
    from tfgan_mnist.serving.reader import row_seeds
    from tfgan_mnist.serving.walks import between, straight

    seeds, judge = row_seeds(SEED, 2 * count), load_judge()
    shares = np.random.default_rng(SEED).uniform(0.0, 1.0 - EPSILON, [count, 1])
    shares = np.concatenate([shares, shares + EPSILON], axis=1)

    def length(images: np.ndarray) -> float:
        return path_length(*(judge.features(images[i::2]) for i in range(2)))

    own = np.arange(count) % model.classes if model.classes else None
    of_both = None if own is None else np.tile(own, 2)
    starts, ends = np.split(model.latents(seeds, labels=of_both), 2)
    points = between(starts, ends, shares)
    labels = None if own is None else own.repeat(2)
    found = {
        "latents": length(model.generate(points.reshape(2 * count, -1), labels)),
    }
    if model.has_styles:
        starts, ends = np.split(model.styles(seeds), 2)
        points = straight(starts, ends, shares).reshape(2 * count, *starts.shape[1:])
        found["styles"] = length(model.synthesize(points))
    return found


def separability(points: np.ndarray, probabilities: np.ndarray) -> float:
    """exp(Σ H(digit | side of a hyperplane)) over digits; 1 if all are separated.

    After Karras et al., 2019 (arXiv:1812.04948, section 4.2), with digits for
    attributes of faces: of each, a linear support vector machine tells the samples that
    show it from the others. As there, the half that the judge is surest of counts, but
    over all digits at once, and the entropy is that of a thousand samples that the
    machines have not seen.

    Args:
      points: [count, numbers], of samples.
      probabilities: [count, 10], of the digits that a judge reads in them.

    Returns:
      at least 1; the lower, the better they are separated.
    """
    from sklearn.svm import LinearSVC

    sure = np.argsort(-probabilities.max(axis=1))[: len(points) // 2]
    order = np.random.default_rng(SEED).permutation(sure)
    kept = min(1_000, len(order) // 2)
    points = (points - points[order].mean(axis=0)) / points[order].std()
    shows = probabilities.argmax(axis=1)
    total = 0.0
    for digit in range(probabilities.shape[1]):
        shown = shows == digit
        known, seen = (shown[rows] for rows in (order[kept:], order[:kept]))
        side = np.zeros(kept, bool)
        if known.any() and not known.all():
            line = LinearSVC(dual=False).fit(points[order[kept:]], known)
            side = line.predict(points[order[:kept]])
        total += conditional_entropy(seen, side)
    return float(np.exp(total))


def conditional_entropy(what: np.ndarray, side: np.ndarray) -> float:
    """H(what | side) of two arrays bool [count], in nats."""
    entropy = 0.0
    for value in (False, True):
        share = np.mean(what[side == value]) if np.any(side == value) else 0.0
        for p in (share, 1.0 - share):
            entropy -= np.mean(side == value) * (p * np.log(p) if p > 0.0 else 0.0)
    return float(entropy)


def separabilities(model: LoadedModel, count: int) -> dict[str, float]:
    """By space: of latents and, if there are some, of styles."""
    from tfgan_mnist.evaluation.metrics.judge import load_judge
    from tfgan_mnist.serving.reader import row_seeds

    if model.classes:  # the label says the digit
        return {}
    seeds, judge = row_seeds(SEED, count), load_judge()
    found = judge.probabilities(judge.features(judge.resized(model.sample(seeds))))
    spaces = {"latents": model.latents(seeds)}
    if model.has_styles:
        spaces["styles"] = model.styles(seeds)[:, 0]  # the same in all layers
    return {name: separability(points, found) for name, points in spaces.items()}


def measure(
    model: LoadedModel, images: np.ndarray, labels: np.ndarray, flags: Flags
) -> dict[str, Any]:
    """What is to be said of a model, by test images uint8 and their labels."""
    from tfgan_mnist.data.examples import resized
    from tfgan_mnist.evaluation.metrics.judge import load_judge

    judge, rows = load_judge(), of_each_digit(labels, flags.count)
    images, labels = images[rows], labels[rows]
    wanted = resized(images, model.sample_shape[:2]) / np.float32(255.0)
    samples, errors = nearest_samples(model, wanted, labels, flags.starts, flags.steps)
    read, before = (judge.classes_of(judge.features(x)) for x in (samples, wanted))
    return {
        "step": model.metadata.get("step"),
        "count": len(rows),
        "starts": flags.starts,
        "adam_steps": flags.steps,
        "error": float(np.mean(errors)),
        "digit_kept": float(np.mean(read == labels)),
        "digit_read": float(np.mean(before == labels)),
        "paths": flags.paths,
        "path_length": path_lengths(model, flags.paths),
        "separated": flags.separated,
        "separability": separabilities(model, flags.separated),
    }


def table(records: Mapping[str, Mapping[str, Any]]) -> str:
    """What was found of recipes, as Markdown."""
    heads = ["recipe", "steps", "images", "mean squared error", "digit kept", "real"]
    heads += [
        f"{measured}: {space}"
        for measured in ("path length", "separability")
        for space in ("latents", "styles")
    ]
    rows = []
    for recipe, found in records.items():
        cells = [f"`{recipe}`", f"{found['step']:,}", f"{found['count']:,}"]
        cells += [f"{found['error']:.4f}"]
        cells += [f"{found[name]:.1%}" for name in ("digit_kept", "digit_read")]
        for measured, form in (("path_length", "{:,.0f}"), ("separability", "{:.1f}")):
            values = found.get(measured, {})
            cells += [
                form.format(values[name]) if name in values else "–"
                for name in ("latents", "styles")
            ]
        rows.append(cells)
    return markdown(heads, rows)


def main(argv: Sequence[str]) -> None:
    flags, _ = read_words(argv, __doc__, Flags)

    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.data.mnist import mnist
    from tfgan_mnist.serving.reader import LoadedModel

    model = LoadedModel(flags.saved_model)
    found = measure(model, *mnist(flags.data_dir, "test"), flags)
    write_record(SAMPLES / flags.recipe / "inversion.json", found)
    records = {
        path.parent.name: json.loads(path.read_text())
        for path in sorted(SAMPLES.glob("*/inversion.json"))
    }
    write_between_marks(PAGE, {"inversion": table(records)})
    print(table({flags.recipe: found}))


if __name__ == "__main__":
    sys.exit(command.run(main))
