"""Draws from a trained model, or from a run that still trains."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from tfgan_mnist.config import SHEETS
from tfgan_mnist.model import Model, ModelFlags, parse_model_flags
from tfgan_mnist.registry import DATASETS, GAMES
from tfgan_mnist.serving.saved_model import CONTROLS, check_outside
from tfgan_mnist.system import command, interrupts
from tfgan_mnist.system.errors import UserError, path_errors
from tfgan_mnist.system.files import atomic_file, check_output
from tfgan_mnist.system.flags import flag, grouped_help, parse_numbers

EXAMPLES = (
    "tfgan-mnist sample --pretrained=cdcgan_fast --label=0-9 --output=digits.png",
    "tfgan-mnist sample --run_dir=runs/dcgan_fast --seeds=3,14 --output=two.npy",
    "tfgan-mnist sample --saved_model=FOLDER --count=8 --output=walk.gif",
)
DEFAULT_COUNT = 100
FORMATS = {"images": (".png", ".npy", ".gif"), "points": (".png", ".npy", ".csv")}


@dataclasses.dataclass(frozen=True)
class Flags(ModelFlags):
    count: int = flag(DEFAULT_COUNT, "Samples", "how many", low=1, high=1_000_000)
    seed: int = flag(
        1, "Samples", "the same seed, the same samples", low=0, high=2**31 - 1
    )
    seeds: str = flag(
        "",
        "Samples",
        "in place of --count, which samples of --seed to draw, counted from 0: 0-35 "
        "draws the first 36 of a sheet again, 3,14 two of them",
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
        "for a conditional model, the class to draw, or several (0-9 or 3,1,4 or their "
        "names) with one a row; --count must be a multiple of their number",
    )
    prompt: str = flag(
        "",
        "Samples",
        "of a stackgan: what to draw (a thin five leaning left), or several sentences, "
        "a semicolon between them, with one a row; --count must be a multiple of their "
        "number",
    )
    truncation: float = flag(
        CONTROLS["truncation"],
        "Samples",
        "of a biggan: latents beyond it are drawn again; smaller is tidier and less "
        "varied",
        low=0.02,
        high=10.0,
    )
    truncation_psi: float = flag(
        CONTROLS["truncation_psi"],
        "Samples",
        "of a stylegan: share of a style's difference from the mean one that is kept; "
        "0 draws one image, below 0 its opposite",
        low=-2.0,
        high=2.0,
    )
    sheet: str = flag(
        "",
        "Samples",
        "of a stylegan: style_mixing (coarse styles of a row's seed, fine ones of a "
        "column's) or noise (a row is one image with other noise); --count is a square",
        choices=("", *SHEETS),
    )
    output: str = flag(
        "samples.png",
        "Samples",
        "a sheet of images (.png), an array [count, height, width, 1] in [0, 1] "
        "(.npy), or an animated walk that visits the images (.gif); of a toy's model a "
        "picture (.png), an array (.npy) or a table (.csv)",
    )

    def __post_init__(self):
        super().__post_init__()
        output = Path(self.output)
        if output.suffix not in LARGEST:
            raise UserError(f"--output={output}: must end in {_either(LARGEST)}")
        if self.seeds and self.count != DEFAULT_COUNT:
            raise UserError(
                f"--count={self.count} and --seeds={self.seeds} are both given: give "
                "one of them"
            )
        count = len(self.rows)
        if count > LARGEST[output.suffix]:
            raise UserError(
                f"{self.how_many}: {count:,} samples; at most "
                f"{LARGEST[output.suffix]:,} for a {output.suffix} file"
            )
        check_output(output)
        check_outside(output, f"--output={output}")
        for name, neutral in (("seeds", ""), ("temperature", 1.0)):
            if self.sheet and getattr(self, name) != neutral:
                raise UserError(
                    f"--{name}={getattr(self, name)}: a sheet is of --seed and --count"
                )
        if self.sheet and math.isqrt(self.count) ** 2 != self.count:
            raise UserError(
                f"--count={self.count}: a sheet has as many rows as columns; give 16, "
                "say, or 64"
            )
        if self.sheet and output.suffix not in (".png", ".npy"):
            raise UserError(f"--output={output}: a sheet is a .png or a .npy file")

    @property
    def rows(self) -> Sequence[int]:
        """Which of the seed's samples are drawn. UserError if --seeds names none."""
        if not self.seeds:
            return range(self.count)
        return parse_numbers(self.seeds, "seeds", "a sample", LARGEST[".npy"])

    @property
    def how_many(self) -> str:
        """The flag that says how many."""
        return f"--seeds={self.seeds}" if self.seeds else f"--count={self.count}"


