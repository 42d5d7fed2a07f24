"""Writes GANs as SavedModels, with the signatures that they declare."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfgan_mnist.gans.gan import GAN
from tfgan_mnist.serving.checks import checked
from tfgan_mnist.serving.saved_model import METADATA
from tfgan_mnist.system.errors import NO_ROOM, first_line, is_out_of_memory
from tfgan_mnist.system.files import atomic_folder
from tfgan_mnist.system.records import checksums


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
        self._module.resources = gan.resources
        self._signatures = {
            name: tf.function(checked(found), autograph=False).get_concrete_function(
                **found.inputs
            )
            for name, found in gan.signatures().items()
        }

    def write(self, path: Path, metadata: Mapping[str, Any]) -> None:
        """Writes a SavedModel whole or not at all, over one that is there.

        Args:
          path: its folder.
          metadata: what made it; kept inside as JSON, with checksums of all files.

        Raises:
          OSError: if it cannot be written (disk full, say); what is there remains.
        """
        with atomic_folder(path) as unfinished:
            try:
                tf.saved_model.save(self._module, str(unfinished), self._signatures)
            except tf.errors.OpError as error:
                if is_out_of_memory(error):
                    raise
                raise _os_error(error, path) from error
            (unfinished / METADATA).parent.mkdir(exist_ok=True)
            facts = {**metadata, "files": checksums(unfinished)}
            text = json.dumps(facts, indent=2)
            (unfinished / METADATA).write_text(text + "\n", "utf-8")


_SPOKEN_OF = (
    *NO_ROOM,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EMFILE,
    errno.EIO,
    errno.ENOENT,
)


def _os_error(error: tf.errors.OpError, path: Path) -> OSError:
    """The system's error that one of TensorFlow's writers only speaks of."""
    for number in _SPOKEN_OF:
        if os.strerror(number) in error.message:
            return OSError(number, os.strerror(number), str(path))
    return OSError(errno.EINVAL, first_line(error.message), str(path))
