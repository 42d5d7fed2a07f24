"""The only place where names become objects."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from tfgan_mnist.config import Config
from tfgan_mnist.data import mnist
from tfgan_mnist.data.images import Images
from tfgan_mnist.gans.unconditional import Unconditional
from tfgan_mnist.latents import DATA, MONTAGE, run_seed
from tfgan_mnist.networks import dcgan
from tfgan_mnist.training.step import Average, Player, Step

NETWORKS: dict[str, Callable[[int, int, int], dcgan.Pair]] = {
    "dcgan": dcgan.dcgan,
    "dcgan_tutorial": dcgan.dcgan_tutorial,
    "dcgan32": dcgan.dcgan32,
}

DATASETS: dict[str, Callable[[str], mnist.Arrays]] = {
    "mnist": mnist.mnist,
    "mnist5k": lambda data_dir: mnist.mnist5k(),
}

MONTAGE_IMAGES = 100


@dataclasses.dataclass
class Training:
    """What a configuration stands for.

    Attributes:
      gan: the networks and their game.
      sampler: the generator to draw from: G, or its average where the recipe has one.
      step: the compiled step.
      variables: all that a checkpoint keeps, by name.
    """

    gan: Unconditional
    sampler: keras.Model
    step: Step
    variables: dict[str, keras.Variable]


def build_networks(config: Config) -> dcgan.Pair:
    """G and D with their initial weights."""
    make = NETWORKS[config.networks]
    with _dtype_policy("mixed_bfloat16" if config.mixed_precision else "float32"):
        return make(config.latent_dim, config.base_channels, config.seed)


def build_gan(config: Config) -> Unconditional:
    return Unconditional(*build_networks(config), config.latent_distribution)


def build_data(config: Config, image_size: tuple[int, int]) -> Images:
    """The training data, resized to what the networks take.

    Raises:
      UserError: if it cannot be had.
    """
    images, labels = DATASETS[config.dataset](config.data_dir)
    seed = run_seed(config.seed, DATA)
    return Images(images, labels, config.batch_size, seed, image_size)


def build_training(config: Config) -> Training:
    """Everything that trains.

    Raises:
      UserError: if the data cannot be had.
    """
    if config.deterministic:
        # TensorFlow asks for a seed of its own, though nothing here draws from it.
        tf.random.set_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
    gan = build_gan(config)
    data = build_data(config, gan.discriminator.input_shape[1:3])
    players = [
        Player(
            "discriminator",
            gan.discriminator,
            gan.discriminator_loss,
            _adam(config, config.discriminator_learning_rate),
            config.discriminator_updates,
        ),
        Player(
            "generator",
            gan.generator,
            gan.generator_loss,
            _adam(config, config.generator_learning_rate),
            config.generator_updates,
            generates=True,
        ),
    ]
    networks = {player.name: player.network for player in players}
    averages = []
    if config.ema_decay:
        average, _ = build_networks(config)
        averages.append(Average(average, gan.generator, config.ema_decay))
        networks["generator_average"] = average
    step = Step(
        gan,
        players,
        data.batch,
        config.seed,
        config.share_latents,
        averages,
        config.jit_compile,
    )
    # A place and a kind: Keras numbers its layers through the whole process.
    variables = {
        f"{name}/{i:02d}_{variable.name.rsplit('_', 1)[-1]}": variable
        for name, kept in [
            *((name, network.weights) for name, network in networks.items()),
            *((f"{p.name}_optimizer", p.optimizer.variables) for p in players),
        ]
        for i, variable in enumerate(kept)
    }
    sampler = networks.get("generator_average", gan.generator)
    return Training(gan, sampler, step, variables)


def build_montage(config: Config, training: Training) -> Callable[[], np.ndarray]:
    """() → the images of the run's fixed latents as they are now, in [0, 1]."""
    seed = run_seed(config.seed, MONTAGE)
    fixed = training.gan.draw_latents(MONTAGE_IMAGES, seed)
    return lambda: training.gan.sample(training.sampler, fixed).numpy()


def _adam(config: Config, rate: float) -> keras.optimizers.Adam:
    return keras.optimizers.Adam(rate, config.beta_1, config.beta_2)


@contextlib.contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Keras's policy for layers made inside, with the caller's own put back after."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
