"""Measures samples: a trained model's, or pictures whoever made them."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfgan_mnist.data.images import matched_pictures, read_images
from tfgan_mnist.data.pictures import opened, read_picture
from tfgan_mnist.model import Model, ModelFlags, parse_model_flags
from tfgan_mnist.registry import DATASETS, is_own_judge
from tfgan_mnist.serving.saved_model import check_outside
from tfgan_mnist.system import command, interrupts
from tfgan_mnist.system.errors import UserError, path_errors
from tfgan_mnist.system.files import atomic_file, check_output
from tfgan_mnist.system.flags import flag, grouped_help
from tfgan_mnist.system.streams import warn

EXAMPLES = (
    "tfgan-mnist evaluate --pretrained=dcgan_fast",
    "tfgan-mnist evaluate --run_dir=runs/dcgan_fast --output=metrics.json",
    "tfgan-mnist evaluate --images=FOLDER",
)
SMALLEST = 11  # height and width that SSIM can look at


@dataclasses.dataclass(frozen=True)
class Flags(ModelFlags):
    sources = (*ModelFlags.sources, "images")

    images: str = flag(
        "",
        "Model",
        "or a folder of pictures, or a .npy file [count, height, width] of 0-255 or of "
        "floats in [0, 1]: white digits on black, whatever program made them",
    )
    targets: str = flag(
        "",
        "Model",
        "a folder of pictures with the names of those in --images, which are to come "
        "near them: compares the two; with --judge also whether the digit is kept",
    )
    masks: str = flag(
        "",
        "Model",
        "a folder of pictures with the same names, white where the error is to be "
        "taken by itself, as in what was repaired",
    )
    data_dir: str = flag(
        "",
        "Metrics",
        "folder with tensorflow-datasets' copy of MNIST: adds distances to the nearest "
        "training images, and what a classifier learns from a conditional model",
    )
    judge: str = flag(
        "",
        "Metrics",
        "file that tfgan-mnist judge wrote, for images that are not MNIST's digits (a "
        "--run_dir is measured as it measures itself); mnist: the packaged judge of "
        "digits, whatever data set the model names, or beside --targets",
    )
    output: str = flag(
        "", "Metrics", "a file for the metrics as JSON, beside the table"
    )
    neighbours: str = flag(
        "",
        "Metrics",
        "a picture (.png) of samples, each beside the training images nearest to it, "
        "the most alike in the first row; needs --data_dir",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.targets and not self.images:
            raise UserError(
                f"--targets={self.targets}: give the pictures that are to come near "
                "these as --images"
            )
        if self.masks and not self.targets:
            raise UserError(f"--masks={self.masks}: is for --targets; give both")
        for name in ("data_dir", "neighbours"):
            if self.targets and getattr(self, name):
                raise UserError(
                    f"--{name}={getattr(self, name)}: pictures are compared with their "
                    "--targets alone; leave it out"
                )
        if self.judge == "mnist" and self.data_dir and not self.images:
            raise UserError(
                "--judge=mnist: not together with --data_dir, which is for models of "
                "MNIST, and they have this judge already; leave one out"
            )
        if is_own_judge(self.judge) and not Path(self.judge).is_file():
            raise UserError(f"--judge={self.judge}: there is no such file")
        if is_own_judge(self.judge) and self.data_dir:
            raise UserError(
                f"--data_dir={self.data_dir}: adds comparisons with MNIST's images, "
                "which have no place beside another judge's; leave it out"
            )
        if self.data_dir and not [
            *Path(self.data_dir, "mnist").glob("*/dataset_info.json")
        ]:
            raise UserError(
                f"--data_dir={self.data_dir}: holds no mnist that tensorflow-datasets "
                "has prepared"
            )
        if self.output:
            if Path(self.output).suffix != ".json":
                raise UserError(f"--output={self.output}: must end in .json")
            check_output(Path(self.output))
            check_outside(Path(self.output), f"--output={self.output}")
        if self.neighbours:
            if Path(self.neighbours).suffix != ".png":
                raise UserError(f"--neighbours={self.neighbours}: must end in .png")
            if not self.data_dir:
                raise UserError(
                    f"--neighbours={self.neighbours}: needs training images; give "
                    "--data_dir"
                )
            check_output(Path(self.neighbours), "--neighbours")
            check_outside(Path(self.neighbours), f"--neighbours={self.neighbours}")


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        print(command.page(__doc__, EXAMPLES, grouped_help(Flags)))
        return
    flags = Flags(**parse_model_flags(argv, Flags))
    if flags.targets:
        _report(flags, _measure_pairs(flags))
        return
    images = None
    if flags.images and not is_own_judge(flags.judge):
        images = _read(flags)
    elif not flags.images:
        dataset, _ = flags.imitates()
        if flags.run_dir and flags.data_dir and dataset not in DATASETS:
            raise UserError(
                f"--data_dir={flags.data_dir}: adds comparisons with MNIST's images, "
                f"and this run is of {dataset}; leave it out"
            )
        if flags.translates():
            raise UserError(
                f"{flags.given}: turns images into others; let tfgan-mnist "
                "translate do so, and give what it wrote as --images, with --targets"
            )

    from tfgan_mnist.system.runtime import load_tensorflow

    with interrupts.deferred():
        load_tensorflow()
        from tfgan_mnist.evaluation import report
        from tfgan_mnist.evaluation.judges import read_judge

    if flags.images:
        own = read_judge(flags.judge) if is_own_judge(flags.judge) else None
        source = _read(flags, own.judge.channels) if own else images
        protocol = own.protocol if own else None
        dataset = own.about.dataset if own else "mnist"
        found = report.measure_images(source, flags.data_dir, protocol, dataset)
        found = {"images": flags.images, **found}
    else:
        source = flags.load()
        model = Model(source, flags.run_dir)
        found = model.evaluate(flags.data_dir, judge=flags.judge)
    _report(flags, found)
    if flags.neighbours:
        from tfgan_mnist.visual.montage import png

        picture, path = report.nearest_picture(source, flags.data_dir), flags.neighbours
        with path_errors(f"--neighbours={path}"), atomic_file(Path(path)) as unfinished:
            unfinished.write_bytes(png(picture))


def _measure_pairs(flags: Flags) -> dict[str, Any]:
    """Compares pictures with their targets."""
    place = Path(flags.images), "--images"
    pairs = matched_pictures(*place, Path(flags.targets), "--targets")
    with opened(pairs[0][1]) as first:
        size = min(first.size)
    if size < SMALLEST:
        raise UserError(
            f"--targets={flags.targets}: pictures of {size} pixels; SSIM looks at "
            f"windows of {SMALLEST}, so give at least {SMALLEST}"
        )
    images, targets = (_read_all(paths, size, 3) for paths in zip(*pairs, strict=True))
    masks = None
    if flags.masks:
        pairs = matched_pictures(*place, Path(flags.masks), "--masks")
        masks = _read_all([mask for _, mask in pairs], size, 1)[..., 0] > 0.5
        if not masks.any():
            raise UserError(f"--masks={flags.masks}: nothing in them is white")

    from tfgan_mnist.system.runtime import load_tensorflow

    with interrupts.deferred():
        load_tensorflow()
        from tfgan_mnist.evaluation.judges import read_judge
        from tfgan_mnist.evaluation.metrics.judge import load_judge
        from tfgan_mnist.evaluation.report import measure_pairs

    judge = None
    if flags.judge == "mnist":
        judge = load_judge()
    elif flags.judge:
        own = read_judge(flags.judge)
        if not own.about.classes:
            raise UserError(
                f"--judge={flags.judge}: has random weights, and reads no classes; "
                "give one of labelled images, or leave it out"
            )
        judge = own.judge
    return measure_pairs(images, targets, masks, judge)


def _read_all(paths: Sequence[Path], size: int, channels: int) -> np.ndarray:
    """float32 [count, size, size, channels] in [0, 1]."""
    pixels = np.stack([read_picture(path, size, channels) for path in paths])
    return pixels / np.float32(255.0)


def _report(flags: Flags, found: dict[str, Any]) -> None:
    """Prints what was found, and writes it to the output."""
    from tfgan_mnist.evaluation.report import table

    print(table(found))
    if flags.output:
        output = Path(flags.output)
        with path_errors(f"--output={output}"), atomic_file(output) as unfinished:
            unfinished.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def _read(flags: Flags, channels: int = 1) -> np.ndarray:
    """The images of a folder or a file. Raises UserError if they are too few."""
    from tfgan_mnist.evaluation.metrics.frechet import FEWEST

    images = read_images(Path(flags.images), "--images", channels)
    if len(images) < FEWEST:
        raise UserError(
            f"--images={flags.images}: {len(images)} are too few to measure; give "
            f"at least {FEWEST}, better 10,000"
        )
    if not is_own_judge(flags.judge) and images.mean() > 0.5:
        warn(f"--images={flags.images}: mostly white; real digits are white on black")
    return images


if __name__ == "__main__":
    sys.exit(command.run(main))
