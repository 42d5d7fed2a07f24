"""One frozen, validated Config from flags; the names and headers of recipes.

A recipe is a flagfile in ``tfgan_mnist/recipes``. Parsing one needs no TensorFlow.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import zlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from tfgan_mnist.registry import (
    ADVERSARIAL,
    DATASETS,
    FROM_LATENTS,
    GAMES,
    IMAGE_SIZES,
    KINDS,
    LOSSES,
    NETWORKS,
    TASKS,
    DataSet,
    describe,
    find,
)
from tfgan_mnist.system.errors import UserError, nearest
from tfgan_mnist.system.flags import (
    LARGEST_INT,
    check_flags,
    flag,
    flag_of,
    parse_flags,
)

MOST_CLUSTERED = 20_000
"""Images that clusters are learned from; more make no better ones."""

CLUSTER_LATENTS = 16
"""Latents that choose a cluster. With 8 or 32 of them recall was less, on one seed."""

HELD_OUT = 500
"""Images, at most a tenth of all, that a run translates to see how it does."""

SHEETS = tuple(dict.fromkeys(name for game in GAMES.values() for name in game.sheets))
"""Sheets of rows and columns that some game has."""

_TOLD = tuple(name for name, game in GAMES.items() if game.with_clusters)
_DRAWING = tuple(name for name in ADVERSARIAL if name in FROM_LATENTS)
_ONE_D = tuple(name for name in ADVERSARIAL if not GAMES[name].both_ways)
_TRANSLATING = tuple(name for name, game in GAMES.items() if game.translates)
_OPTIMIZERS = ("adam", "rmsprop", "sgd")


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How a side moves: updates a step, its optimizer and learning rate."""

    updates: int
    optimizer: str
    learning_rate: float


