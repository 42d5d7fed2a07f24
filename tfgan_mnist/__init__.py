"""Generative adversarial networks on MNIST, for TensorFlow 2 and Keras 3.

    import tfgan_mnist

    tfgan_mnist.load("cdcgan_fast").show()
    result = tfgan_mnist.train("dcgan_fast", max_seconds=60, run_dir="runs/try")

Importing the package is cheap: what it offers, and TensorFlow, are loaded by whatever
needs them first.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfgan_mnist import keras as keras
    from tfgan_mnist.config import Config as Config
    from tfgan_mnist.config import recipes as recipes
    from tfgan_mnist.model import Model as Model
    from tfgan_mnist.model import load as load
    from tfgan_mnist.train import train as train

__version__ = "0.3.0"

_HOMES = {
    "Config": "tfgan_mnist.config",
    "Model": "tfgan_mnist.model",
    "load": "tfgan_mnist.model",
    "recipes": "tfgan_mnist.config",
    "train": "tfgan_mnist.train",
}
"""What the package offers, by name, and the module that it is in (PEP 562)."""


def __getattr__(name: str) -> Any:
    if name == "keras":
        return importlib.import_module("tfgan_mnist.keras")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*_HOMES, "keras", "__version__"})


class _Package(types.ModuleType):
    """Keeps ``train`` the function, where the import system would put its module."""

    @property
    def train(self) -> Callable:
        return __getattr__("train")

    @train.setter
    def train(self, module: types.ModuleType) -> None:
        pass


sys.modules[__name__].__class__ = _Package
