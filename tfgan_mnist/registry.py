"""Names of data sets, networks, games and losses, and what the flags must know of them.

Every name is declared here, once, without TensorFlow: a mistake in a flag is answered
at once. ``find`` then makes or imports what a name stands for. Of data sets there are
more than are named here: ``describe`` says what a folder, an ``.npz`` file or a data
set of tensorflow-datasets holds.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfgan_mnist.system.errors import UserError

KINDS = ("pairs", "unpaired")
"""One's own images of two kinds: how their names begin, before a colon; their tasks."""


@dataclasses.dataclass(frozen=True)
class DataSet:
    """What is to be imitated.

    Args:
      make: ``module:function`` from ``--data_dir`` to uint8 images and labels, or to a
        target that samples are drawn from afresh; with a ``place``, from that,
        ``--data_dir``, image size and channels.
      makes: "images", "stacks" of three grey ones as red, green and blue, "pairs" or
        "unpaired" images of two kinds, or "values" and "points" of one and two
        dimensions.
      metrics: ``module:function`` that makes the protocol of its metrics.
      count: training samples; None if each batch is drawn afresh, without end; 0 if
        it is known only after a download.
      classes: number of its classes; 0 if it has no labels.
      image_size: the height and width of its images, or the shorter of them.
      channels: 1 if they are grey, 3 in colour, 0 if some are of either kind.
      place: the folder, file or name, of what is not named in ``DATASETS``; and its
      name: what it is called in models, away from where it lies.
      class_names: of its classes, where they have names.
    """

    make: str
    makes: str
    metrics: str
    count: int | None = None
    classes: int = 0
    image_size: int = 28
    channels: int = 1
    place: str = ""
    name: str = ""
    class_names: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """What was found by looking at what is not named in ``DATASETS``."""
        names = ("count", "classes", "class_names", "image_size", "channels", "name")
        return {name: getattr(self, name) for name in names} if self.place else {}

    @property
    def is_toy(self) -> bool:
        """Whether its samples are numbers rather than pictures."""
        return self.makes not in ("images", "stacks", *KINDS)

    def shape(self, image_size: int = 0, channels: int = 0) -> tuple[int, int]:
        """Height, which is the width too, and channels that images are trained at.

        Args:
          image_size, channels: as asked for; 0: as the data is, 28 or 32 pixels.
        """
        smaller, larger, *_ = IMAGE_SIZES  # others take long: only if asked for
        size = image_size or (smaller if self.image_size < larger else larger)
        return size, channels or self.channels or 1


def _digits(make: str, count: int) -> DataSet:
    return DataSet(make, "images", "evaluation.protocols:digits", count, 10)


def _stacks(make: str, count: int) -> DataSet:
    return DataSet(make, "stacks", "evaluation.protocols:stacks", count, channels=3)


def _toy(name: str, makes: str, count: int | None = None) -> DataSet:
    protocol = f"evaluation.protocols:{name}"
    return DataSet(f"data.toys:{name}_data", makes, protocol, count)


IMAGE_SIZES = (28, 32, 64, 128)
"""Heights and widths that images can be trained at."""

DATASETS: Mapping[str, DataSet] = {
    "mnist": _digits("data.mnist:mnist", 60_000),
    "mnist5k": _digits("data.mnist:mnist5k", 5_000),
    "stacked": _stacks("data.mnist:mnist", 60_000),
    "stacked5k": _stacks("data.mnist:mnist5k", 5_000),
    "gaussian": _toy("gaussian", "values"),
    "moons": _toy("moons", "points", 2_000),
    "ring": _toy("ring", "points"),
    "grid": _toy("grid", "points"),
}


FOLDER, ARRAYS = "folder:", ".npz"
"""How the names of one's own images begin, or end."""


def describe(
    name: str, data_dir: str = "", facts: Mapping[str, Any] | None = None
) -> DataSet:
    """What a data set is: one of ``DATASETS``, ``folder:PATH``, ``PATH.npz``,
    ``pairs:PATH``, ``unpaired:PATH`` or one of tensorflow-datasets.

    Args:
      name: as ``--dataset`` has it.
      data_dir: where tensorflow-datasets keeps what is prepared; its own if empty.
      facts: its ``DataSet.facts``, if they are known: it is not looked at then.

    Raises:
      UserError: if there is no such data set, or it cannot be imitated.
    """
    if name in DATASETS:
        return DATASETS[name]
    if name in (FOLDER, *(f"{kind}:" for kind in KINDS)):
        raise UserError(f"--dataset={name}: names no folder; give {name}FOLDER")
    kind, _, place = name.partition(":")
    makes, metrics = "images", "evaluation.protocols:pictures"
    called = f"{kind}:{Path(place).absolute().name}"
    if name.startswith(FOLDER):
        make = "data.pictures:load_folder"
    elif kind in KINDS:
        make, makes, metrics = f"data.own_pairs:load_{kind}", kind, ""
    elif name.endswith(ARRAYS):
        make, place, called = "data.pictures:load_arrays", name, Path(name).name
    else:
        make, place, called = "data.catalogue:load", name, name
    if not facts:
        look = find(make.replace(":load", ":describe"))
        listed = make.startswith("data.catalogue")
        facts = look(place, *((data_dir, tuple(DATASETS)) if listed else ()))
        facts = {"name": called, **facts}
    return DataSet(make, makes, metrics, place=place, **facts)


