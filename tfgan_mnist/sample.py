"""Draws from a trained model, or from a run that still trains:
``python -m tfgan_mnist.sample --saved_model=FOLDER`` or ``--run_dir=runs/dcgan``."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from tfgan_mnist.registry import DATASETS
from tfgan_mnist.serving.saved_model import check_saved_model, classes_of, read_metadata
from tfgan_mnist.system import command, interrupts
from tfgan_mnist.system.errors import UserError, path_errors
from tfgan_mnist.system.files import check_output, whole_file
from tfgan_mnist.system.flags import check_flags, flag, grouped_help, parse_flags
from tfgan_mnist.training.run_directory import RunDirectory

FORMATS = {"images": (".png", ".npy", ".gif"), "points": (".png", ".npy", ".csv")}


@dataclasses.dataclass(frozen=True)
class Flags:
    saved_model: str = flag("", "Model", "folder of a SavedModel")
    run_dir: str = flag(
        "", "Model", "or of a run, finished or not: its newest checkpoint is drawn from"
    )
    best: bool = flag(
        False, "Model", "of a run: the step where its distance to the data was least"
    )
    count: int = flag(100, "Samples", "how many", low=1, high=1_000_000)
    seed: int = flag(
        1, "Samples", "the same seed, the same samples", low=0, high=2**31 - 1
    )
    temperature: float = flag(
        1.0,
        "Samples",
        "factor on the latents: below 1 less variety, above 1 more",
        above=0.0,
        high=100.0,
    )
    label: str = flag(
        "",
        "Samples",
        "for a conditional model, the class to draw, or several (0-9 or 3,1,4) with "
        "one a row; --count must be a multiple of their number",
    )
    output: str = flag(
        "samples.png",
        "Samples",
        "a sheet of images (.png), an array [count, height, width, 1] in [0, 1] "
        "(.npy), or an animated walk that visits the images (.gif); of a toy's model a "
        "picture (.png), an array (.npy) or a table (.csv)",
    )

    def __post_init__(self):
        check_flags(self)
        if bool(self.saved_model) == bool(self.run_dir):
            both = "both given" if self.run_dir else "missing"
            raise UserError(
                f"--saved_model and --run_dir are {both}: give the folder of a model "
                "or of a run"
            )
        if self.best and not self.run_dir:
            raise UserError("--best=true: is for a --run_dir")
        output = Path(self.output)
        if output.suffix not in LARGEST:
            raise UserError(f"--output={output}: must end in {_either(LARGEST)}")
        if self.count > LARGEST[output.suffix]:
            raise UserError(
                f"--count={self.count}: at most {LARGEST[output.suffix]:,} for a "
                f"{output.suffix} file"
            )
        check_output(output)

    @property
    def source(self) -> str:
        """What the user gave."""
        return self.saved_model or self.run_dir


LARGEST = {".png": 10_000, ".npy": 1_000_000, ".gif": 100, ".csv": 1_000_000}
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


def _either(words: Iterable[str]) -> str:
    """Words as alternatives: "a, b or c"."""
    *most, last = words
    return f"{', '.join(most)} or {last}"


def parse_labels(text: str) -> list[int]:
    """The classes that ``--label`` names: "5", "0-9", "3,1,4" or a mixture.

    Raises:
      UserError: if it names none.
    """
    labels: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", part)
        if not match:
            raise UserError(
                f"--label={text}: must be a class, or several: 0-9 or 3,1,4"
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last - first >= 1000:
            raise UserError(f"--label={text}: {part.strip()} is no range of classes")
        labels += range(first, last + 1)
    return labels


def check_labels(flags: Flags, classes: int) -> list[int]:
    """The labels asked for, none for a model without; UserError if they do not fit.

    Args:
      classes: the model's; 0 if it is not conditional.
    """
    model = flags.source
    if not classes:
        if flags.label:
            raise UserError(
                f"--label={flags.label}: {model} is not conditional; it takes no label"
            )
        return []
    if not flags.label:
        raise UserError(
            f"--label is missing: {model} is conditional; give a class from 0 to "
            f"{classes - 1}, or --label=0-{classes - 1} for all of them"
        )
    labels = parse_labels(flags.label)
    if max(labels) >= classes:
        raise UserError(
            f"--label={flags.label}: {model} knows the classes 0 to {classes - 1}"
        )
    if flags.count % len(labels):
        raise UserError(
            f"--count={flags.count}: must be a multiple of the {len(labels)} labels of "
            f"--label={flags.label}"
        )
    return labels


def check_format(flags: Flags, kind: str) -> None:
    """Raises UserError unless what a model makes can be written to the output."""
    if Path(flags.output).suffix not in FORMATS[kind]:
        raise UserError(
            f"--output={flags.output}: {flags.source} makes {kind}; the file must "
            f"end in {_either(FORMATS[kind])}"
        )


def main(argv: Sequence[str]) -> None:
    """The command, on its words without the program's name."""
    if command.take(argv, "help", "h"):
        print(__doc__.strip() + "\n\n" + grouped_help(Flags))
        return
    flags = Flags(**parse_flags(argv, Flags))
    # What can be known of the model without TensorFlow is said before it is loaded.
    if flags.run_dir:
        config = RunDirectory(flags.run_dir).read_config()
        name, classes = config.dataset, config.classes
    else:
        check_saved_model(flags.saved_model)
        metadata = read_metadata(Path(flags.saved_model))
        name, classes = str(metadata.get("dataset")), classes_of(metadata)
    some_labels = check_labels(flags, classes)
    if name in DATASETS:
        check_format(flags, "points" if DATASETS[name].is_toy else "images")

    from tfgan_mnist.system.runtime import load_tensorflow

    with interrupts.deferred():
        load_tensorflow()
        import imageio.v3 as imageio

        from tfgan_mnist.runner import model_of_run
        from tfgan_mnist.serving.reader import SavedGenerator, row_seeds
        from tfgan_mnist.visual.animation import write_gif
        from tfgan_mnist.visual.montage import montage, to_bytes

    if flags.run_dir:
        with model_of_run(flags.run_dir, flags.best) as folder:
            model = SavedGenerator(folder, "--run_dir")
    else:
        model = SavedGenerator(flags.saved_model)
    check_format(flags, model.kind)
    output = Path(flags.output)
    seeds = row_seeds(flags.seed, flags.count)
    each = flags.count // max(1, len(some_labels))
    labels = np.repeat(some_labels, each) if some_labels else None
    if output.suffix == ".gif":
        points = walk(model.latents(seeds, flags.temperature), WALK_FRAMES)
        on_the_way = np.repeat(labels, WALK_FRAMES) if some_labels else None
        samples = model.generate(points, on_the_way)
    else:
        samples = model.sample(seeds, flags.temperature, labels)
    with path_errors(f"--output={output}"), whole_file(output) as unfinished:
        if output.suffix == ".npy":
            np.save(unfinished, samples)
        elif output.suffix == ".csv":
            np.savetxt(unfinished, samples, "%.9g", ",")
        elif output.suffix == ".gif":
            pixels = to_bytes(samples[..., 0] if samples.shape[-1] == 1 else samples)
            large = pixels.repeat(WALK_SCALE, axis=1).repeat(WALK_SCALE, axis=2)
            write_gif(large, unfinished, frames_per_second=15, hold_last=1 / 15)
        elif model.kind == "images":
            columns = each if len(some_labels) > 1 else None
            imageio.imwrite(unfinished, montage(samples, columns))
        else:
            from tfgan_mnist.evaluation.protocols import protocol_of

            if name not in DATASETS:
                raise UserError(
                    f"--output={output}: {flags.source} does not say what its "
                    "points imitate, so they cannot be drawn; write .npy or .csv"
                )
            picture = protocol_of(name).picture(samples, model.probability)
            imageio.imwrite(unfinished, picture)
    print(f"{flags.count:,} {model.kind} in {output}")


if __name__ == "__main__":
    sys.exit(command.run(main))
