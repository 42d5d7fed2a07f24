"""Toy data: a normal distribution, mixtures of them, and two half moons."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import tensorflow as tf

from tfgan_mnist.system.seeds import fold_in


class Target(Protocol):
    """A distribution to imitate."""

    def draw(self, count: int, seed: tf.Tensor) -> tf.Tensor: ...


@dataclasses.dataclass(frozen=True)
class Gaussian:
    """The normal distribution of one number."""

    mean: float = 4.0
    std: float = 1.25

    def draw(self, count: int, seed: tf.Tensor) -> tf.Tensor:
        """float32 [count, 1] that follow from a seed."""
        normal = tf.random.stateless_normal([count, 1], seed, alg="philox")
        return self.mean + self.std * normal


@dataclasses.dataclass(frozen=True)
class Mixture:
    """Normal distributions of equal standard deviation around centres, each as likely.

    Args:
      centres: float [modes, 2].
    """

    centres: np.ndarray
    std: float

    def draw(self, count: int, seed: tf.Tensor) -> tf.Tensor:
        """float32 [count, 2] that follow from a seed."""
        modes = tf.random.stateless_uniform(
            [count], fold_in(seed, 0), 0, len(self.centres), tf.int32, alg="philox"
        )
        normal = tf.random.stateless_normal([count, 2], fold_in(seed, 1), alg="philox")
        centres = tf.constant(self.centres, tf.float32)
        return tf.gather(centres, modes) + self.std * normal


def ring() -> Mixture:
    """Eight modes on a circle of radius 1 (Lin et al., 2018, arXiv:1712.04086, 4.1)."""
    angles = 2.0 * math.pi * np.arange(8) / 8
    return Mixture(np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.01)


def grid() -> Mixture:
    """25 modes at {-4, -2, 0, 2, 4}² (Lin et al., 2018, arXiv:1712.04086, 4.1)."""
    line = np.arange(-4.0, 5.0, 2.0)
    return Mixture(np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2), 0.05)


MOONS_NOISE = 0.05
MOONS_COUNT = 2_000


def moons(count: int, seed: int) -> np.ndarray:
    """float32 [count, 2]: scikit-learn's two half moons of radius 1, with noise."""
    from sklearn.datasets import make_moons

    points, _ = make_moons(count, noise=MOONS_NOISE, random_state=seed)
    return points.astype(np.float32)


class Endless:
    """Fresh draws from a target: the batch is a function of the step and the draw.

    Args:
      seed: int32 [2].
    """

    def __init__(self, target: Target, batch_size: int, seed: tf.Tensor):
        self.target = target
        self.batch_size = batch_size
        self.seed = seed

    def batch(self, step: tf.Tensor, draw: int = 0) -> Mapping[str, tf.Tensor]:
        """samples [batch, dimensions].

        Args:
          step: scalar int, steps made before.
          draw: from 0, within the step.
        """
        seed = fold_in(self.seed, step)
        if draw:
            seed = fold_in(seed, draw)
        return {"samples": self.target.draw(self.batch_size, seed)}


# What the data sets of the flags are; toys need no folder.


def gaussian_data(data_dir: str = "") -> Gaussian:
    return Gaussian()


def moons_data(data_dir: str = "") -> tuple[np.ndarray, None]:
    return moons(MOONS_COUNT, seed=0), None


def ring_data(data_dir: str = "") -> Mixture:
    return ring()


def grid_data(data_dir: str = "") -> Mixture:
    return grid()
