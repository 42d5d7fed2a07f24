"""From a Config to what it stands for; names become objects here."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf

from tfgan_mnist.config import MOST_CLUSTERED, Config, Schedule
from tfgan_mnist.data import catalogue, mnist, toys
from tfgan_mnist.data.captions import Captioned, held_out, levels, measure, vectorizer
from tfgan_mnist.data.examples import Examples, Stacked, as_floats, resized
from tfgan_mnist.data.grammar import PROMPTS
from tfgan_mnist.data.pairs import Pairs, Unpaired, make_pairs, split
from tfgan_mnist.evaluation.judges import About, make_judge, read_judge
from tfgan_mnist.evaluation.protocols import (
    Metrics,
    Protocol,
    balanced_labels,
    protocol_of,
)
from tfgan_mnist.evaluation.translations import translations
from tfgan_mnist.gans.clusters import Clusters, find_clusters
from tfgan_mnist.gans.gan import GAN, Batch
from tfgan_mnist.networks import changed
from tfgan_mnist.networks.conditional import clustered
from tfgan_mnist.registry import GAMES, LOSSES, NETWORKS, TASKS, DataSet, find
from tfgan_mnist.system.errors import NotFiniteError, UserError
from tfgan_mnist.system.seeds import (
    CLUSTERS,
    DATA,
    EVALUATION,
    PICTURE,
    TASK,
    fold_in,
    run_seed,
)
from tfgan_mnist.system.streams import warn
from tfgan_mnist.training.optimizers import Adam
from tfgan_mnist.training.step import Average, Player, Step
from tfgan_mnist.visual.montage import side_by_side

Data = mnist.Arrays | toys.Target
"""Arrays in memory, or a target that samples are drawn from afresh."""


@dataclasses.dataclass
class Training:
    """What a configuration stands for.

    Attributes:
      gan: the networks and their game.
      sampled: the networks to draw from: the GAN's, or their averages where the recipe
        has some.
      step: the compiled step.
      variables: all that a checkpoint keeps, by name.
      batches: of the training data.
      protocol: how its samples are measured.
      held_out: what a task makes of images that are not trained on: ``sources``,
        ``samples`` and, if there are some, ``labels``; empty without a task.
    """

    gan: GAN
    sampled: Mapping[str, keras.Model]
    step: Step
    variables: dict[str, keras.Variable]
    batches: Examples | Captioned | Stacked | Pairs | Unpaired | toys.Endless
    protocol: Protocol
    held_out: Batch


def load_data(config: Config) -> Data:
    """The training data. Raises UserError if it cannot be had."""
    return load_samples(config.data, config.data_dir, config.image_shape)


def load_samples(data: DataSet, data_dir: str, shape: tuple[int, int]) -> Data:
    """The training samples of a data set.

    Args:
      data: as ``describe`` tells it.
      data_dir: where tensorflow-datasets keeps what is prepared.
      shape: size and channels that images shall have; those of ``DATASETS`` are resized
        later.
    """
    make = find(data.make)
    if data.place:
        return make(data.place, data_dir, *shape)
    found = make(data_dir)
    if data.makes == "images" and shape[1] != data.channels:
        images, labels = found
        return np.repeat(images, shape[1], axis=-1), labels
    return found


def load_held_out(
    dataset: str, data: DataSet, data_dir: str, shape: tuple[int, int]
) -> mnist.Arrays | None:
    """The test images of a data set that has some, and their labels.

    Args:
      dataset: as ``--dataset`` has it.
      data, data_dir, shape: as for ``load_samples``.
    """
    of_catalogue = dataset == "mnist" or data.make == "data.catalogue:load"
    if of_catalogue and catalogue.has_split(dataset, data_dir, "test"):
        return catalogue.load(dataset, data_dir, *shape, "test")
    return None


MOST_DESCRIBED = 10_000
"""Images by which a run of one's own data is measured, if it is given no judge."""


