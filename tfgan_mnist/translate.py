"""Turns pictures into others, or a video into its next frames, by a trained model."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfgan_mnist.data.images import list_pictures, read_images
from tfgan_mnist.data.pictures import read_picture
from tfgan_mnist.data.videos import last_frames
from tfgan_mnist.model import (
    DIRECTIONS,
    Model,
    ModelFlags,
    parse_model_flags,
    translated_shape,
)
from tfgan_mnist.serving.saved_model import check_outside
from tfgan_mnist.system import command, interrupts, progress
from tfgan_mnist.system.errors import UserError, path_errors
from tfgan_mnist.system.files import atomic_file, atomic_folder, check_output
from tfgan_mnist.system.flags import flag, grouped_help

EXAMPLES = (
    "tfgan-mnist translate --run_dir=runs/inpaint --images=FOLDER --output=sheet.png",
    "tfgan-mnist translate --saved_model=FOLDER --images=FOLDER --direction=backward "
    "--output=NEW_FOLDER",
    "tfgan-mnist translate --run_dir=runs/frames --images=video.gif --frames=10 "
    "--output=next.gif",
)
FRAMES = 10


@dataclasses.dataclass(frozen=True)
class Flags(ModelFlags):
    direction: str = flag(
        "forward",
        "Model",
        "forward, or backward for a model that knows both (CycleGAN)",
        choices=tuple(DIRECTIONS),
    )
    images: str = flag(
        "",
        "Images",
        "a picture, or a folder of them, cropped and resized as needed; or a .npy file "
        "[pictures, height, width, channels] of the model's size. For a model of "
        "frames a video: a folder of pictures in the order of their names, a .gif, a "
        ".npy file [frames, height, width] or, with the package av, an .mp4",
    )
    count: int = flag(
        1, "Images", "translations of each, if the model has noise", low=1, high=1000
    )
    frames: int = flag(
        FRAMES,
        "Images",
        "for a model of frames, how many to predict: each from the last ones, the "
        "predicted among them",
        low=1,
        high=1000,
    )
    seed: int = flag(
        1, "Images", "the same seed, the same images", low=0, high=2**31 - 1
    )
    output: str = flag(
        "translated.png",
        "Images",
        "a sheet of each picture and its translations (.png); an array [pictures, "
        "count, height, width, channels] in [0, 1] (.npy); a new folder, for a PNG of "
        "each translation; or, of frames, an animation (.gif) that goes on where the "
        "video ends",
    )

    def __post_init__(self):
        super().__post_init__()
        if not self.images:
            raise UserError("--images is missing: give a picture, or a folder of them")
        output = Path(self.output)
        if output.suffix not in (".png", ".npy", ".gif", ""):
            raise UserError(
                f"--output={output}: must end in .png, .npy or .gif, or be a name"
            )
        if not output.suffix and output.exists():
            raise UserError(f"--output={output}: is there already; give another name")
        check_output(output)
        check_outside(output, f"--output={output}")

    def check_frames(self, predicts: bool) -> None:
        """Raises UserError if a flag is of frames, and the model makes none."""
        if predicts:
            return
        if self.frames != FRAMES:
            raise UserError(
                f"--frames={self.frames}: {self.given} predicts no frames; leave it out"
            )
        if Path(self.output).suffix == ".gif":
            raise UserError(
                f"--output={self.output}: {self.given} predicts no frames to animate; "
                "give a .png, a .npy or a new folder"
            )


def read_sources(
    flags: Flags, shape: tuple[int, ...]
) -> tuple[Sequence[str], np.ndarray]:
    """Names of the pictures, and float32 [pictures, height, width, channels] in [0, 1].

    Args:
      flags: name them.
      shape: height, width and channels of what the model takes.
    """
    size, _, channels = shape
    place = Path(flags.images)
    if place.suffix != ".npy" or place.is_dir():
        paths = list_pictures(place, "--images")
        bar = progress.bar(paths.values(), "reading", leave=False, unit="file")
        pixels = np.stack([read_picture(path, size, channels) for path in bar])
        return list(paths), pixels / np.float32(255.0)
    sources = read_images(place, "--images", channels)
    if sources.shape[1:] != shape:
        found, wanted = ("×".join(map(str, s[:2])) for s in (sources.shape[1:], shape))
        raise UserError(
            f"--images={place}: holds images of {found} pixels; the model takes "
            f"{wanted}"
        )
    return _numbered(len(sources)), sources


def _numbered(count: int) -> list[str]:
    """Names of so many pictures: "01", "02" …"""
    return [f"{i + 1:0{len(str(count))}d}" for i in range(count)]


def write(
    flags: Flags, names: Sequence[str], found: np.ndarray, beside: Sequence[np.ndarray]
) -> None:
    """Writes what was found [pictures, count, height, width, channels] in [0, 1].

    Args:
      flags: say where to.
      names: of the pictures.
      found: what became of them.
      beside: what stands side by side on a sheet, each [rows, height, width, channels].
    """
    from tfgan_mnist.visual.animation import gif
    from tfgan_mnist.visual.montage import montage, png, side_by_side, to_bytes

    output = Path(flags.output)
    with path_errors(f"--output={output}"):
        if output.suffix:
            with atomic_file(output) as unfinished:
                if output.suffix == ".npy":
                    np.save(unfinished, found)
                elif output.suffix == ".gif":
                    sheets = np.stack([montage(frame, flags.count) for frame in beside])
                    scale = max(1, WIDTH // sheets.shape[2])
                    unfinished.write_bytes(gif(sheets, scale=scale))
                else:
                    unfinished.write_bytes(png(side_by_side(*beside)))
            return
        with atomic_folder(output) as unfinished:
            for name, images in zip(names, found, strict=True):
                for i, image in enumerate(images):
                    number = f"_{i + 1}" if len(images) > 1 else ""
                    pixels = to_bytes(image[..., 0] if image.shape[-1] == 1 else image)
                    (unfinished / f"{name}{number}.png").write_bytes(png(pixels))


WIDTH = 256  # pixels of an animation, or nearly so many


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        print(command.page(__doc__, EXAMPLES, grouped_help(Flags)))
        return
    flags = Flags(**parse_model_flags(argv, Flags))
    # What can be known without TensorFlow is said before it is loaded.
    shape = translated_shape(
        flags.given, flags.translates(), flags.direction, flags.count
    )
    predicts = flags.predicts()
    flags.check_frames(predicts)
    if predicts:
        told = last_frames(Path(flags.images), "--images", shape[0], shape[2])
    else:
        names, sources = read_sources(flags, shape)

    from tfgan_mnist.system.runtime import load_tensorflow

    with interrupts.deferred():
        load_tensorflow()

    model = Model(flags.load())
    if predicts:
        found = model.predict(told, flags.frames, flags.count, flags.seed)
        told = np.repeat(told[:, np.newaxis], flags.count, axis=1)
        write(flags, _numbered(len(found)), found, [*told, *found])
        done = f"{len(found):,} frames predicted"
    else:
        found = model.translate(sources, flags.count, flags.direction, flags.seed)
        write(flags, names, found, [sources, *np.moveaxis(found, 1, 0)])
        done = f"{len(found):,} images translated"
    print(f"{done}, {flags.count:,} each, in {flags.output}")


if __name__ == "__main__":
    sys.exit(command.run(main))
