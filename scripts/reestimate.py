"""Averaged against re-estimated statistics of an averaged generator, by its distance.

    python scripts/reestimate.py --data_dir=FOLDER RUN_DIR [...]

Takes the newest checkpoint of each run, whose recipe averages G (``--ema_decay``), and
measures 10,000 samples three times: with the averages of batch normalisation's moving
statistics, as this package does; with statistics of the averaged network itself, the
mean over 200 batches of 500; and with those of the last step's G.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
BATCHES, BATCH_SIZE = 200, 500


def normalisations(model) -> Iterator:
    """A model's layers of batch normalisation, in order, however deep."""
    from keras import layers

    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, layers.BatchNormalization):
            yield layer


def reestimate(gan, network) -> None:
    """Gives a generator the statistics of its own activations, in place."""
    import tensorflow as tf

    # generate() runs gan.generator in training; a plain mean is a momentum that grows.
    kept, gan.generator = gan.generator, network
    momenta = [layer.momentum for layer in normalisations(network)]
    batch = {"samples": tf.zeros([BATCH_SIZE, *gan.sample_shape])}
    for i in range(BATCHES):
        for layer in normalisations(network):
            layer.momentum = i / (i + 1)
        gan.generate(batch, tf.constant([i, 0]))
    for layer, momentum in zip(normalisations(network), momenta, strict=True):
        layer.momentum = momentum
    gan.generator = kept


def measure(run_dir: Path, data_dir: str) -> str:
    """A row of the table, as Markdown."""
    from tfgan_mnist.build import build_evaluation, build_training
    from tfgan_mnist.config import read_config
    from tfgan_mnist.errors import UserError
    from tfgan_mnist.training.checkpoint import Checkpoints, State

    config = read_config(run_dir / "config.flags")
    if not config.ema_decay:
        raise UserError(f"RUN_DIR={run_dir}: its recipe has no --ema_decay")
    paths = Checkpoints(run_dir / "checkpoints", config.keep_checkpoints).paths()
    if not paths:
        raise UserError(f"RUN_DIR={run_dir}: there are no checkpoints")
    training = build_training(dataclasses.replace(config, data_dir=data_dir))
    if not list(normalisations(training.sampler)):
        raise UserError(f"RUN_DIR={run_dir}: its G has no batch normalisation")
    state = State(training.variables)
    Checkpoints(run_dir / "checkpoints", 1).load(paths[-1].read_bytes(), state)
    evaluate = build_evaluation(config, training, glance=False)
    cells = [f"`{config.recipe}`", str(config.seed), f"{state.step:,}"]
    cells.append(f"{evaluate()['fcd_10k']:.3f}")
    reestimate(training.gan, training.sampler)
    cells.append(f"{evaluate()['fcd_10k']:.3f}")
    pairs = (normalisations(training.sampler), normalisations(training.gan.generator))
    for average, last in zip(*pairs, strict=True):
        average.moving_mean.assign(last.moving_mean)
        average.moving_variance.assign(last.moving_variance)
    cells.append(f"{evaluate()['fcd_10k']:.3f}")
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_dir", default="", help="a prepared copy of MNIST")
    parser.add_argument("runs", nargs="+", metavar="RUN_DIR", type=Path)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from tfgan_mnist.errors import UserError
    from tfgan_mnist.runtime import load_tensorflow

    for run_dir in arguments.runs:
        if not (run_dir / "config.flags").is_file():
            print(f"error: RUN_DIR={run_dir}: holds no run", file=sys.stderr)
            sys.exit(2)
    load_tensorflow()
    print("| recipe | seed | steps | averaged | re-estimated | the last G's |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    try:
        for run_dir in arguments.runs:
            print(measure(run_dir, arguments.data_dir), flush=True)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