@dataclasses.dataclass(frozen=True)
class Game:
    """Who plays against whom.

    Args:
      make: ``module:class``.
      labelled: whether its networks are told a label.
      with_clusters: the game that is played if they are told clusters too; empty if
        they cannot be.
      latents: the distribution that latents must have; any if empty.
      controls: what its models can be told of a sample beside the temperature: flags
        of ``sample``.
      sheets: signatures that take a row's and a column's seed: pictures of a run, and
        of ``sample --sheet``.
      translates: whether it turns images into others, and so needs a task.
      both_ways: whether it turns them back too; it has no noise then.
      adversarial: whether a generator plays against a discriminator.
      vocabulary: ``module:tuple`` of the words that its captions and prompts are made
        of; empty if it has none.
    """

    make: str
    labelled: bool = False
    with_clusters: str = ""
    latents: str = ""
    controls: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    translates: bool = False
    both_ways: bool = False
    adversarial: bool = True
    vocabulary: str = ""


GAMES: Mapping[str, Game] = {
    "unconditional": Game(
        "gans.unconditional:Unconditional", with_clusters="conditional"
    ),
    "conditional": Game(
        "gans.conditional:Conditional", labelled=True, with_clusters="conditional"
    ),
    "acgan": Game("gans.acgan:AuxiliaryClassifier", labelled=True),
    "biggan": Game(
        "gans.biggan:BigGAN",
        labelled=True,
        controls=("truncation",),
    ),
    "stylegan": Game(
        "gans.stylegan:StyleGAN",
        controls=("truncation_psi",),
        sheets=("style_mixing", "noise"),
    ),
    "stackgan": Game(
        "gans.stackgan:StackGAN", labelled=True, vocabulary="data.grammar:VOCABULARY"
    ),
    "vae": Game("gans.vae:VariationalAutoencoder", latents="normal", adversarial=False),
    "pix2pix": Game("gans.pix2pix:Pix2Pix", translates=True),
    "cyclegan": Game("gans.cyclegan:CycleGAN", translates=True, both_ways=True),
}

ADVERSARIAL = tuple(name for name, game in GAMES.items() if game.adversarial)
"""The games of a generator against a discriminator."""

FROM_LATENTS = tuple(name for name, game in GAMES.items() if not game.translates)


@dataclasses.dataclass(frozen=True)
class Task:
    """What images are to be turned into which.

    Args:
      make: ``module:function`` from images, their labels and a seed to sources and
        targets; of ``cyclegan``, from all images and labels of a data set to those of
        either kind.
      game: that learns it.
      source, target: the channels of both; 0: as many as the images have.
      labelled: whether it needs labels, of ten classes at most.
      grey: whether it is made from grey images alone.
      own: whether it is that of one's own pictures of two kinds, and of them alone.
      video: whether sources are frames, side by side in depth, and targets the frame
        that follows them.
      ink: ``module:function`` from targets in [0, 1] to what a judge of digits reads;
        empty if they show no single digit.
    """

    make: str
    game: str = "pix2pix"
    source: int = 0
    target: int = 0
    labelled: bool = False
    grey: bool = False
    own: bool = False
    video: bool = False
    ink: str = "data.pairs:brightest"

    def image_size(self, size: int) -> int:
        """The height and width of the images that it makes pictures of a size from."""
        return size * 28 // 64 if self.video else size


TASKS: Mapping[str, Task] = {
    "colour": Task("data.pairs:colour", source=1, target=3, labelled=True, grey=True),
    "superres": Task("data.pairs:superres"),
    "inpaint": Task("data.pairs:inpaint", source=3),
    "background_removal": Task("data.pairs:background_removal"),
    "background_blur": Task(
        "data.pairs:background_blur", ink="data.pairs:brighter_than_textures"
    ),
    "fonts": Task("data.pairs:fonts", labelled=True, grey=True),
    "frames": Task("data.pairs:frames", source=3, grey=True, video=True, ink=""),
    "pairs": Task("data.pairs:halves", own=True, ink=""),
    "thickness": Task("data.pairs:thin_and_thick", "cyclegan"),
    "uci": Task("data.pairs:uci_and_others", "cyclegan", grey=True),
    "unpaired": Task("data.pairs:two_kinds", "cyclegan", own=True, ink=""),
}
"""What the games that translate images can learn."""