@dataclasses.dataclass(frozen=True)
class Config:
    """Everything that decides a training run. Raises UserError if it cannot be run."""

    recipe: str = flag("custom", "Recipe", "the name that the run and its models carry")

    dataset: str = flag(
        "mnist",
        "Data",
        "mnist (60,000 images; downloads on first use), mnist5k (5,000 of them, part "
        "of this package; no network); stacked, stacked5k (three of them at once, as "
        "colours); folder:PATH (one's own pictures; sub-folders are classes); PATH.npz "
        "(images and, perhaps, labels); pairs:PATH and unpaired:PATH (pictures of two "
        "kinds, in folders a and b); any image data set of tensorflow-datasets by "
        "its name (cifar10, emnist/letters); toys: gaussian, moons, ring, grid",
    )
    data_dir: str = flag(
        "",
        "Data",
        "folder of data that tensorflow-datasets has prepared, or will; empty: its own",
        same_run=False,
    )
    image_size: int = flag(
        0,
        "Data",
        "height and width that images are cropped and resized to: 28, 32, 64 or 128, "
        "if the networks can make it; 0: 28 or 32, whichever fits the data",
        choices=(0, *IMAGE_SIZES),
    )
    channels: int = flag(
        0, "Data", "1: grey, 3: colour, 0: as the data is", choices=(0, 1, 3)
    )
    flip: bool = flag(
        False, "Data", "training images are mirrored at random, left to right"
    )
    shift: int = flag(
        0,
        "Data",
        "training images are moved at random by up to so many pixels each way, their "
        "edges repeated",
        low=0,
        high=8,
    )
    task: str = flag(
        "",
        "Data",
        "what images are to be turned into which: " + ", ".join(TASKS),
        choices=("", *TASKS),
        games=_TRANSLATING,
    )
    batch_size: int = flag(100, "Data", "samples in a batch", low=1, high=1_000_000)

    networks: str = flag(
        "dcgan",
        "Networks",
        "pair of networks: " + ", ".join(NETWORKS),
        choices=tuple(NETWORKS),
    )
    base_channels: int = flag(
        64,
        "Networks",
        "channels, or units, of the narrowest hidden layer of G",
        low=4,
        high=1024,
    )
    latent_dim: int = flag(
        100,
        "Networks",
        "numbers in a latent vector",
        low=1,
        high=65_536,
        games=FROM_LATENTS,
    )
    latent_distribution: str = flag(
        "uniform",
        "Networks",
        "uniform (-1 to 1), standard_uniform (0 to 1) or normal (mean 0, std 1)",
        choices=("uniform", "standard_uniform", "normal"),
        games=FROM_LATENTS,
    )
    clusters: int = flag(
        0,
        "Networks",
        "k-means clusters of the training images, of each class if the networks take "
        "a label; both networks are told one, of a stack one for each image, which "
        "normal latents choose; fewer if they would have less than ten images each; "
        "0: none",
        low=0,
        high=MOST_CLUSTERED // 10,
        games=_TOLD,
    )
    cluster_softness: float = flag(
        0.5,
        "Networks",
        "temperature of the softmax over clusters that G is told: a lower one draws "
        "nearer to the data, but walks through the latents change more abruptly",
        above=0.0,
        games=_TOLD,
    )
    rejected_latents: float = flag(
        0.0,
        "Networks",
        "share of latents that are not drawn: of each cluster those that lie nearest "
        "to unlike ones, so that fewer samples show something in between",
        low=0.0,
        high=0.9,
        games=_TOLD,
    )
    ema_decay: float = flag(
        0.0,
        "Networks",
        "decay, per step, of the moving average (EMA) of G's weights, which is then "
        "sampled and saved; 0: no average",
        low=0.0,
        below=1.0,
    )

    spectral_normalization: bool = flag(
        False,
        "Networks",
        "D's kernels divided by their largest singular values",
        games=_ONE_D,
    )
    generator_spectral_normalization: bool = flag(
        False,
        "Networks",
        "G's kernels divided by their largest singular values",
        games=("unconditional", "conditional", "acgan", "biggan"),
    )
    prelu: bool = flag(
        False,
        "Networks",
        "PReLU in place of every ReLU and leaky ReLU",
    )

    loss: str = flag(
        "non_saturating",
        "Losses",
        "non_saturating (cross-entropy), minimax, least_squares, wasserstein, hinge, "
        "or relativistic (real and fake in pairs)",
        choices=tuple(LOSSES),
        games=ADVERSARIAL,
    )
    discriminator_loss_weight: float = flag(
        1.0,
        "Losses",
        "factor on D's loss, penalties aside",
        above=0.0,
        games=ADVERSARIAL,
    )
    r1_weight: float = flag(
        0.0,
        "Losses",
        "weight of ½‖∇D‖² on real samples",
        low=0.0,
        games=_ONE_D,
    )
    r2_weight: float = flag(
        0.0,
        "Losses",
        "weight of ½‖∇D‖² on generated samples",
        low=0.0,
        games=_ONE_D,
    )
    gradient_penalty_weight: float = flag(
        0.0,
        "Losses",
        "weight of WGAN-GP's penalty: (‖∇D‖ - 1)² between real and generated samples "
        "(10 there)",
        low=0.0,
        games=_ONE_D,
    )
    mismatched_weight: float = flag(
        0.0,
        "Losses",
        "weight of a second loss of D: real samples with a wrong label, cluster or "
        "caption count as generated",
        low=0.0,
        games=(*_TOLD, "biggan", "stackgan"),
    )
    augmentation_target: float = flag(
        0.0,
        "Losses",
        "for few images: target for the mean sign of D's logits on real ones; above "
        "it, what D sees is moved, turned, scaled and relit more often, below it less "
        "often (0.6 in arXiv:2006.06676); 0: never",
        low=0.0,
        below=1.0,
        games=_DRAWING,
    )
    orthogonal_weight: float = flag(
        0.0,
        "Losses",
        "weight of BigGAN's orthogonal regularisation of G's kernels (1e-4 there)",
        low=0.0,
        games=("biggan",),
    )
    style_mixing: float = flag(
        0.0,
        "Losses",
        "share of the fakes whose last layers have other latents' styles (StyleGAN: "
        "0.9)",
        low=0.0,
        high=1.0,
        games=("stylegan",),
    )
    path_length_weight: float = flag(
        0.0,
        "Losses",
        "weight of StyleGAN2's path length regularisation (2 there)",
        low=0.0,
        games=("stylegan",),
    )
    discriminator_clip: float = flag(
        0.0,
        "Losses",
        "D's weights are kept within ± this after each update (WGAN: 0.01); 0: free",
        low=0.0,
        games=ADVERSARIAL,
    )
    class_weight: float = flag(
        1.0,
        "Losses",
        "weight of the cross-entropy of the class, for both sides",
        low=0.0,
        games=("acgan",),
    )
    adversarial_weight: float = flag(
        1.0,
        "Losses",
        "weight of G's adversarial loss; pix2pix, 0: no D, and G learns from L1 alone",
        low=0.0,
        games=_TRANSLATING,
    )
    l1_weight: float = flag(
        100.0,
        "Losses",
        "weight of the mean absolute difference between G's images and their targets",
        low=0.0,
        games=("pix2pix",),
    )
    cycle_weight: float = flag(
        10.0,
        "Losses",
        "weight of the mean absolute difference between an image and its translation "
        "there and back",
        low=0.0,
        games=("cyclegan",),
    )
    identity_weight: float = flag(
        5.0,
        "Losses",
        "weight of the identity loss: how much a network changes an image that is of "
        "its own kind already",
        low=0.0,
        games=("cyclegan",),
    )
    kl_weight: float = flag(
        1.0,
        "Losses",
        "weight of the divergence of the encoder's latents (stackgan: of the "
        "conditions that captions become) from a normal distribution",
        low=0.0,
        games=("vae", "stackgan"),
    )

    steps: int = flag(0, "Schedule", "steps; 0: no limit", low=0, same_run=False)
    epochs: int = flag(
        0,
        "Schedule",
        "passes over the data, counting one batch a step; 0: no limit",
        low=0,
        same_run=False,
    )
    max_seconds: float = flag(
        0.0,
        "Schedule",
        "seconds of training, resumed time included; 0: no limit. The run ends at the "
        "first limit it meets",
        low=0.0,
        same_run=False,
    )
    discriminator_updates: int = flag(
        1, "Schedule", "updates of D a step", low=1, high=100, games=ADVERSARIAL
    )
    generator_updates: int = flag(2, "Schedule", "updates of G a step", low=1, high=100)
    shared_draws: str = flag(
        "none",
        "Schedule",
        "what the updates of a step share: none (each has a batch and latents of its "
        "own), batch, or all (one batch and one draw of latents)",
        choices=("none", "batch", "all"),
    )
    simultaneous: bool = flag(
        False,
        "Schedule",
        "both sides' gradients from the same passes, before either moves; one update "
        "each",
        games=ADVERSARIAL,
    )
    discriminator_optimizer: str = flag(
        "adam",
        "Schedule",
        "D's optimizer: adam, rmsprop or sgd",
        choices=_OPTIMIZERS,
        games=ADVERSARIAL,
    )
    generator_optimizer: str = flag(
        "adam", "Schedule", "G's optimizer: adam, rmsprop or sgd", choices=_OPTIMIZERS
    )
    discriminator_learning_rate: float = flag(
        2e-4, "Schedule", "D's learning rate", above=0.0, games=ADVERSARIAL
    )
    generator_learning_rate: float = flag(
        2e-4, "Schedule", "G's learning rate", above=0.0
    )
    learning_rate_decay: str = flag(
        "none",
        "Schedule",
        "how both rates fall to 0 over --decay_steps: none, linear or cosine",
        choices=("none", "linear", "cosine"),
    )
    decay_steps: int = flag(0, "Schedule", "steps until both rates are 0", low=0)
    beta_1: float = flag(0.5, "Schedule", "Adam's beta_1", low=0.0, below=1.0)
    beta_2: float = flag(
        0.999, "Schedule", "Adam's beta_2, and RMSprop's rho", low=0.0, below=1.0
    )
    epsilon: float = flag(1e-7, "Schedule", "Adam's and RMSprop's epsilon", above=0.0)
    init_from: str = flag(
        "",
        "Schedule",
        "folder of a run or of a SavedModel, or name of a pretrained model, whose "
        "weights to start from, where names and shapes match",
    )
    seed: int = flag(
        1, "Schedule", "every random number follows from it", low=0, high=2**31 - 1
    )

    run_dir: str = flag(
        "runs/custom",
        "Run directory",
        "folder of all that the run writes",
        same_run=False,
    )
    log_every: int = flag(100, "Run directory", "steps between log lines", low=1)
    evaluate_every: int = flag(
        0,
        "Run directory",
        "steps between measurements of the samples, each in a log line; the finished "
        "model is measured too, the best one so far kept, and collapse noticed; 0: "
        "never",
        low=0,
        same_run=False,
    )
    judge: str = flag(
        "",
        "Run directory",
        "what to measure by: a file that tfgan-mnist judge wrote, or mnist, the "
        "packaged judge of digits; empty: that judge for MNIST, random features for "
        "other images",
    )
    stop_on_collapse: bool = flag(
        False,
        "Run directory",
        "end the run when its metrics show a collapse, rather than say so and go on",
        same_run=False,
    )
    sample_every: int = flag(1000, "Run directory", "steps between pictures", low=1)
    sample_count: int = flag(
        100,
        "Run directory",
        "samples in a picture; with labels, rounded down to whole rows of each class",
        low=1,
        high=10_000,
    )
    checkpoint_every: int = flag(
        1000, "Run directory", "steps between checkpoints", low=1, same_run=False
    )
    keep_checkpoints: int = flag(
        3, "Run directory", "checkpoints to keep", low=1, same_run=False
    )
    resume: bool = flag(
        True,
        "Run directory",
        "go on from the run directory's last checkpoint; off: refuse if there is one",
        same_run=False,
    )
    overwrite: bool = flag(
        False,
        "Run directory",
        "remove what the run directory holds and start again",
        same_run=False,
    )

    distribute: str = flag(
        "none",
        "Workers",
        "how a step is shared, each device taking an equal part of the batch: none "
        "(one device), mirrored (all GPUs of this machine) or multi_worker (the "
        "processes that TF_CONFIG names; the same command for each)",
        choices=("none", "mirrored", "multi_worker"),
        same_run=False,
    )
    workers: int = flag(
        0,
        "Workers",
        "processes that make each step together, started, watched and restarted by "
        "Ray; 0: this one alone",
        low=0,
        high=10_000,
        same_run=False,
    )
    address: str = flag(
        "",
        "Workers",
        "host:port of the Ray cluster that --workers run on; empty: this machine alone",
        same_run=False,
    )
    local_batch_norm: bool = flag(
        False,
        "Workers",
        "distributed, batch normalisation takes the statistics of each part of the "
        "batch rather than of all of it",
    )
    steps_per_call: int = flag(
        1,
        "Speed",
        "steps inside one compiled call, whose batches are all held in memory",
        low=1,
        high=1_000_000,
        same_run=False,
    )
    jit_compile: str = flag(
        "off",
        "Speed",
        "what XLA compiles: off (nothing), step, or loop (all steps of a call; for "
        "networks without convolutions)",
        choices=("off", "step", "loop"),
    )
    mixed_precision: str = flag(
        "off",
        "Speed",
        "compute in bfloat16, or in float16 with scaled losses on a GPU that has no "
        "bfloat16; weights stay float32",
        choices=("off", "bfloat16", "float16"),
    )
    deterministic: bool = flag(
        False,
        "Speed",
        "forbid TensorFlow operations that vary from run to run (only a GPU has them)",
    )

    facts: dataclasses.InitVar[Mapping[str, Any] | None] = None
    """The data's, if they are known: it need not be there then. No flag."""

    def __post_init__(self, facts):
        for name, values in _RENAMED_VALUES.items():
            value = getattr(self, name)
            renamed = values.get(str(value).lower(), value)
            object.__setattr__(self, name, renamed)
        check_flags(self)
        if not self.recipe or not self.run_dir:
            empty = "run_dir" if self.recipe else "recipe"
            raise UserError(f"--{empty} is empty: give it a name")
        if facts:
            self.__dict__["data"] = describe(self.dataset, self.data_dir, facts)
        data = self.data
        if data.makes in KINDS and not self.task:  # they are their own task
            object.__setattr__(self, "task", data.makes)
        self._check_networks()
        self._check_game()
        self._check_task()
        self._check_schedule()
        self._check_workers()
        if self.count and self.batch_size > self.count:
            raise UserError(
                f"--batch_size={self.batch_size}: larger than the data; "
                f"{self.dataset} has {self.count} {data.makes}"
            )
        if (self.flip or self.shift) and data.makes not in ("images", *KINDS):
            name = "flip=true" if self.flip else f"shift={self.shift}"
            raise UserError(
                f"--{name}: is for single images, which {self.dataset} does not hold"
            )
        if self.flip and self.vocabulary:
            raise UserError("--flip=true: captions would say the wrong side")
        self._check_augmentation()
        if data.count is None and self.epochs:
            raise UserError(
                f"--epochs={self.epochs}: {self.dataset} has no end, and so no epochs; "
                "give --steps"
            )
        if self.last_step and self.last_step > LARGEST_INT:
            raise UserError(f"--epochs={self.epochs}: more than {LARGEST_INT} steps")
        self._check_clusters()
        if self.judge and not self.evaluate_every:
            raise UserError(
                f"--judge={self.judge}: nothing is measured; give --evaluate_every"
            )
        if self.judge and data.makes != "images":
            raise UserError(
                f"--judge={self.judge}: is for single images, which {self.dataset} "
                "does not hold"
            )
        if self.stop_on_collapse and not self.evaluate_every:
            raise UserError(
                "--stop_on_collapse=true: a collapse shows in metrics alone; give "
                "--evaluate_every"
            )

    def _check_augmentation(self) -> None:
        """Raises UserError unless what D sees can be changed, if that is asked for."""
        name = f"--augmentation_target={self.augmentation_target:g}"
        if not self.augmentation_target:
            return
        if self.data.is_toy:
            raise UserError(f"{name}: is for images, and {self.dataset} holds none")
        if self.loss in ("wasserstein", "relativistic"):
            raise UserError(
                f"{name}: looks at the sign of D's logits, which means nothing to "
                f"--loss={self.loss}"
            )
        if self.jit_compile != "off":
            raise UserError(f"{name}: XLA cannot compile it; give --jit_compile=off")

    @functools.cached_property
    def data(self) -> DataSet:
        """What is to be imitated."""
        return describe(self.dataset, self.data_dir)

    @property
    def game(self) -> str:
        """The game that the networks play."""
        return NETWORKS[self.networks].game

    @property
    def fingerprint(self) -> int:
        """A number that tells one configuration from another, wherever its folders."""
        lines = self.to_flags().splitlines()
        places = ("--run_dir=", "--data_dir=")
        kept = [line for line in lines if not line.startswith(places)]
        return zlib.crc32("\n".join(kept).encode())

    @property
    def held_out(self) -> int:
        """How many images of the data a run draws and measures, and does not train on.

        A game that translates them keeps some back; one from latents needs none.
        """
        if not self.task:
            return 0
        # A count that is known only after a download is that of a large data set.
        return min(HELD_OUT, self.data.count // 10) if self.data.count else HELD_OUT

    @property
    def count(self) -> int | None:
        """How many samples of the data there are to train on; None: without end."""
        count = self.data.count
        return count and count - self.held_out

    @property
    def shapes(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """height, width and channels of a task's sources and of its targets."""
        task = TASKS[self.task]
        size, channels = self.image_shape
        return (
            (size, size, task.source or channels),
            (size, size, task.target or channels),
        )

    @property
    def translated(self) -> tuple[tuple[int, int, int], ...]:
        """The shapes of images that are turned into others: of each way, if any."""
        if not self.task:
            return ()
        return self.shapes if GAMES[self.game].both_ways else self.shapes[:1]

    def schedule(self, generates: bool) -> Schedule:
        """How the side moves that makes the fakes, or the one that does not."""
        side = "generator" if generates else "discriminator"
        names = (field.name for field in dataclasses.fields(Schedule))
        return Schedule(*(getattr(self, f"{side}_{name}") for name in names))

    @property
    def classes(self) -> int:
        """How many classes the networks are told of; 0 if they take no label."""
        if not GAMES[self.game].labelled:
            return 0
        return self.data.classes

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The words of captions, by their numbers; empty if there are no captions."""
        path = GAMES[self.game].vocabulary
        return find(path) if path else ()

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height, which is the width too, and channels of what the networks make."""
        data, pair = self.data, NETWORKS[self.networks]
        if not pair.any_shape:
            return pair.image_size, data.channels if pair.makes == "stacks" else 1
        return data.shape(self.image_size, self.channels)

    @property
    def conditions(self) -> int:
        """How many things both networks can be told that a sample shows; 0: none."""
        if self.vocabulary:
            return len(self.vocabulary)
        if not self.clusters:
            return self.classes
        return max(1, self.classes) * self.clusters_of_a_class

    @property
    def clusters_of_a_class(self) -> int:
        """As many as are asked for, or as have ten images each on average."""
        images = min(self.data.count or 0, MOST_CLUSTERED) or MOST_CLUSTERED
        return min(self.clusters, max(1, images // (10 * max(1, self.classes))))

    @property
    def cluster_latents(self) -> int:
        """How many latents choose a cluster: the first ones, or of a stack the next."""
        return min(self.latent_dim // self.stacked, CLUSTER_LATENTS)

    @property
    def stacked(self) -> int:
        """Images in a stack, one a channel; 1 if the data are not stacks."""
        return self.data.channels if self.data.makes == "stacks" else 1

    def _check_clusters(self) -> None:
        """Raises UserError unless there can be clusters if they are asked for."""
        if self.mismatched_weight and self.conditions < 2:
            raise UserError(
                f"--mismatched_weight={self.mismatched_weight:g}: D is told nothing "
                "that could be wrong; give --clusters, or networks that take a label"
            )
        if not self.clusters:
            return
        data, name = self.data, f"--clusters={self.clusters}"
        if data.makes not in ("images", "stacks"):
            raise UserError(
                f"{name}: clusters are of images, and --dataset={self.dataset} has none"
            )
        if not self.cluster_latents:
            raise UserError(
                f"{name}: each of the {self.stacked} images of a stack needs a latent "
                f"that chooses its cluster; give --latent_dim={self.stacked} or more"
            )
        if self.latent_distribution != "normal":
            raise UserError(
                f"{name}: normal latents choose one; give --latent_distribution=normal"
            )

    def _check_networks(self) -> None:
        """Raises UserError unless the networks can imitate the data."""
        data, pair = self.data, NETWORKS[self.networks]
        if data.makes in KINDS:
            self._check_kinds()
        elif pair.makes != data.makes:
            able = ", ".join(n for n, p in NETWORKS.items() if p.makes == data.makes)
            raise UserError(
                f"--networks={self.networks}: makes {pair.makes}, but "
                f"--dataset={self.dataset} holds {data.makes}; these can: {able}"
            )
        if GAMES[pair.game].labelled and not data.classes:
            able = (
                n
                for n, p in NETWORKS.items()
                if p.makes == data.makes and not GAMES[p.game].labelled
            )
            raise UserError(
                f"--networks={self.networks}: needs labels, and "
                f"--dataset={self.dataset} has none; these do not: {', '.join(able)}"
            )
        if self.vocabulary and data.metrics != DATASETS["mnist"].metrics:
            raise UserError(
                f"--networks={self.networks}: needs captions of digits, and "
                f"--dataset={self.dataset} has none; these have: mnist, mnist5k"
            )
        if data.channels != self.image_shape[1] and not (
            self.channels or data.is_toy or pair.makes == "stacks"
        ):
            raise UserError(
                f"--dataset={self.dataset}: holds "
                f"{'colour' if data.channels else 'both grey and colour'} images"
                + (
                    "; give --channels=1 or --channels=3"
                    if pair.any_shape
                    else f", and --networks={self.networks} makes grey ones; give "
                    "--channels=1 to make them grey"
                )
            )
        for name, value, made in zip(
            ("image_size", "channels"),
            (self.image_size, self.channels),
            self.image_shape,
            strict=True,
        ):
            if value and (data.is_toy or value != made):
                what = f"{self.dataset} holds no images"
                if not data.is_toy:
                    able = (n for n, p in NETWORKS.items() if p.any_shape)
                    what = f"--networks={self.networks} makes {made}; of any shape are "
                    what += ", ".join(able)
                raise UserError(f"--{name}={value}: {what}")
        if pair.goes_on_from and not self.init_from:
            raise UserError(
                f"--init_from is missing: --networks={self.networks} go on from a run "
                f"of --networks={pair.goes_on_from}; give its folder"
            )
        if self.batch_size % pair.packing:
            raise UserError(
                f"--batch_size={self.batch_size}: D of --networks={self.networks} "
                f"sees {pair.packing} samples as one; give a multiple of "
                f"{pair.packing}"
            )

    def _check_game(self) -> None:
        """Raises UserError if a flag is set that another game has."""
        for field in dataclasses.fields(self):
            value, games = getattr(self, field.name), flag_of(field).games
            if games and self.game not in games and value != field.default:
                raise UserError(
                    f"--{field.name}={value}: --networks={self.networks} plays the "
                    f"game {self.game}, which has no such flag; leave it out"
                )
        latents = GAMES[self.game].latents
        if latents and self.latent_distribution != latents:
            raise UserError(
                f"--latent_distribution={self.latent_distribution}: the game "
                f"{self.game} has {latents} latents; give "
                f"--latent_distribution={latents}"
            )

    def _check_task(self) -> None:
        """Raises UserError unless a game that translates images has a task to learn."""
        if not GAMES[self.game].translates:
            return
        data = self.data
        able = [
            name
            for name, task in TASKS.items()
            if task.game == self.game and task.own == (data.makes in KINDS)
        ]
        if data.makes in KINDS and self.task != data.makes:
            raise UserError(
                f"--task={self.task}: --dataset={self.dataset} is a task by itself; "
                f"give --task={data.makes}"
            )
        if self.task not in able:
            given = f"={self.task}: " if self.task else " is missing: "
            raise UserError(
                f"--task{given}--networks={self.networks} turn images into others; "
                f"give one of {', '.join(able)}"
            )
        task = TASKS[self.task]
        if task.labelled and not data.classes:
            raise UserError(
                f"--task={self.task}: is made from labels, which "
                f"--dataset={self.dataset} has not"
            )
        if task.labelled and data.classes > 10:
            raise UserError(
                f"--task={self.task}: is made from labels of at most ten classes; "
                f"--dataset={self.dataset} has {data.classes}"
            )
        if task.grey and self.image_shape[1] != 1:
            raise UserError(
                f"--task={self.task}: is made from grey images; give --channels=1"
            )
        weights = [self.adversarial_weight]
        if GAMES[self.game].both_ways:
            weights += [self.cycle_weight, self.identity_weight]
        else:
            weights.append(self.l1_weight)
        if not any(weights):
            raise UserError(
                "--adversarial_weight=0: all weights are 0, so that nothing is learned"
            )
        if self.judge:
            raise UserError(
                f"--judge={self.judge}: a --task has metrics of its own; leave it out"
            )
        if not self.held_out:
            raise UserError(
                f"--dataset={self.dataset}: {data.count} are too few: some are not "
                "trained on but drawn; give at least 10"
            )
        if self.evaluate_every and data.makes == "unpaired":
            raise UserError(
                f"--evaluate_every={self.evaluate_every}: of {self.dataset} nothing is "
                "measured, as there are neither targets nor a judge; leave it out"
            )

    def _check_workers(self) -> None:
        """Raises UserError unless workers can share the steps as is asked for."""
        if self.workers and self.distribute != "none":
            raise UserError(
                f"--workers={self.workers}: Ray tells its workers of each other; leave "
                f"--distribute={self.distribute} out"
            )
        if self.mixed_precision == "float16" and (
            self.workers or self.distribute != "none"
        ):
            # Keras looks for gradients that overflow in each replica by itself: where
            # one alone finds some, the others would wait for it for ever.
            raise UserError(
                "--mixed_precision=float16: works in one process only; give bfloat16, "
                "or leave --workers and --distribute out"
            )
        if self.workers:
            self.check_shares(self.workers, f"workers of --workers={self.workers}")
        elif self.address:
            raise UserError(
                f"--address={self.address}: is for workers; give --workers=N too"
            )

    def check_shares(self, count: int, who: str) -> None:
        """Raises UserError unless a batch can be divided among so many of them."""
        least = count * NETWORKS[self.networks].packing
        if self.batch_size % least:
            raise UserError(
                f"--batch_size={self.batch_size}: the {count} {who} take "
                f"equal parts of a batch; give a multiple of {least}"
            )

    def _check_kinds(self) -> None:
        """Raises UserError unless the game is of the kind that the images are."""
        able = [n for n, p in NETWORKS.items() if p.game == TASKS[self.data.makes].game]
        if self.networks not in able:
            raise UserError(
                f"--networks={self.networks}: learns nothing from --dataset="
                f"{self.dataset}; these can: {', '.join(able)}"
            )

    def _check_schedule(self) -> None:
        """Raises UserError unless the schedule can be kept and comes to an end."""
        updates = self.discriminator_updates, self.generator_updates
        if self.simultaneous and updates != (1, 1):
            raise UserError(
                "--simultaneous=true: both sides move once a step; give "
                "--discriminator_updates=1 --generator_updates=1"
            )
        if self.simultaneous and self.shared_draws != "none":
            raise UserError(
                f"--shared_draws={self.shared_draws}: --simultaneous shares all of "
                "them; leave it out"
            )
        decays = self.learning_rate_decay != "none"
        if decays != bool(self.decay_steps):
            raise UserError(
                f"--learning_rate_decay={self.learning_rate_decay} with "
                f"--decay_steps={self.decay_steps}: give both or neither"
            )
        if self.decay_steps * max(updates) > LARGEST_INT:
            raise UserError(
                f"--decay_steps={self.decay_steps}: more than {LARGEST_INT} updates"
            )
        if not (self.steps or self.epochs or self.max_seconds):
            raise UserError(
                "--steps, --epochs and --max_seconds are all 0: give one of them, "
                "or the run never ends"
            )

    @property
    def step_limits(self) -> dict[str, int]:
        """The steps after which the run ends, by the flags that say so."""
        limits = {"steps": self.steps} if self.steps else {}
        if self.epochs and self.count:
            samples = self.epochs * self.count
            limits["epochs"] = math.ceil(samples / self.batch_size)
        return limits

    @property
    def last_step(self) -> int | None:
        """The step at which the run ends, or None if only the clock ends it."""
        return min(self.step_limits.values(), default=None)

    def is_over(self, step: int, seconds: float) -> bool:
        """Whether a run that has made these steps in this time has met a limit."""
        at_end = self.last_step is not None and step >= self.last_step
        return at_end or bool(self.max_seconds and seconds >= self.max_seconds)

    def differences(self, other: Config) -> list[str]:
        """``--flag=this (there: that)`` for each flag that makes another run."""
        return [
            f"--{field.name}={getattr(self, field.name)} "
            f"(there: {getattr(other, field.name)})"
            for field in dataclasses.fields(self)
            if flag_of(field).same_run
            and getattr(self, field.name) != getattr(other, field.name)
        ]

    def to_flags(self) -> str:
        """The text of a flagfile that gives this Config again."""
        lines = []
        for name, value in dataclasses.asdict(self).items():
            if name == "overwrite":  # reading a run's record must not remove the run
                continue
            if isinstance(value, bool):
                value = str(value).lower()
            lines.append(f"--{name}={value}\n")
        return "".join(lines)


_RENAMED_VALUES = {
    "jit_compile": {"true": "step", "false": "off"},
    "mixed_precision": {"true": "bfloat16", "false": "off"},
    "networks": {"pacgan": "maxout"},
}
"""Values of earlier versions, by flag, as they are called today."""

_RENAMED_FLAGS = {
    "share_latents": lambda shared: f"shared_draws={'all' if shared else 'batch'}"
}


def parse_config(argv: Sequence[str], switches: Sequence[str] = ()) -> dict[str, Any]:
    """The values of Config's flags on a command line, and of a command's switches.

    A flagfile is looked up among the recipes if there is no such file. Raises UserError
    as ``parse_flags`` does.
    """
    return parse_flags(argv, Config, switches, find_recipe, _RENAMED_FLAGS)


def read_config(path: Path, facts: Mapping[str, Any] | None = None) -> Config:
    """The Config that a flagfile holds, of data of which the facts may be known."""
    return Config(**parse_config([f"--flagfile={path}"]), facts=facts)


def recipes() -> dict[str, Path]:
    """The packaged recipes, by name."""
    folder = Path(str(resources.files("tfgan_mnist"))) / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.flags"))}


def find_recipe(name: str | Path, flag: str = "--flagfile=") -> Path:
    """The flagfile at this path, or else the packaged recipe of this name.

    Raises UserError, of the flag that the name stands behind, if there is neither.
    """
    path, name = Path(name), str(name)
    if path.is_file():
        return path
    known = recipes()
    bare = name.removesuffix(".flags")
    if bare in known:
        return known[bare]
    raise UserError(
        f"{flag}{name}: neither a file nor a recipe; {nearest(bare, known)}"
    )


def refuse_bare_recipe(argv: Sequence[str], values: Mapping[str, Any]) -> None:
    """Raises UserError if words name a packaged recipe by ``--recipe`` alone.

    That is only what a run is called: the default would be trained under the name.
    Words that give every flag are those that a sweep gives to its runs.
    """
    name, given = values["recipe"], {w.lstrip("-").partition("=")[0] for w in argv}
    every = {field.name for field in dataclasses.fields(Config)} - {"overwrite"}
    if name in recipes() and "flagfile" not in given and not given >= every:
        raise UserError(
            f"--recipe={name}: only names the run; give the recipe as the first word, "
            "without a flag"
        )


def recipe_header(path: Path) -> list[str]:
    """The comment lines that a recipe begins with, without their marks."""
    lines = []
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return lines