def build_protocol(config: Config, data: Data | None = None) -> Protocol:
    """How samples are measured: by MNIST's judge, the one that is given, or random
    features of the data, which are made here.

    Args:
      data: what is trained on; without it one's own images have no protocol.
    """
    if config.judge == "mnist":
        return protocol_of("mnist")
    if config.judge:
        own = read_judge(config.judge)
        shape = own.judge.image_size, own.judge.channels
        if shape[1] != config.image_shape[1]:
            raise UserError(
                f"--judge={config.judge}: knows images of {shape[1]} channels, but "
                f"{config.image_shape[1]} are made"
            )
        if config.classes and own.about.classes != config.classes:
            raise UserError(
                f"--judge={config.judge}: knows {own.about.classes} classes, but "
                f"--dataset={config.dataset} has {config.classes}"
            )
        return own.protocol
    if config.data.place and data:
        about = About(config.data.name)
        return make_judge(data[0], None, about, most=MOST_DESCRIBED).protocol
    return protocol_of(config.dataset)


def build_networks(config: Config) -> dict[str, keras.Model]:
    """The networks by name, with their initial weights."""
    networks = NETWORKS[config.networks]
    make = find(networks.make)
    if config.task:
        source, target = config.shapes
        make = functools.partial(make, source=source, target=target)
    elif networks.any_shape:
        image_size, channels = config.image_shape
        make = functools.partial(make, image_size=image_size, channels=channels)
    if config.clusters:
        make = functools.partial(
            clustered, make, config.classes, stacked=config.stacked
        )
    precision = config.mixed_precision
    with _dtype_policy("float32" if precision == "off" else f"mixed_{precision}"):
        return changed.build(
            make,
            config.latent_dim,
            config.base_channels,
            config.seed,
            config.conditions,
            config.spectral_normalization,
            config.generator_spectral_normalization,
            config.prelu,
            synchronized=tf.distribute.get_strategy().num_replicas_in_sync > 1
            and not config.local_batch_norm,
        )


def build_gan(config: Config, clusters: Clusters | None = None) -> GAN:
    """The networks and their game.

    Args:
      config: whose.
      clusters: those that it asks for; without them they are still unknown, to be read
        from a checkpoint.
    """
    name = config.game
    if config.clusters:
        clusters = clusters or Clusters.unknown(
            config.classes,
            config.clusters_of_a_class,
            config.cluster_latents,
            config.cluster_softness,
            config.image_shape[1] // config.stacked,
            config.stacked,
            config.rejected_latents,
        )
        name = GAMES[name].with_clusters
    game = find(GAMES[name].make)
    values = dataclasses.asdict(config) | {"loss": find(LOSSES[config.loss])}
    options = {f.name: values[f.name] for f in dataclasses.fields(game.Options)}
    words = [vectorizer()] if config.vocabulary else []
    return game(
        build_networks(config),
        game.Options(**options),
        config.classes,
        clusters,
        *words,
    )


def build_clusters(config: Config, data: Data) -> Clusters | None:
    """The clusters of the training images that a configuration asks for.

    Raises:
      UserError: if there are fewer images, of a class if there are any, than clusters;
        if the classes of the images are not known; or if stacks take the place of
        single images.
    """
    if not config.clusters:
        return None
    count = config.clusters_of_a_class
    if count < config.clusters:
        of = "each class" if config.classes else "the images"
        warn(f"--clusters={config.clusters}: {count} of {of}, for ten images in each")
    seed = int(run_seed(config.seed, CLUSTERS)[0]) % 2**31
    images, labels = data
    if config.stacked > 1 and images.shape[-1] != 1:
        raise UserError(
            f"--clusters={config.clusters}: those of stacks are learned from single "
            f"images [n, height, width, 1], and these have {images.shape[-1]} channels"
        )
    chosen = np.random.default_rng(seed).permutation(len(images))[:MOST_CLUSTERED]
    if config.classes and labels is None:
        raise UserError(f"--networks={config.networks}: the images need labels")
    labels = labels[chosen] if config.classes else None
    sizes = np.array([len(chosen)])
    if labels is not None:
        sizes = np.bincount(labels, minlength=config.classes)
    if sizes.min() < count:
        of = f"class {sizes.argmin()} of " if config.classes else ""
        raise UserError(
            f"--clusters={count}: {of}--dataset={config.dataset} has {sizes.min()} "
            "images; give fewer, or --clusters=0"
        )
    some, side = images[chosen], config.image_shape[0]
    if some.shape[1:3] != (side, side):
        some = resized(some, (side, side))  # as D will see them
    return find_clusters(
        some,
        labels,
        count,
        config.cluster_latents,
        config.cluster_softness,
        seed,
        config.stacked,
        config.rejected_latents,
    )


