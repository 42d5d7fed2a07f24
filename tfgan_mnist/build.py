"""The only place where names become objects."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from tfgan_mnist import config as flags
from tfgan_mnist.config import Config
from tfgan_mnist.data import mnist, toys
from tfgan_mnist.data.examples import Examples, Stacked
from tfgan_mnist.evaluation.protocols import PROTOCOLS, Figures, even_labels
from tfgan_mnist.gans.clusters import Clusters, find_clusters
from tfgan_mnist.gans.conditional import Conditional
from tfgan_mnist.gans.losses import LOSSES
from tfgan_mnist.gans.unconditional import Objective, Unconditional
from tfgan_mnist.networks import conditional, dcgan, mlp, stacked
from tfgan_mnist.networks import toys as toy_networks
from tfgan_mnist.networks.layers import spectrally_normalized
from tfgan_mnist.system.errors import NotFiniteError
from tfgan_mnist.system.seeds import CLUSTERS, DATA, EVALUATION, PICTURE, run_seed
from tfgan_mnist.training.step import Average, Player, Step
from tfgan_mnist.visual.montage import montage

# From latent_dim, base_channels, seed and, of conditional ones, the number of labels.
NETWORKS: dict[str, Callable[..., dcgan.Pair]] = {
    "dcgan": dcgan.dcgan,
    "dcgan_tutorial": dcgan.dcgan_tutorial,
    "dcgan32": dcgan.dcgan32,
    "dcgan32_unnormalised": dcgan.dcgan32_unnormalised,
    "dcgan_fast": dcgan.dcgan_fast,
    "mlp": mlp.mlp,
    "cgan_onehot": conditional.cgan_onehot,
    "cgan_embedding": conditional.cgan_embedding,
    "cdcgan": conditional.cdcgan,
    "cdcgan_fast": conditional.cdcgan_fast,
    "stacked": stacked.stacked,
    "gaussian": toy_networks.gaussian,
    "gaussian_raw": toy_networks.gaussian_raw,
    "gaussian_single": toy_networks.gaussian_single,
    "moons": toy_networks.moons,
    "points": toy_networks.points,
    "pacgan": toy_networks.pacgan,
}

# From --data_dir to arrays in memory, or a target that is drawn from afresh.
Data = mnist.Arrays | toys.Target
DATASETS: dict[str, Callable[[str], Data]] = {
    "mnist": mnist.mnist,
    "mnist5k": lambda data_dir: mnist.mnist5k(),
    "stacked": mnist.mnist,
    "stacked5k": lambda data_dir: mnist.mnist5k(),
    "gaussian": lambda data_dir: toys.Gaussian(),
    "moons": lambda data_dir: (toys.moons(MOONS_POINTS, MOONS_SEED), None),
    "ring": lambda data_dir: toys.ring(),
    "grid": lambda data_dir: toys.grid(),
}
MOONS_POINTS, MOONS_SEED = flags.DATASETS["moons"].count, 0


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
    arguments = [config.latent_dim, config.base_channels, config.seed]
    if config.conditions:
        arguments.append(config.conditions)
    if config.conditions and not config.classes:
        make = functools.partial(conditional.conditioned, make)
    with _dtype_policy("mixed_bfloat16" if config.mixed_precision else "float32"):
        generator, discriminator = make(*arguments)
        if config.spectral_normalization:
            discriminator = spectrally_normalized(discriminator)
    return generator, discriminator


def build_gan(config: Config, clusters: Clusters | None = None) -> Unconditional:
    """The networks and their game.

    Args:
      config: whose.
      clusters: those that it asks for.
    """
    if bool(config.clusters) != bool(clusters):
        raise ValueError(f"{config.clusters} clusters asked for, {clusters} given")
    objective = Objective(
        LOSSES[config.loss],
        config.discriminator_loss_weight,
        config.r1_weight,
        config.r2_weight,
        config.gradient_penalty_weight,
        config.mismatched_weight,
    )
    arguments = (*build_networks(config), config.latent_distribution, objective)
    if not config.conditions:
        return Unconditional(*arguments)
    return Conditional(*arguments, classes=config.classes, clusters=clusters)


def build_clusters(config: Config, data: Data) -> Clusters | None:
    """The clusters of the training images that a configuration asks for."""
    if not config.clusters:
        return None
    seed = int(run_seed(config.seed, CLUSTERS)[0]) % 2**31
    images, labels = data
    chosen = np.random.default_rng(seed).permutation(len(images))
    chosen = chosen[: flags.MOST_CLUSTERED]
    labels = labels[chosen] if config.classes else None
    return find_clusters(images[chosen], labels, config.clusters, seed)


def build_batches(
    config: Config, data: Data, sample_shape: tuple[int, ...]
) -> Examples | Stacked | toys.Endless:
    """Batches of the training data, images resized to what the networks make."""
    seed = run_seed(config.seed, DATA)
    if not isinstance(data, tuple):
        return toys.Endless(data, config.batch_size, seed)
    if flags.DATASETS[config.dataset].makes == "stacks":
        return Stacked(data[0], config.batch_size, seed)
    image_size = sample_shape[:2] if sample_shape[1:] else None
    return Examples(*data, config.batch_size, seed, image_size)


def build_training(config: Config) -> Training:
    """Everything that trains.

    Raises:
      UserError: if the data cannot be had.
    """
    if config.deterministic:
        # TensorFlow asks for a seed of its own, though nothing here draws from it.
        tf.random.set_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
    data = DATASETS[config.dataset](config.data_dir)
    gan = build_gan(config, build_clusters(config, data))
    if config.discriminator_clip:
        limit = config.discriminator_clip
        for variable in gan.discriminator.trainable_variables:
            # Keras's optimizers apply it after each update.
            variable.constraint = lambda weights: tf.clip_by_value(
                weights, -limit, limit
            )
    batches = build_batches(config, data, gan.sample_shape)
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
        batches.batch,
        config.seed,
        config.share_latents,
        averages,
        config.steps_per_call,
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
    if gan.clusters:
        variables |= {f"clusters/{n}": v for n, v in gan.clusters.variables.items()}
    sampler = networks.get("generator_average", gan.generator)
    return Training(gan, sampler, step, variables)


def build_picture(config: Config, training: Training) -> Callable[[], np.ndarray]:
    """() → what the run's fixed latents give now, as uint8 pixels.

    Images come as a sheet, with one class a row if they have labels; a toy's samples as
    its protocol draws them.
    """
    gan = training.gan
    count = config.sample_count
    inputs = [gan.draw_latents(count, run_seed(config.seed, PICTURE))]
    if gan.classes:
        inputs.append(tf.constant(even_labels(count, gan.classes)))
    sample = tf.function(lambda: gan.sample(training.sampler, *inputs))
    protocol = PROTOCOLS[config.dataset]
    if protocol.picture is None:
        columns = count // gan.classes if gan.classes else None
        return lambda: montage(sample().numpy(), columns)

    @tf.function
    def probability(points):
        return tf.sigmoid(gan.judge({"samples": points}, training=False))[:, 0]

    return lambda: protocol.picture(
        sample().numpy(), lambda points: probability(tf.constant(points)).numpy()
    )


def build_evaluation(
    config: Config, training: Training, glance: bool = True
) -> Callable[[], Figures]:
    """() → the figures of the samples that fixed latents give now.

    Args:
      config, training: whose.
      glance: whether only what is watched during a run, or all that a finished model
        is measured by.

    Raises:
      UserError: if the judge that they need is damaged.
      NotFiniteError: from what is returned, if the samples are not finite.
    """
    gan, protocol = training.gan, PROTOCOLS[config.dataset]
    protocol.prepare()
    count = protocol.glance_count if glance else protocol.count
    figures = protocol.glance if glance else protocol.figures
    inputs = [gan.draw_latents(count, run_seed(config.seed, EVALUATION))]
    if gan.classes:
        inputs.append(tf.constant(protocol.labels(count)))
    labels = inputs[1].numpy() if inputs[1:] else None
    sample = tf.function(lambda *batch: gan.sample(training.sampler, *batch))
    parts = [
        [rows[i : i + EVALUATION_BATCH] for rows in inputs]
        for i in range(0, count, EVALUATION_BATCH)
    ]

    def evaluate():
        samples = np.concatenate([sample(*part).numpy() for part in parts])
        if not np.isfinite(samples).all():
            raise NotFiniteError("G's samples are not finite")
        return figures(protocol.examine(samples), labels)

    return evaluate


EVALUATION_BATCH = 500


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
