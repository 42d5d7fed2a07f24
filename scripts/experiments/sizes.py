"""What larger images cost: weights, memory and seconds a step.

    python scripts/experiments/sizes.py [RECIPE ...]
    python scripts/experiments/sizes.py --only_write

Each recipe makes some steps on colour pictures of 32, 64 and 128 pixels, which are
random numbers, in a process of its own. What was found goes into samples/sizes.json and
docs/own_images.md.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmark import peak_memory
from common import (
    ROOT,
    ScriptFlags,
    each_seed,
    markdown,
    measure_each,
    read_words,
    write_between_marks,
)

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag

RECORD = ROOT / "samples" / "sizes.json"
DOCUMENT = ROOT / "docs" / "own_images.md"
RECIPES = ("dcgan", "biggan", "stylegan")
SIZES = (32, 64, 128)


def turn(recipe: str, size: int) -> dict[str, Any]:
    """Steps of a recipe on images of a size, in this process."""
    import statistics

    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    import tensorflow as tf

    from tfgan_mnist.build import build_training
    from tfgan_mnist.config import Config, find_recipe, parse_config

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npz"
        random = np.random.default_rng(1)
        images = random.integers(0, 256, [200, size, size, 3], np.uint8)
        np.savez(path, images=images, labels=np.arange(200) % 10)
        words = [f"--flagfile={find_recipe(recipe)}", f"--dataset={path}"]
        words += [f"--image_size={size}", "--steps_per_call=1", "--evaluate_every=0"]
        config = Config(**parse_config(words))
        training = build_training(config)
    durations = []
    for step in range(5):
        start = time.perf_counter()
        training.step(tf.constant(step), tf.constant(1)).numpy()
        durations.append(time.perf_counter() - start)
    return {
        "batch": config.batch_size,
        "weights": sum(
            weight.shape.num_elements()
            for network in training.gan.networks.values()
            for weight in network.trainable_variables
        ),
        "memory": peak_memory(),
        "seconds": statistics.median(durations[2:]),  # after two to warm up
    }


def measure(recipe: str) -> dict[str, Any]:
    """Every size in a process of its own."""
    found = {}
    for size in SIZES:
        words = [sys.executable, __file__, recipe, f"--turn={size}"]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            sys.exit(f"{recipe} failed at {size} pixels")
        found[str(size)] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(record: dict[str, dict]) -> str:
    """What was found, as Markdown."""
    rows = [
        [
            f"`{recipe}`",
            size,
            f"{found['batch']}",
            f"{found['weights'] / 1e6:.2f}",
            f"{found['memory']:.1f} GB",
            f"{found['seconds']:.2g} s",
        ]
        for recipe, sizes in record.items()
        for size, found in sizes.items()
    ]
    heads = ["recipe", "pixels", "batch", "million weights", "memory", "a step"]
    return (
        f"{markdown(heads, rows)}\n"
        "Colour, on two cores with AVX-512; memory is the most that the process held. "
        "`python scripts/experiments/sizes.py` measured it.\n"
    )


def write(record: dict[str, dict]) -> None:
    write_between_marks(DOCUMENT, {"sizes": table(record)})


@dataclasses.dataclass(frozen=True)
class Flags(ScriptFlags):
    only_write: bool = flag(False, "Results", "tables of what was measured before")
    turn: int = flag(
        0, "One turn", "size to take in this process; prints JSON", choices=(0, *SIZES)
    )


def main(argv: Sequence[str]) -> None:
    flags, recipes = read_words(argv, __doc__, Flags, RECIPES)
    if flags.turn:
        (recipe,) = recipes
        print(json.dumps(turn(recipe, flags.turn)))
        return
    measure_each(
        RECORD,
        each_seed(recipes or RECIPES, "1"),
        RECIPES,
        flags.only_write,
        lambda recipe, seed: measure(recipe),
        write,
    )


if __name__ == "__main__":
    sys.exit(command.run(main))