def build_batches(
    config: Config, data: Data, sample_shape: tuple[int, ...], draws: int = 1
) -> Examples | Captioned | Stacked | toys.Endless:
    """Batches of the training data, images resized to what the networks make.

    Args:
      config: whose.
      data: as ``load_data`` gives it.
      sample_shape: of what the networks make.
      draws: batches in a step.
    """
    seed = run_seed(config.seed, DATA)
    if not isinstance(data, tuple):
        return toys.Endless(data, config.batch_size, seed)
    if config.data.makes == "stacks":
        return Stacked(data[0], config.batch_size, seed, draws)
    image_size = sample_shape[:2] if sample_shape[1:] else None
    if config.vocabulary:
        some = levels(measure(data[0]), data[1])
        kept = ~held_out(some)
        data = data[0][kept], some[kept]
    examples = Examples(
        *data, config.batch_size, seed, draws, image_size, config.flip, config.shift
    )
    if config.vocabulary:
        return Captioned(examples, vectorizer(), run_seed(config.seed, TASK))
    return examples


def build_translations(
    config: Config, data: Data, draws: int
) -> tuple[Pairs | Unpaired, Batch]:
    """Batches for a game that translates images, and what is held out of them.

    Args:
      config: whose.
      data: as ``load_data`` gives it.
      draws: batches in a step.

    Returns:
      the batches; and ``sources``, ``samples`` and perhaps ``labels`` of the sources.
    """
    images, labels = data
    size = TASKS[config.task].image_size(config.image_shape[0])
    if images.shape[1:3] != (size, size):
        images = resized(images, (size, size))
    task = find(TASKS[config.task].make)
    seed = run_seed(config.seed, DATA)
    moved = {"flip": config.flip, "shift": config.shift}
    if GAMES[config.game].both_ways:
        kinds = task(images, labels)
        few = min(len(some) for some, _ in kinds)
        if few - config.held_out < config.batch_size:
            raise UserError(
                f"--task={config.task}: {few} images of --dataset={config.dataset} are "
                f"of one kind, and {config.held_out} of these are not trained on: too "
                f"few for --batch_size={config.batch_size}"
            )
        parts = [split(*kind, config.held_out) for kind in kinds]
        batches = Unpaired(
            *(
                Examples(*trained, config.batch_size, fold_in(seed, i), draws, **moved)
                for i, (trained, _) in enumerate(parts)
            )
        )
        (_, (sources, labels)), (_, (samples, _)) = parts
        held_out = {"sources": as_floats(sources), "samples": as_floats(samples)}
    else:
        trained, (images, labels) = split(images, labels, config.held_out)
        examples = Examples(*trained, config.batch_size, seed, draws, **moved)
        batches = Pairs(examples, task, run_seed(config.seed, TASK))
        seed = run_seed(config.seed, EVALUATION)
        held_out = make_pairs(task, as_floats(images), labels, seed)
    if labels is not None:
        held_out["labels"] = tf.constant(labels)
    return batches, held_out


