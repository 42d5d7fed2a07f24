"""Turns pictures into others, by a model of pix2pix or CycleGAN."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfgan_mnist.data.images import list_pictures
from tfgan_mnist.data.pictures import read_picture
from tfgan_mnist.model import ModelFlags
from tfgan_mnist.serving.saved_model import check_outside
from tfgan_mnist.system import command, interrupts, progress
from tfgan_mnist.system.errors import UserError, path_errors
from tfgan_mnist.system.files import check_output, whole_file, whole_folder
from tfgan_mnist.system.flags import flag, grouped_help, parse_flags

EXAMPLES = (
    "tfgan-mnist translate --run_dir=runs/inpaint --images=FOLDER --output=sheet.png",
    "tfgan-mnist translate --saved_model=FOLDER --images=FOLDER --output=NEW_FOLDER",
    "tfgan-mnist translate --run_dir=runs/cyclegan_uci --images=FOLDER "
    "--direction=backward",
)
SIGNATURES = {"forward": "translate", "backward": "translate_back"}


@dataclasses.dataclass(frozen=True)
class Flags(ModelFlags):
    direction: str = flag(
        "forward",
        "Model",
        "forward, or backward for a model that knows both (CycleGAN)",
        choices=tuple(SIGNATURES),
    )
    images: str = flag(
        "", "Images", "a picture, or a folder of them; cropped and resized as needed"
    )
    count: int = flag(
        1, "Images", "translations of each, if the model has noise", low=1, high=1000
    )
    seed: int = flag(
        1, "Images", "the same seed, the same images", low=0, high=2**31 - 1
    )
    output: str = flag(
        "translated.png",
        "Images",
        "a sheet of each picture and its translations (.png); an array [pictures, "
        "count, height, width, channels] in [0, 1] (.npy); or a new folder, for a PNG "
        "of each translation",
    )

    def __post_init__(self):
        super().__post_init__()
        if not self.images:
            raise UserError("--images is missing: give a picture, or a folder of them")
        output = Path(self.output)
        if output.suffix not in (".png", ".npy", ""):
            raise UserError(
                f"--output={output}: must end in .png or .npy, or be a name"
            )
        if not output.suffix and output.exists():
            raise UserError(f"--output={output}: is there already; give another name")
        check_output(output)
        check_outside(output, f"--output={output}")


def shape_of(flags: Flags, shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The height, width and channels of what a model takes, in the direction asked for.

    Args:
      shapes: of what it turns into something else: one or, if it knows the way back,
        two; empty if it translates nothing.

    Raises:
      UserError: if it does not translate, or not that way, or has no noise for several
        translations.
    """
    if not shapes:
        raise UserError(
            f"{flags.given}: translates no images; tfgan-mnist sample draws from it"
        )
    if flags.direction == "backward" and len(shapes) == 1:
        raise UserError(f"--direction=backward: {flags.given} knows one way alone")
    if flags.count > 1 and len(shapes) > 1:
        raise UserError(
            f"--count={flags.count}: {flags.given} has no noise, so that an image has "
            "but one translation; leave it out"
        )
    return tuple(shapes[list(SIGNATURES).index(flags.direction)])


def write(
    flags: Flags, names: Sequence[str], sources: np.ndarray, found: np.ndarray
) -> None:
    """Writes what was found [pictures, count, ...] of sources, in [0, 1]."""
    import imageio.v3 as imageio

    from tfgan_mnist.visual.montage import side_by_side, to_bytes

    output = Path(flags.output)
    with path_errors(f"--output={output}"):
        if output.suffix:
            with whole_file(output) as unfinished:
                if output.suffix == ".npy":
                    np.save(unfinished, found)
                else:
                    sheet = side_by_side(sources, *np.moveaxis(found, 1, 0))
                    imageio.imwrite(unfinished, sheet)
            return
        with whole_folder(output) as unfinished:
            for name, images in zip(names, found, strict=True):
                for i, image in enumerate(images):
                    number = f"_{i + 1}" if len(images) > 1 else ""
                    pixels = to_bytes(image[..., 0] if image.shape[-1] == 1 else image)
                    imageio.imwrite(unfinished / f"{name}{number}.png", pixels)


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        print(command.page(__doc__, EXAMPLES, grouped_help(Flags)))
        return
    flags = Flags(**parse_flags(argv, Flags))
    # What can be known without TensorFlow is said before it is loaded.
    size, _, channels = shape_of(flags, flags.translates())
    paths = list_pictures(Path(flags.images), "--images")
    bar = progress.bar(paths.values(), "reading", leave=False, unit="file")
    pixels = np.stack([read_picture(path, size, channels) for path in bar])
    sources = pixels / np.float32(255.0)

    from tfgan_mnist.system.runtime import load_tensorflow

    with interrupts.deferred():
        load_tensorflow()
        from tfgan_mnist.serving.reader import row_seeds

    model = flags.load()
    found = model.translate(
        sources.repeat(flags.count, axis=0),
        row_seeds(flags.seed, len(sources) * flags.count),
        SIGNATURES[flags.direction],
    )
    found = found.reshape(len(sources), flags.count, *found.shape[1:])
    write(flags, list(paths), sources, found)
    print(
        f"{len(sources):,} images translated, {flags.count:,} each, in {flags.output}"
    )


if __name__ == "__main__":
    sys.exit(command.run(main))
