"""Makes a judge of images that are not MNIST's, to measure by.

With labels it is a classifier that is trained here; without, a network with random
weights. The file also holds what it sees of the real images.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from tfgan_mnist.registry import IMAGE_SIZES, DataSet, describe
from tfgan_mnist.serving.saved_model import check_outside
from tfgan_mnist.system import command, interrupts
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.files import check_output
from tfgan_mnist.system.flags import check_flags, flag, grouped_help, parse_flags

EXAMPLES = (
    "tfgan-mnist judge --dataset=folder:photos --output=photos_judge.npz",
    "tfgan-mnist judge --dataset=fashion_mnist --output=fashion_judge.npz",
    "tfgan-mnist evaluate --run_dir=runs/photos --judge=photos_judge.npz",
)


@dataclasses.dataclass(frozen=True)
class Flags:
    dataset: str = flag(
        "",
        "Data",
        "what it is to know: folder:PATH, PATH.npz or a data set of "
        "tensorflow-datasets, as for training",
    )
    data_dir: str = flag(
        "", "Data", "folder of tensorflow-datasets' prepared copies; empty: its own"
    )
    image_size: int = flag(
        0, "Data", "as for training; 0: 28 or 32", choices=(0, *IMAGE_SIZES)
    )
    channels: int = flag(
        0, "Data", "1: grey, 3: colour, 0: as the data is", choices=(0, 1, 3)
    )
    epochs: int = flag(25, "Training", "passes over the images", low=1, high=1_000)
    seed: int = flag(1, "Training", "of weights and order", low=0, high=2**31 - 1)
    output: str = flag("judge.npz", "Result", "the file that --judge takes")

    def __post_init__(self):
        check_flags(self)
        if not self.dataset:
            raise UserError("--dataset is missing: give folder:PATH, say")
        if Path(self.output).suffix != ".npz":
            raise UserError(f"--output={self.output}: must end in .npz")
        check_output(Path(self.output))
        check_outside(Path(self.output), f"--output={self.output}")

    def data(self) -> DataSet:
        """What the data set is. Raises UserError if a judge cannot know it."""
        data = describe(self.dataset, self.data_dir)
        if data.makes != "images":
            raise UserError(f"--dataset={self.dataset}: holds no single images")
        if not (data.channels or self.channels):
            raise UserError(
                f"--dataset={self.dataset}: holds both grey and colour images; give "
                "--channels=1 or --channels=3"
            )
        return data


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        print(command.page(__doc__, EXAMPLES, grouped_help(Flags)))
        return
    flags = Flags(**parse_flags(argv, Flags))
    data = flags.data()

    from tfgan_mnist.system.runtime import load_tensorflow

    with interrupts.deferred():
        load_tensorflow()
        from tfgan_mnist.build import load_held_out, load_samples
        from tfgan_mnist.data.examples import resized
        from tfgan_mnist.evaluation.judges import About, make_judge, write_judge

    shape = data.shape(flags.image_size, flags.channels)
    images, labels = load_samples(data, flags.data_dir, shape)
    if images.shape[1] != shape[0]:  # this package's own are given as they are
        images = resized(images, (shape[0], shape[0]))
    held_out = load_held_out(flags.dataset, data, flags.data_dir, shape)
    about = About(data.name or flags.dataset, data.classes, data.class_names)
    own = make_judge(images, labels, about, held_out, flags.epochs, flags.seed)
    write_judge(own, Path(flags.output))
    about = own.about
    what = (
        f"{about.accuracy:.2%} of {about.held_out:,} held-out images right"
        if about.accuracy is not None
        else "random features, as there are no labels"
    )
    print(f"{own.judge.version}, of {about.count:,} images: {what}; in {flags.output}")


if __name__ == "__main__":
    sys.exit(command.run(main))