def build_training(config: Config) -> Training:
    """Everything that trains.

    Raises:
      UserError: if the data cannot be had.
    """
    if config.deterministic:
        # TensorFlow asks for a seed of its own, though nothing here draws from it.
        tf.random.set_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
    data = load_data(config)
    gan = build_gan(config, build_clusters(config, data))
    step, sampled = build_step(config, gan, lambda *place: batches.batch(*place))
    if config.task:
        batches, held_out = build_translations(config, data, step.draws)
        protocol = translation_protocol(config, held_out)
    else:
        batches, held_out = (
            build_batches(config, data, gan.sample_shape, step.draws),
            {},
        )
        protocol = build_protocol(config, data if config.evaluate_every else None)
    averages = {
        f"{name}_average": network
        for name, network in sampled.items()
        if network is not gan.networks[name]
    }
    weights = named_weights({**gan.networks, **averages})
    optimizers = {f"{p.name}_optimizer": p.optimizer.variables for p in step.players}
    variables = weights | dict(gan.state) | _numbered(optimizers)
    return Training(gan, sampled, step, variables, batches, protocol, held_out)


def build_step(
    config: Config, gan: GAN, batch: Callable[[tf.Tensor, int], Batch]
) -> tuple[Step, dict[str, keras.Model]]:
    """The step, and the networks to draw from: averages where the recipe has some.

    Args:
      config, gan: whose.
      batch: (step number, draw) → batch.
    """
    averages, sampled = [], dict(gan.networks)
    if config.ema_decay:
        copies = build_networks(config)
        for name in _names(side.networks for side in gan.sides if side.generates):
            averages.append(Average(copies[name], gan.networks[name], config.ema_decay))
            sampled[name] = copies[name]
    step = Step(
        gan,
        _players(config, gan),
        batch,
        config.seed,
        config.shared_draws,
        config.simultaneous,
        averages,
        config.steps_per_call,
        config.jit_compile,
    )
    return step, sampled


def named_weights(networks: Mapping[str, keras.Model]) -> dict[str, keras.Variable]:
    """The weights of networks under names that do not change from process to process.

    A network, a place and a kind: Keras numbers its layers through the whole process.
    """
    return _numbered({name: network.weights for name, network in networks.items()})


def _numbered(variables: Mapping[str, list]) -> dict[str, keras.Variable]:
    return {
        f"{name}/{i:02d}_{variable.name.rsplit('_', 1)[-1]}": variable
        for name, some in variables.items()
        for i, variable in enumerate(some)
    }


def _names(groups: Iterator[tuple[str, ...]]) -> list[str]:
    return [name for group in groups for name in group]


def _players(config: Config, gan: GAN) -> list[Player]:
    """The sides of a game with their optimizers."""
    if config.discriminator_clip:
        limit = config.discriminator_clip
        for side in gan.sides:
            if side.generates:
                continue
            for name in side.networks:
                for variable in gan.networks[name].trainable_variables:
                    # Keras's optimizers apply it after each update.
                    variable.constraint = lambda weights: tf.clip_by_value(
                        weights, -limit, limit
                    )
    players = []
    for side in gan.sides:
        schedule = config.schedule(side.generates)
        players.append(
            Player(
                side.name,
                [gan.networks[name] for name in side.networks],
                _optimizer(config, schedule),
                schedule.updates,
                side.generates,
                side.uses_batch,
            )
        )
    return players


def _optimizer(config: Config, schedule: Schedule) -> keras.optimizers.Optimizer:
    """A side's optimizer, which scales its loss if gradients are float16.

    float16 makes zeros of small gradients (Micikevicius et al., 2018, arXiv:1710.03740,
    section 3.2). bfloat16 has float32's range, and needs no scale.
    """
    optimizer = _unscaled_optimizer(config, schedule)
    if config.mixed_precision == "float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def _unscaled_optimizer(
    config: Config, schedule: Schedule
) -> keras.optimizers.Optimizer:
    rate = schedule.learning_rate
    updates = config.decay_steps * schedule.updates
    if config.learning_rate_decay == "linear":
        rate = keras.optimizers.schedules.PolynomialDecay(rate, updates, 0.0)
    elif config.learning_rate_decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, updates)
    if schedule.optimizer == "sgd":
        return keras.optimizers.SGD(rate)
    if schedule.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(rate, rho=config.beta_2, epsilon=config.epsilon)
    return Adam(rate, config.beta_1, config.beta_2, epsilon=config.epsilon)