LARGEST = {".png": 10_000, ".npy": 1_000_000, ".gif": 100, ".csv": 1_000_000}
WALK_FRAMES = 12  # from one image to the next
WALK_SCALE = 8  # pixels of the animation a pixel of the image


def _either(words: Iterable[str]) -> str:
    """Words as alternatives: "a, b or c"."""
    *most, last = words
    return f"{', '.join(most)} or {last}"


def check_told(flags: Flags, classes: int) -> list[int] | list[str]:
    """The labels or prompts asked for; UserError if they do not fit.

    Args:
      classes: the model's; 0 if it is not conditional.
    """
    told = flags.labels_or_prompts(classes, flags.label, flags.prompt)
    if told and len(flags.rows) % len(told):
        given = f"prompts of --prompt={flags.prompt}"
        if not flags.prompt:
            given = f"labels of --label={flags.label}"
        raise UserError(
            f"{flags.how_many}: must be a multiple of the {len(told)} {given}"
        )
    return told


def check_game(flags: Flags) -> None:
    """Raises UserError unless the model can be told what the flags say."""
    known = GAMES.get(flags.game())
    if known is None:  # what made the model is not known; the reader will say
        return
    asked = {n: x for n in CONTROLS if (x := getattr(flags, n)) != CONTROLS[n]}
    for name, value in asked.items():
        if name not in known.controls:
            able = ", ".join(n for n, g in GAMES.items() if name in g.controls)
            raise UserError(
                f"--{name}={value}: {flags.source} takes none; it is for models of "
                f"the game {able}"
            )
    if flags.sheet and flags.sheet not in known.sheets:
        able = ", ".join(n for n, g in GAMES.items() if flags.sheet in g.sheets)
        raise UserError(
            f"--sheet={flags.sheet}: {flags.source} has none; it is for models of the "
            f"game {able}"
        )


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
        print(command.page(__doc__, EXAMPLES, grouped_help(Flags)))
        return
    flags = Flags(**parse_model_flags(argv, Flags))
    # What can be known of the model without TensorFlow is said before it is loaded.
    name, classes = flags.draws()
    check_game(flags)
    some_labels = check_told(flags, classes)
    if name in DATASETS:
        check_format(flags, "points" if DATASETS[name].is_toy else "images")

    from tfgan_mnist.system.runtime import load_tensorflow

    with interrupts.deferred():
        load_tensorflow()
        from tfgan_mnist.serving.reader import row_seeds
        from tfgan_mnist.serving.walks import Walks
        from tfgan_mnist.visual.animation import gif
        from tfgan_mnist.visual.montage import png, to_bytes

    model = flags.load()
    check_format(flags, model.kind)
    output = Path(flags.output)
    seeds = row_seeds(flags.seed, flags.rows)
    each = len(seeds) // max(1, len(some_labels))
    labels = np.repeat(some_labels, each) if some_labels else None
    controls = {name: getattr(flags, name) for name in CONTROLS}
    controls = {n: x for n, x in controls.items() if x != CONTROLS[n]}
    if flags.sheet:
        side = math.isqrt(flags.count)
        samples = model.sheet(flags.sheet, flags.seed, side, **controls)
    elif output.suffix == ".gif":
        walks = Walks(model)
        visited = walks.points(seeds, flags.temperature, labels, **controls)
        samples = walks.closed(visited, WALK_FRAMES, labels)
    else:
        samples = model.sample(seeds, flags.temperature, labels, **controls)
    with path_errors(f"--output={output}"), atomic_file(output) as unfinished:
        if output.suffix == ".npy":
            np.save(unfinished, samples)
        elif output.suffix == ".csv":
            np.savetxt(unfinished, samples, "%.9g", ",")
        elif output.suffix == ".gif":
            pixels = to_bytes(samples[..., 0] if samples.shape[-1] == 1 else samples)
            unfinished.write_bytes(gif(pixels, 15, hold_last=1 / 15, scale=WALK_SCALE))
        else:
            rows = len(some_labels) if len(some_labels) > 1 else 0
            picture = Model(model).picture(samples, rows)
            if model.kind == "images" and len(samples) == 1:
                picture = picture[1:-1, 1:-1]  # no border: it can be given to invert
            unfinished.write_bytes(png(picture))
    print(f"{len(seeds):,} {model.kind} in {output}")


if __name__ == "__main__":
    sys.exit(command.run(main))