@dataclasses.dataclass(frozen=True)
class Networks:
    """What a set of networks makes, and the game that it plays.

    Args:
      make: ``module:function`` from latent_dim, base_channels, seed and, with labels,
        the number of classes, or with captions of words, to Keras models. That is all
        it takes, unless it follows the shape of the images; of a game that translates
        also the keywords ``source`` and ``target``, the shapes of both.
      makes: what they can imitate, as in ``DataSet``.
      game: a name in ``GAMES``.
      packing: how many samples D sees as one.
      any_shape: whether ``make`` also takes the keywords ``image_size``, one of
        ``IMAGE_SIZES``, and ``channels``, 1 or 3, and makes networks of such images.
      image_size: that of their images, which are grey, if they have but one shape.
      goes_on_from: the networks of the run that they need as ``--init_from``.
    """

    make: str
    makes: str = "images"
    game: str = "unconditional"
    packing: int = 1
    any_shape: bool = False
    image_size: int = 28
    goes_on_from: str = ""


NETWORKS: Mapping[str, Networks] = {
    "dcgan": Networks("networks.dcgan:dcgan", any_shape=True),
    "dcgan_tutorial": Networks("networks.dcgan:dcgan_tutorial"),
    "dcgan32": Networks("networks.dcgan:dcgan32", image_size=32),
    "dcgan32_unnormalised": Networks(
        "networks.dcgan:dcgan32_unnormalised", image_size=32
    ),
    "dcgan_fast": Networks("networks.dcgan:dcgan_fast", any_shape=True),
    "mlp": Networks("networks.mlp:mlp"),
    "cgan_onehot": Networks("networks.conditional:cgan_onehot", game="conditional"),
    "cgan_embedding": Networks(
        "networks.conditional:cgan_embedding", game="conditional"
    ),
    "cdcgan": Networks(
        "networks.conditional:cdcgan", game="conditional", any_shape=True
    ),
    "cdcgan_fast": Networks(
        "networks.conditional:cdcgan_fast", game="conditional", any_shape=True
    ),
    "acgan": Networks("networks.conditional:acgan", game="acgan", any_shape=True),
    "biggan": Networks("networks.biggan:biggan", game="biggan", any_shape=True),
    "biggan_without_attention": Networks(
        "networks.biggan:biggan_without_attention", game="biggan", any_shape=True
    ),
    "biggan_without_chunks": Networks(
        "networks.biggan:biggan_without_chunks", game="biggan", any_shape=True
    ),
    "stylegan": Networks("networks.stylegan:stylegan", game="stylegan", any_shape=True),
    "stackgan_1": Networks(
        "networks.stackgan:stackgan_1", game="stackgan", image_size=14
    ),
    "stackgan_2": Networks(
        "networks.stackgan:stackgan_2", game="stackgan", goes_on_from="stackgan_1"
    ),
    "vae": Networks("networks.vae:vae", game="vae", any_shape=True),
    "pix2pix": Networks("networks.translation:pix2pix", game="pix2pix", any_shape=True),
    "cyclegan": Networks(
        "networks.translation:cyclegan", game="cyclegan", any_shape=True
    ),
    "stacked": Networks("networks.stacked:stacked", "stacks"),
    "gaussian": Networks("networks.toys:gaussian", "values", packing=100),
    "gaussian_raw": Networks("networks.toys:gaussian_raw", "values", packing=100),
    "gaussian_single": Networks("networks.toys:gaussian_single", "values"),
    "moons": Networks("networks.toys:moons", "points"),
    "points": Networks("networks.toys:points", "points"),
    "maxout": Networks("networks.toys:maxout", "points"),
}

LOSSES: Mapping[str, str] = {
    name: f"gans.losses:{name}"
    for name in (
        "non_saturating",
        "minimax",
        "least_squares",
        "wasserstein",
        "hinge",
        "relativistic",
    )
}
"""Pairs of losses, of both sides of a game."""


def is_own_judge(judge: str) -> bool:
    """Whether a ``--judge`` is a file: given, and not the packaged judge of MNIST."""
    return judge not in ("", "mnist")


def find(path: str) -> Any:
    """What a ``module:attribute`` below this package stands for; imports the module."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(f"tfgan_mnist.{module}"), attribute)
