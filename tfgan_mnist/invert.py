"""Finds what a model would have made an image of: latents, or a stylegan's styles."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfgan_mnist.model import ModelFlags, parse_model_flags
from tfgan_mnist.registry import DATASETS
from tfgan_mnist.serving.saved_model import check_outside
from tfgan_mnist.system import command, interrupts
from tfgan_mnist.system.errors import UserError, path_errors
from tfgan_mnist.system.files import atomic_file, check_output
from tfgan_mnist.system.flags import flag, grouped_help

EXAMPLES = (
    "tfgan-mnist invert --pretrained=dcgan_fast --image=digit.png",
    "tfgan-mnist invert --run_dir=runs/stylegan --image=digit.png --output=found.png",
    "tfgan-mnist invert --saved_model=FOLDER --image=three.png --label=3",
    "tfgan-mnist invert --run_dir=runs/stackgan_2 --image=3.png --prompt='a bold 3'",
)


@dataclasses.dataclass(frozen=True)
class Flags(ModelFlags):
    image: str = flag(
        "", "Image", "a file of the model's size, bright strokes on a dark ground"
    )
    label: str = flag("", "Image", "for a conditional model, the class of the image")
    prompt: str = flag(
        "", "Image", "for a model that draws what a sentence says, one of the image"
    )
    starts: int = flag(16, "Search", "random starting points", low=1, high=1_000)
    steps: int = flag(300, "Search", "steps of Adam from each", low=1, high=100_000)
    seed: int = flag(1, "Search", "seed of the starting points", low=0, high=2**31 - 1)
    output: str = flag(
        "inversion.png",
        "Output",
        "the image, the nearest sample and the error over steps; beside it, ending in "
        ".npy, what the sample was made of",
    )

    def __post_init__(self):
        super().__post_init__()
        if not self.image:
            raise UserError("--image is missing: give the file of a picture")
        if Path(self.output).suffix != ".png":
            raise UserError(f"--output={self.output}: must end in .png")
        check_output(Path(self.output))
        check_output(self.codes)
        check_outside(Path(self.output), f"--output={self.output}")

    @property
    def codes(self) -> Path:
        """The file of what was found."""
        return Path(self.output).with_suffix(".npy")


def read_image(path: str) -> np.ndarray:
    """A picture [height, width, channels] in [0, 1], grey or coloured; black where it
    is transparent."""
    import imageio.v3 as imageio
    from PIL import Image

    from tfgan_mnist.data.pictures import opaque

    try:
        pixels = np.asarray(imageio.imread(path))
    except FileNotFoundError:
        raise UserError(f"--image={path}: there is no such file") from None
    except Exception:  # whatever the decoders raise
        raise UserError(f"--image={path}: is no picture that can be read") from None
    in_layers = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.ndim > 3 or in_layers.shape[-1] > 4 or pixels.dtype != np.uint8:
        raise UserError(f"--image={path}: must be one picture of 8 bits a channel")
    channels = 1 if in_layers.shape[-1] < 3 else 3
    picture = opaque(Image.fromarray(pixels), channels)
    return np.asarray(picture, np.float32).reshape(*picture.size[::-1], -1) / 255.0


def fit(image: np.ndarray, shape: tuple[int, ...], path: str) -> np.ndarray:
    """The image in as many channels as a model makes. UserError if its size differs."""
    if image.shape[:2] != shape[:2]:
        found, wanted = ("×".join(map(str, s[:2])) for s in (image.shape, shape))
        raise UserError(
            f"--image={path}: is {found}; the model makes {wanted}, so resize it"
        )
    if image.shape[-1] == shape[-1]:
        return image
    return np.repeat(image.mean(axis=-1, keepdims=True), shape[-1], axis=-1)


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        print(command.page(__doc__, EXAMPLES, grouped_help(Flags)))
        return
    flags = Flags(**parse_model_flags(argv, Flags))
    name, classes = flags.draws()
    if name in DATASETS and DATASETS[name].is_toy:
        raise UserError(f"{flags.given}: makes points, and no images to compare")
    told = flags.labels_or_prompts(classes, flags.label, flags.prompt, several=False)
    labels = np.array(told) if told else None
    image = read_image(flags.image)

    from tfgan_mnist.system.runtime import load_tensorflow

    with interrupts.deferred():
        load_tensorflow()
        from tfgan_mnist.serving.inversion import invert
        from tfgan_mnist.visual.plots import plot_pair

    model = flags.load()
    if model.kind != "images":
        raise UserError(f"{flags.given}: makes points, and no images to compare")
    image = fit(image, model.sample_shape, flags.image)
    found = invert(model, image[None], labels, flags.starts, flags.steps, flags.seed)
    with path_errors(f"--output={flags.output}"):
        with atomic_file(flags.codes) as unfinished:
            np.save(unfinished, found.codes[0])
        with atomic_file(Path(flags.output)) as unfinished:
            plot_pair(image, found.samples[0], found.errors[:, 0], unfinished)
    kind = "styles" if model.has_styles else "latents"
    print(
        f"mean squared error {found.errors[-1, 0]:.5f}; see {flags.output}, {kind} in "
        f"{flags.codes}"
    )


if __name__ == "__main__":
    sys.exit(command.run(main))
