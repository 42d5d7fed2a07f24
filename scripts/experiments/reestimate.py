"""Averaged against re-estimated statistics of an averaged generator, by its distance.

    python scripts/experiments/reestimate.py --data_dir=FOLDER RUN_DIR [...]

Takes the newest checkpoint of each run, whose recipe averages G (``--ema_decay``), and
measures 10,000 samples three times: with the averages of batch normalisation's moving
statistics, as this package does; with statistics of the averaged network itself, the
mean over 200 batches of 500; and with those of the last step's G.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from common import DataFlags, read_words

from tfgan_mnist.system import command
from tfgan_mnist.system.errors import NotFiniteError, UserError

if TYPE_CHECKING:  # loading TensorFlow takes seconds
    import keras

    from tfgan_mnist.config import Config
    from tfgan_mnist.gans.unconditional import Unconditional

BATCHES, BATCH_SIZE = 200, 500


def normalisations(model: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    """A model's layers of batch normalisation, in order, however deep."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from normalisations(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            yield layer


def reestimate(gan: Unconditional, network: keras.Model) -> None:
    """Gives a generator the statistics of its own activations, in place."""
    import tensorflow as tf

    # generate() runs G in training; a plain mean is a momentum that grows.
    kept, gan.networks = gan.networks, {**gan.networks, "generator": network}
    momenta = [layer.momentum for layer in normalisations(network)]
    batch = {"samples": tf.zeros([BATCH_SIZE, *gan.sample_shape])}
    for i in range(BATCHES):
        for layer in normalisations(network):
            layer.momentum = i / (i + 1)
        gan.generate(batch, tf.constant([i, 0]), tf.constant(i))
    for layer, momentum in zip(normalisations(network), momenta, strict=True):
        layer.momentum = momentum
    gan.networks = kept


def find_run(run_dir: Path, data_dir: str) -> Config:
    """What a run to be measured was configured as.

    Raises:
      UserError: if there is nothing to measure.
    """
    from tfgan_mnist.config import read_config
    from tfgan_mnist.registry import DATASETS

    name = f"RUN_DIR={run_dir}"
    if not (run_dir / "config.flags").is_file():
        raise UserError(f"{name}: holds no run")
    config = read_config(run_dir / "config.flags")
    if DATASETS[config.dataset].makes != "images":
        raise UserError(f"{name}: does not make single digits")
    if not config.ema_decay:
        raise UserError(f"{name}: its recipe has no --ema_decay")
    return dataclasses.replace(config, data_dir=data_dir or config.data_dir)


def measure(run_dir: Path, config: Config) -> str:
    """A row of the table, as Markdown."""
    from tfgan_mnist.build import build_evaluation, build_training
    from tfgan_mnist.training.checkpoint import Checkpoints, State

    name = f"RUN_DIR={run_dir}"
    training = build_training(config)
    average, last = training.sampled["generator"], training.gan.generator
    if not list(normalisations(average)):
        raise UserError(f"{name}: its G has no batch normalisation")
    state = State(training.variables)
    checkpoints = Checkpoints(run_dir / "checkpoints", config.keep_checkpoints)
    if not checkpoints.restore(state):
        raise UserError(f"{name}: has no checkpoint that can be read")
    evaluate = build_evaluation(config, training, quick=False)
    cells = [f"`{config.recipe}`", str(config.seed), f"{state.step:,}"]
    cells.append(f"{evaluate()['fcd_10k']:.3f}")
    reestimate(training.gan, average)
    cells.append(f"{evaluate()['fcd_10k']:.3f}")
    for ours, theirs in zip(normalisations(average), normalisations(last), strict=True):
        ours.moving_mean.assign(theirs.moving_mean)
        ours.moving_variance.assign(theirs.moving_variance)
    cells.append(f"{evaluate()['fcd_10k']:.3f}")
    return "| " + " | ".join(cells) + " |"


def main(argv: Sequence[str]) -> None:
    flags, words = read_words(argv, __doc__, DataFlags, None, needed="RUN_DIR")
    runs = [Path(word) for word in words]
    configs = [find_run(path, flags.data_dir) for path in runs]
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    print("| recipe | seed | steps | averaged | re-estimated | the last G's |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for run_dir, config in zip(runs, configs, strict=True):
        try:
            print(measure(run_dir, config), flush=True)
        except NotFiniteError as error:
            raise UserError(f"RUN_DIR={run_dir}: {error}") from None


if __name__ == "__main__":
    sys.exit(command.run(main))
