"""Whether more epochs help: metrics of a recipe's samples over the epochs.

    python scripts/experiments/epochs.py RECIPE [--epochs=60] [--data_dir=FOLDER]

Trains the recipe on real MNIST, with a checkpoint every second epoch (in whole
compiled calls), in runs/epochs/RECIPE; a run that is there goes on. Draws 10,000
samples from the same latents at each, and writes samples/epochs/RECIPE.json and .png.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from common import Parser, run_command, write_record
from tqdm import tqdm

ROOT = Path(__file__).parents[2]
SHOWN = (
    "fcd_10k",
    "precision_10k",
    "recall_10k",
    "coverage_10k",
    "diversity_10k",
    "class_kl_10k",
)


def train(recipe: str, epochs: int, data_dir: str, run_dir: Path) -> None:
    from tfgan_mnist.config import find_recipe, read_config
    from tfgan_mnist.registry import DATASETS

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
    import dataclasses

    from tfgan_mnist.build import build_evaluation, build_training
    from tfgan_mnist.config import read_config
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


def main(argv: Sequence[str]) -> None:
    from tfgan_mnist.config import find_recipe, read_config, recipes
    from tfgan_mnist.registry import DATASETS

    parser = Parser(__doc__)
    parser.add_argument("recipe", choices=recipes(), metavar="RECIPE")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_data_dir()
    arguments = parser.parse_args(argv)
    config = read_config(find_recipe(arguments.recipe))
    if DATASETS[config.dataset].makes != "images":
        parser.error(f"{arguments.recipe}: makes no images")
    if arguments.epochs < 1:
        parser.error(f"--epochs={arguments.epochs}: must be at least 1")
    run_dir = Path("runs") / "epochs" / arguments.recipe
    train(arguments.recipe, arguments.epochs, arguments.data_dir, run_dir)
    found = measure(run_dir, arguments.data_dir)

    from tfgan_mnist.visual.plots import plot_panels

    folder = ROOT / "samples" / "epochs"
    write_record(folder / f"{arguments.recipe}.json", found)
    plot_panels(
        [row["epoch"] for row in found["rows"]],
        {name: [row[name] for row in found["rows"]] for name in SHOWN},
        found["real"],
        folder / f"{arguments.recipe}.png",
        "epoch",
    )


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tfgan_mnist.system import command

    sys.exit(command.run(main))
