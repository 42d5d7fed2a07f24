"""Draws a folder of colour pictures to try one's own images with.

    python scripts/experiments/shapes.py --output=shapes [--count=1000]

Discs, squares and triangles, a sub-folder each; plain, striped or dotted, of any size
and place, in strong colours on a dark ground.
"""

from __future__ import annotations

import colorsys
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import ScriptFlags, read_words
from PIL import Image

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag

SIZE = 64
SHAPES = ("disc", "square", "triangle")
TEXTURES = ("plain", "striped", "dotted")


def picture(shape: str, random: np.random.Generator) -> np.ndarray:
    """One picture, uint8 [64, 64, 3]; drawn at four times its size."""
    scale = 4
    y, x = np.mgrid[: SIZE * scale, : SIZE * scale] / scale
    radius = random.uniform(14.0, 24.0)
    left, top = random.uniform(radius + 2.0, SIZE - radius - 2.0, 2)
    x, y = (x - left) / radius, (y - top) / radius
    if shape == "disc":
        inside = x**2 + y**2 < 1.0
    elif shape == "square":
        inside = np.maximum(abs(x), abs(y)) < 0.85
    else:
        inside = (y < 0.8) & (2.0 * abs(x) - y < 1.0)
    hue = random.random()
    colour = np.array(colorsys.hsv_to_rgb(hue, 0.85, 0.95))
    ground = np.array(colorsys.hsv_to_rgb(random.random(), 0.5, 0.2))
    texture = TEXTURES[random.integers(len(TEXTURES))]
    dark = np.zeros_like(inside)
    if texture == "striped":
        angle = random.integers(2) * np.pi / 2
        dark = np.sin(9.0 * (x * np.cos(angle) + y * np.sin(angle))) > 0.3
    elif texture == "dotted":
        dark = np.sin(8.0 * x) * np.sin(8.0 * y) > 0.35
    pixels = np.where(inside[..., np.newaxis], colour, ground)
    pixels = np.where((inside & dark)[..., np.newaxis], 0.35 * colour, pixels)
    means = pixels.reshape(SIZE, scale, SIZE, scale, 3).mean(axis=(1, 3))
    return np.rint(means * 255.0).astype(np.uint8)


@dataclasses.dataclass(frozen=True)
class Flags(ScriptFlags):
    output: str = flag("shapes", "Pictures", "the folder")
    count: int = flag(1_000, "Pictures", "how many", low=1)
    seed: int = flag(1, "Pictures", "what they show follows from it", low=0)


def main(argv: Sequence[str]) -> None:
    flags, _ = read_words(argv, __doc__, Flags)
    random = np.random.default_rng(flags.seed)
    for i in range(flags.count):
        shape = SHAPES[i % len(SHAPES)]
        folder = Path(flags.output) / shape
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(shape, random)).save(folder / f"{i:05d}.png")
    print(f"{flags.count:,} pictures in {flags.output}")


if __name__ == "__main__":
    sys.exit(command.run(main))
