"""Writes GANs as SavedModels, with the signatures that they declare."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfgan_mnist.gans.gan import GAN
from tfgan_mnist.serving.saved_model import METADATA
from tfgan_mnist.system.files import whole_folder


class Writer:
    """Writes a GAN as SavedModels, now and again, as its weights are then.

    Its signatures are traced but once, and each weight is stored once, under its name
    (``keras.export.ExportArchive`` stores every one twice: keras-team/keras#23553).

    Args:
      gan: with networks in float32.
      variables: its weights and state by name, as a checkpoint has them.
    """

    def __init__(self, gan: GAN, variables: Mapping[str, Any]):
        self.gan = gan
        self.variables = variables
        self._module = tf.Module()
        # Keras's variables hold TensorFlow's, which alone can be stored.
        self._module.variables_by_name = {
            name: variable if isinstance(variable, tf.Variable) else variable.value
            for name, variable in variables.items()
        }
        self._signatures = {
            name: tf.function(found.function, autograph=False).get_concrete_function(
                **found.inputs
            )
            for name, found in gan.signatures().items()
        }

    def write(self, path: Path, metadata: Mapping[str, Any]) -> None:
        """Writes a SavedModel whole or not at all, over one that is there.

        Args:
          path: its folder.
          metadata: what made it; kept inside as JSON.

        Raises:
          OSError: if it cannot be written (disk full, say); what is there remains.
        """
        with whole_folder(path) as unfinished:
            try:
                tf.saved_model.save(self._module, str(unfinished), self._signatures)
            except tf.errors.OpError as error:
                raise OSError(error.message) from error
            (unfinished / METADATA).parent.mkdir(exist_ok=True)
            text = json.dumps(metadata, indent=2)
            (unfinished / METADATA).write_text(text + "\n")
