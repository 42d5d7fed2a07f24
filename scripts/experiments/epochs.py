"""Whether more epochs help: metrics of a recipe's samples over the epochs.

    python scripts/experiments/epochs.py RECIPE [...] [--epochs=60] [--data_dir=FOLDER]

Trains the recipe on real MNIST, with a checkpoint every second epoch (in whole
compiled calls), in runs/epochs/RECIPE; a run that is there goes on. Draws 10,000
samples from the same latents at each, and writes samples/epochs/RECIPE.json and .png.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from common import ROOT, DataFlags, read_words, run_command, write_record
from tqdm import tqdm

from tfgan_mnist.config import find_recipe, read_config, recipes
from tfgan_mnist.registry import DATASETS
from tfgan_mnist.system import command
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.flags import flag

DCGAN32 = [
    "--epochs=60",
    "--evaluate_every=0",
    "--sample_every=940",
    "--checkpoint_every=940",
]
"""Flags in place of the recipe's, by which other scripts can take this one's run."""

SHOWN = (
    "fcd_10k",
    "precision_10k",
    "recall_10k",
    "coverage_10k",
    "diversity_10k",
    "class_kl_10k",
)


def train(recipe: str, epochs: int, data_dir: str, run_dir: Path) -> None:
    config = read_config(find_recipe(recipe))
    call = config.batch_size * config.steps_per_call
    every = -(-2 * DATASETS["mnist"].count // call) * config.steps_per_call
    flags = [f"--flagfile={recipe}.flags", "--dataset=mnist", f"--data_dir={data_dir}"]
    flags += ["--steps=0", "--max_seconds=0", f"--epochs={epochs}"]
    flags += ["--evaluate_every=0", f"--sample_every={every}"]
    flags += [f"--checkpoint_every={every}", f"--keep_checkpoints={epochs}"]
    flags += [f"--run_dir={run_dir}"]
    run_command("train", flags)


def measure(run_dir: Path, data_dir: str) -> dict:
    """The metrics at each checkpoint of a run."""
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.build import build_evaluation, build_training
    from tfgan_mnist.evaluation.protocols import protocol_of
    from tfgan_mnist.registry import DATASETS
    from tfgan_mnist.training.checkpoint import Checkpoints, State

    config = read_config(run_dir / "config.flags")
    config = dataclasses.replace(config, data_dir=data_dir)
    training = build_training(config)
    evaluate = build_evaluation(config, training, quick=False)
    protocol = protocol_of(config.dataset)
    checkpoints = Checkpoints(run_dir / "checkpoints", config.keep_checkpoints)
    state = State(training.variables)
    rows = []
    for path in tqdm(checkpoints.paths(), "measuring", unit="checkpoint"):
        checkpoints.load(path, state)
        epochs = state.step * config.batch_size / DATASETS[config.dataset].count
        rows.append({"epoch": round(epochs, 2), "step": state.step, **evaluate()})
    return {
        "recipe": config.recipe,
        "judge": protocol.judge,
        "seconds": round(state.seconds),
        "seed": config.seed,
        "shown": SHOWN,
        "real": protocol.metrics(protocol.real(1, protocol.count)[0], None),
        "rows": rows,
    }


@dataclasses.dataclass(frozen=True)
class Flags(DataFlags):
    epochs: int = flag(60, "Training", "passes over the images", low=1)


def main(argv: Sequence[str]) -> None:
    flags, names = read_words(argv, __doc__, Flags, recipes(), needed="RECIPE")
    for recipe in names:
        config = read_config(find_recipe(recipe))
        if DATASETS[config.dataset].makes != "images":
            raise UserError(f"{recipe}: makes no images")
    for recipe in names:
        make(recipe, flags)


def make(recipe: str, flags: Flags) -> None:
    """Trains and measures a recipe, and writes what was found."""
    run_dir = Path("runs") / "epochs" / recipe
    train(recipe, flags.epochs, flags.data_dir, run_dir)
    found = measure(run_dir, flags.data_dir)

    from tfgan_mnist.visual.plots import plot_panels

    folder = ROOT / "samples" / "epochs"
    write_record(folder / f"{recipe}.json", found)
    plot_panels(
        [row["epoch"] for row in found["rows"]],
        {name: [row[name] for row in found["rows"]] for name in SHOWN},
        found["real"],
        folder / f"{recipe}.png",
        "epoch",
    )


if __name__ == "__main__":
    sys.exit(command.run(main))
