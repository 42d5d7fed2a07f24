"""Draws from a trained model: ``python -m tfgan_mnist.sample --saved_model=FOLDER``."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfgan_mnist import command
from tfgan_mnist.config import check_flags, flag, grouped_help, parse_flags
from tfgan_mnist.errors import UserError, naming
from tfgan_mnist.files import whole_file
from tfgan_mnist.saved_model import check_saved_model

FORMATS = (".png", ".npy", ".gif")


@dataclasses.dataclass(frozen=True)
class Flags:
    saved_model: str = flag("", "Model", "folder of a SavedModel")
    count: int = flag(100, "Images", "how many", low=1, high=1_000_000)
    seed: int = flag(
        1, "Images", "the same seed, the same images", low=0, high=2**31 - 1
    )
    temperature: float = flag(
        1.0,
        "Images",
        "factor on the latents: below 1 less variety, above 1 more",
        above=0.0,
        high=100.0,
    )
    label: str = flag(
        "", "Images", "the class to draw; no model of this version is conditional"
    )
    output: str = flag(
        "samples.png",
        "Images",
        "a sheet of images (.png), an array [count, height, width, 1] in [0, 1] "
        "(.npy), or an animated walk that visits the images (.gif)",
    )

    def __post_init__(self):
        check_flags(self)
        if not self.saved_model:
            raise UserError("--saved_model is missing: give the folder of a model")
        output = Path(self.output)
        if output.suffix not in FORMATS:
            raise UserError(
                f"--output={output}: must end in {', '.join(FORMATS[:-1])} or "
                f"{FORMATS[-1]}"
            )
        if self.count > LARGEST[output.suffix]:
            raise UserError(
                f"--count={self.count}: at most {LARGEST[output.suffix]:,} for a "
                f"{output.suffix} file"
            )
        with naming(f"--output={output}"):
            if output.is_dir() or not output.parent.is_dir():
                what = (
                    "is a folder" if output.is_dir() else f"no folder {output.parent}"
                )
                raise UserError(f"--output={output}: {what}")
        if not os.access(output.parent, os.W_OK):
            raise UserError(f"--output={output}: no permission to write there")


LARGEST = {".png": 10_000, ".npy": 1_000_000, ".gif": 100}
WALK_FRAMES = 12  # from one image to the next
WALK_SCALE = 8  # pixels of the animation a pixel of the image


def walk(latents: np.ndarray, frames: int) -> np.ndarray:
    """Latents on the way through all rows and back to the first.

    On the sphere, with the length changing evenly: of two draws from a normal
    distribution the straight line's middle is shorter than any draw would be (White,
    2016, arXiv:1609.04468).

    Args:
      latents: [count, latent_dim].
      frames: steps from one row to the next.

    Returns:
      [count * frames, latent_dim], beginning with the first row.
    """
    points = []
    for start, end in zip(latents, np.roll(latents, -1, axis=0), strict=True):
        lengths = np.linalg.norm(start), np.linalg.norm(end)
        cosine = np.dot(start, end) / max(lengths[0] * lengths[1], 1e-12)
        angle = np.arccos(np.clip(cosine, -1.0, 1.0))
        for t in np.arange(frames) / frames:
            if np.sin(angle) < 1e-4:
                points.append((1 - t) * start + t * end)
            else:
                points.append(
                    (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end)
                    / np.sin(angle)
                )
    return np.stack(points).astype(np.float32)


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        print(__doc__.strip() + "\n\n" + grouped_help(Flags))
        return
    flags = Flags(**parse_flags(argv, Flags))
    # What can be known of the model without TensorFlow is said before it is loaded.
    check_saved_model(flags.saved_model)
    if flags.label:
        raise UserError(
            f"--label={flags.label}: {flags.saved_model} is not conditional, so it "
            "takes no label"
        )

    from tfgan_mnist.runtime import load_tensorflow

    load_tensorflow()
    import imageio.v3 as imageio

    from tfgan_mnist.saving import SavedGenerator, row_seeds
    from tfgan_mnist.visual.animation import write_gif
    from tfgan_mnist.visual.montage import montage, to_bytes

    model = SavedGenerator(flags.saved_model)
    seeds = row_seeds(flags.seed, flags.count)
    output = Path(flags.output)
    if output.suffix == ".gif":
        images = model.generate(
            walk(model.latents(seeds, flags.temperature), WALK_FRAMES)
        )
    else:
        images = model.sample(seeds, flags.temperature)
    with naming(f"--output={output}"), whole_file(output) as unfinished:
        if output.suffix == ".npy":
            np.save(unfinished, images)
        elif output.suffix == ".png":
            imageio.imwrite(unfinished, montage(images))
        else:
            pixels = to_bytes(images[..., 0])
            large = pixels.repeat(WALK_SCALE, axis=1).repeat(WALK_SCALE, axis=2)
            write_gif(large, unfinished, frames_per_second=15, hold_last=1 / 15)
    print(f"{flags.count:,} images in {output}")


if __name__ == "__main__":
    sys.exit(command.run(main))
