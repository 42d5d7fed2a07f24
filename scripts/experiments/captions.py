"""How well a model draws what captions ask for, beside real images with their own.

    python scripts/experiments/captions.py --saved_model=FOLDER --recipe=NAME

Captions are those of MNIST's test images. Of each thing that a caption says: the
correlation between the level that is asked for and what is measured in the sample, and
the share of samples of that level; of the digit, what the judge sees. Then the
combination that no training image has is asked for, and two that are like it. Writes
samples/NAME/captions.json, and of stackgan_2 the tables in docs/variants.md.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Mapping, Sequence

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

from tfgan_mnist.data.grammar import DIGITS, PROPERTIES
from tfgan_mnist.system import command
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.flags import flag

SEED = 1  # of the samples, and of what captions say
PAGE = ROOT / "docs" / "variants.md"
ON_PAGE = "stackgan_2"  # whose tables are there
COMBINATIONS = (("bold", "left"), ("bold", "right"), ("thin", "left"))
"""Thickness and slant of sevens; the first is the one that was held out."""


@dataclasses.dataclass(frozen=True)
class Flags(ModelFlags, DataFlags):
    count: int = flag(10_000, "Results", "captions", low=100, high=10_000)
    write: bool = flag(True, "Results", "the record and the tables")


def prompts_of(digit: str, thickness: str, slant: str) -> list[str]:
    """Every way in which a caption says these three things."""
    names = digit, str(DIGITS.index(digit))
    wordings = PROPERTIES["thickness"][thickness], PROPERTIES["slant"][slant]
    return [
        "a " + first.replace("~", second.replace("~", name))
        for name, *both in itertools.product(names, *wordings)
        for first, second in (both, both[::-1])
    ]


def compared(
    asked: np.ndarray, said: np.ndarray, images: np.ndarray
) -> dict[str, dict[str, float]]:
    """How images [n, ...] in [0, 1] agree with levels [n, facets], by facet.

    Width is each digit's own, so it counts where the digit is said too.

    Args:
      asked, said: as ``captions.say`` takes and gives them.
    """
    from tfgan_mnist.data.captions import FACETS, WIDTH, levels, measure
    from tfgan_mnist.evaluation.metrics.judge import load_judge

    judge = load_judge()
    measured = measure(judge.resized(images))
    found = levels(measured, asked[:, 0])  # a narrow zero if a zero was asked for
    found[:, 0] = judge.classes_of(judge.features(images))
    middle = np.mean(WIDTH, axis=1)[asked[:, 0]]
    measured = measured | {"width": measured["width"] - middle}
    answer = {}
    for column, facet in enumerate(FACETS):
        rows = said[:, column] & (said[:, 0] | (facet != "width"))
        agrees = found[rows, column] == asked[rows, column]
        answer[facet] = {"captions": int(rows.sum()), "agreement": float(agrees.mean())}
        if facet in measured:
            pairs = asked[rows, column], measured[facet][rows]
            answer[facet]["correlation"] = float(np.corrcoef(*pairs)[0, 1])
    return answer


def combined(
    thickness: str, slant: str, images: np.ndarray
) -> dict[str, str | float | int]:
    """Shares of images that are sevens, of that thickness and slant, and all three."""
    from tfgan_mnist.data.captions import FACETS, levels, measure
    from tfgan_mnist.evaluation.metrics.judge import load_judge

    judge = load_judge()
    some = levels(measure(judge.resized(images)), np.full(len(images), 7))
    right = {"seven": judge.classes_of(judge.features(images)) == 7}
    for facet, level in (("thickness", thickness), ("slant", slant)):
        wanted = tuple(PROPERTIES[facet]).index(level)
        right[facet] = some[:, FACETS.index(facet)] == wanted
    right["all"] = np.all([*right.values()], axis=0)
    shares = {name: float(np.mean(rows)) for name, rows in right.items()}
    asked = {"asked for": f"a {thickness} seven leaning {slant}", "count": len(images)}
    return asked | shares


def tables(record: Mapping) -> dict[str, str]:
    """By the names of their marks."""
    rows = []
    for facet, found in record["samples"].items():
        real, cells = record["real"][facet], [facet, f"{found['captions']:,}"]
        for name, form in (("correlation", "{:.3f}"), ("agreement", "{:.1%}")):
            cells += [form.format(x[name]) if name in x else "–" for x in (found, real)]
        rows.append(cells)
    heads = ["", "captions", "correlation", "real", "agreement", "real"]
    combinations = [
        [one["asked for"], f"{one['count']:,}"]
        + [f"{one[name]:.1%}" for name in ("seven", "thickness", "slant", "all")]
        for one in record["combinations"]
    ]
    more = ["asked for", "samples", "seven", "thickness", "slant", "all three"]
    return {
        "captions": markdown(heads, rows),
        "combinations": markdown(more, combinations),
    }


def main(argv: Sequence[str]) -> None:
    flags, _ = read_words(argv, __doc__, Flags)

    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    import tensorflow as tf

    from tfgan_mnist.data.captions import levels, measure, say
    from tfgan_mnist.data.examples import resized
    from tfgan_mnist.data.mnist import mnist
    from tfgan_mnist.serving.reader import LoadedModel, row_seeds

    model = LoadedModel(flags.saved_model)
    if not model.takes_prompts:
        raise UserError(f"--saved_model={flags.saved_model}: takes no prompts")
    images, labels = (x[: flags.count] for x in mnist(flags.data_dir, "test"))
    asked = levels(measure(images), labels)
    sentences, said = say(tf.constant(asked), tf.constant([SEED, 0]))

    def draw(prompts: Sequence[str]) -> np.ndarray:
        seeds = row_seeds(SEED, len(prompts))
        return model.sample(seeds, labels=np.array(prompts))

    samples = draw(sentences.numpy().astype(str))
    # Of a first stage real images are as small, and both are enlarged again.
    real = resized(images, samples.shape[1:3]) / np.float32(255.0)
    record = {
        "step": model.metadata.get("step"),
        "samples": compared(asked, said.numpy(), samples),
        "real": compared(asked, said.numpy(), real),
        "combinations": [
            combined(*both, draw((prompts_of("seven", *both) * 100)[:1_000]))
            for both in COMBINATIONS
        ],
    }
    found = tables(record)
    if flags.write:
        write_record(ROOT / "samples" / flags.recipe / "captions.json", record)
        if flags.recipe == ON_PAGE:
            write_between_marks(PAGE, found)
    print("\n".join(found.values()))


if __name__ == "__main__":
    sys.exit(command.run(main))
