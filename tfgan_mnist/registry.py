"""Names of data sets, networks, games and losses, and what the flags must know of them.

Every name is declared here, once, without TensorFlow: a mistake in a flag is answered
at once. ``find`` then makes or imports what a name stands for.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class DataSet:
    """What is to be imitated.

    Args:
      make: ``module:function`` from ``--data_dir`` to uint8 images and labels, or to a
        target that samples are drawn from afresh.
      makes: "images" in grey, "stacks" of three of them as red, green and blue, or
        "values" and "points" of one and two dimensions.
      metrics: ``module:function`` that makes the protocol of its metrics.
      count: training samples; None if each batch is drawn afresh, without end.
      classes: number of its classes; 0 if it has no labels.
    """

    make: str
    makes: str
    metrics: str
    count: int | None = None
    classes: int = 0

    @property
    def is_toy(self) -> bool:
        """Whether its samples are numbers rather than pictures."""
        return self.makes not in ("images", "stacks")


def _digits(make: str, count: int) -> DataSet:
    return DataSet(make, "images", "evaluation.protocols:digits", count, 10)


def _stacks(make: str, count: int) -> DataSet:
    return DataSet(make, "stacks", "evaluation.protocols:stacks", count)


def _toy(name: str, makes: str, count: int | None = None) -> DataSet:
    protocol = f"evaluation.protocols:{name}"
    return DataSet(f"data.toys:{name}_data", makes, protocol, count)


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


@dataclasses.dataclass(frozen=True)
class Game:
    """Who plays against whom.

    Args:
      make: ``module:class``.
      labelled: whether its networks are told a label.
      with_clusters: the game that is played if they are told clusters too; empty if
        they cannot be.
      latents: the distribution that latents must have; any if empty.
    """

    make: str
    labelled: bool = False
    with_clusters: str = ""
    latents: str = ""


GAMES: Mapping[str, Game] = {
    "unconditional": Game(
        "gans.unconditional:Unconditional", with_clusters="conditional"
    ),
    "conditional": Game(
        "gans.conditional:Conditional", labelled=True, with_clusters="conditional"
    ),
    "acgan": Game("gans.acgan:AuxiliaryClassifier", labelled=True),
    "vae": Game("gans.vae:VariationalAutoencoder", latents="normal"),
}

ADVERSARIAL = ("unconditional", "conditional", "acgan")
"""The games of a generator against a discriminator."""


@dataclasses.dataclass(frozen=True)
class Networks:
    """What a set of networks makes, and the game that it plays.

    Args:
      make: ``module:function`` from latent_dim, base_channels, seed and, with labels,
        the number of classes to Keras models.
      makes: what they can imitate, as in ``DataSet``.
      game: a name in ``GAMES``.
      packing: how many samples D judges as one.
    """

    make: str
    makes: str = "images"
    game: str = "unconditional"
    packing: int = 1


NETWORKS: Mapping[str, Networks] = {
    "dcgan": Networks("networks.dcgan:dcgan"),
    "dcgan_tutorial": Networks("networks.dcgan:dcgan_tutorial"),
    "dcgan32": Networks("networks.dcgan:dcgan32"),
    "dcgan32_unnormalised": Networks("networks.dcgan:dcgan32_unnormalised"),
    "dcgan_fast": Networks("networks.dcgan:dcgan_fast"),
    "mlp": Networks("networks.mlp:mlp"),
    "cgan_onehot": Networks("networks.conditional:cgan_onehot", game="conditional"),
    "cgan_embedding": Networks(
        "networks.conditional:cgan_embedding", game="conditional"
    ),
    "cdcgan": Networks("networks.conditional:cdcgan", game="conditional"),
    "cdcgan_fast": Networks("networks.conditional:cdcgan_fast", game="conditional"),
    "acgan": Networks("networks.conditional:acgan", game="acgan"),
    "vae": Networks("networks.vae:vae", game="vae"),
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


def find(path: str) -> Any:
    """What a ``module:attribute`` below this package stands for; imports the module."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(f"tfgan_mnist.{module}"), attribute)