def translation_protocol(config: Config, held_out: Batch) -> Protocol:
    """How a task's images are measured, beside those that are held out."""
    ink = TASKS[config.task].ink
    digits = ink and config.data.metrics == "evaluation.protocols:digits"
    paired = not GAMES[config.game].both_ways
    return translations(held_out, find(ink) if digits else None, paired)


def build_picture(config: Config, training: Training) -> Callable[[int], np.ndarray]:
    """Step → what the run's fixed latents give now, as uint8 pixels.

    Images come as a sheet, with one class a row if they have labels, and with what they
    were made from and for beside them if the game translates; a toy's samples as its
    protocol draws them.
    """
    gan, count = training.gan, config.sample_count
    if config.task:
        count = min(count, config.held_out)
    examples = {name: rows[:count] for name, rows in training.held_out.items()}
    columns = None
    if config.classes:
        columns = max(1, count // config.classes)
        count = columns * config.classes
        examples["labels"] = balanced_labels(count, config.classes)
    if config.vocabulary:
        prompts = np.array(PROMPTS)[examples["labels"]]
        examples["captions"] = gan.vectorize(prompts)
    inputs = gan.inputs(count, run_seed(config.seed, PICTURE), examples)
    show = tf.function(lambda: gan.show(training.sampled, inputs), autograph=False)
    protocol = training.protocol
    if protocol.picture is None:
        return lambda step: side_by_side(*(x.numpy() for x in show()), columns=columns)
    discriminate = tf.function(
        gan.signatures()["discriminate"].function, autograph=False
    )

    def probability(points: np.ndarray) -> np.ndarray:
        return discriminate(points=tf.constant(points))["probability"].numpy()

    return lambda step: protocol.picture(
        show()[0].numpy(), probability, f"step {step:,}"
    )


def build_evaluation(
    config: Config, training: Training, quick: bool = True
) -> Callable[[], Metrics]:
    """() → the metrics of the samples that fixed latents give now.

    Args:
      config, training: whose.
      quick: whether only what is watched during a run, or all that a finished model
        is measured by.

    Raises:
      UserError: if the judge that they need is damaged.
      NotFiniteError: from what is returned, if the samples are not finite.
    """
    gan, protocol = training.gan, training.protocol
    protocol.prepare()
    count = protocol.quick_count if quick else protocol.count
    metrics = protocol.quick_metrics if quick else protocol.metrics
    labels = protocol.labels(count) if config.classes and protocol.labels else None
    if config.classes and labels is None:  # random features know none
        labels = balanced_labels(count, config.classes)
    examples = dict(training.held_out)
    if labels is not None:
        examples["labels"] = labels
    inputs = gan.inputs(count, run_seed(config.seed, EVALUATION), examples)
    sample = tf.function(
        lambda part: gan.sample(training.sampled, part), autograph=False
    )
    parts = [
        {name: rows[i : i + EVALUATION_BATCH] for name, rows in inputs.items()}
        for i in range(0, count, EVALUATION_BATCH)
    ]

    def evaluate():
        samples = np.concatenate([sample(part).numpy() for part in parts])
        if not np.isfinite(samples).all():
            raise NotFiniteError("the samples are not finite")
        return metrics(protocol.features(samples), labels)

    return evaluate


EVALUATION_BATCH = 500


@contextlib.contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Keras's policy for layers made inside, with the caller's own put back after."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
