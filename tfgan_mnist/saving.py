"""The model leaves the house: a SavedModel with named signatures, and its reader.

Every input is batched along dimension 0 and every output is a dictionary, as TensorFlow
Serving wants them. Images are in [0, 1].

    serving_default(latents [n, latent_dim])            → images
    sample(seed int64 [n], temperature float [n])       → images, latents
    sample_png(seed int64 [n], temperature float [n])   → image_bytes (PNG files)
    discriminate(images [n, height, width, 1])          → logits [n], probability [n]
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgan_mnist import latents
from tfgan_mnist.errors import UserError, first_line
from tfgan_mnist.files import whole_folder
from tfgan_mnist.gans.unconditional import Unconditional
from tfgan_mnist.runtime import without_noise
from tfgan_mnist.saved_model import METADATA, check_saved_model, read_metadata

# One size of batch, so that an image does not depend on how many are asked for.
SAMPLE_BATCH = 100


def row_latents(
    distribution: str, latent_dim: int, seeds: tf.Tensor, temperature: tf.Tensor
) -> tf.Tensor:
    """Latents [n, latent_dim], each row from its own seed, times its temperature.

    Args:
      seeds: int64 [n].
      temperature: float32 [n]; below 1 less variety, above 1 more.
    """
    rows = tf.map_fn(
        lambda seed: latents.draw(distribution, [latent_dim], tf.stack([seed, 0])),
        seeds,
        fn_output_signature=tf.float32,
    )
    return rows * temperature[:, tf.newaxis]


def save(path: Path, gan: Unconditional, metadata: Mapping[str, Any]) -> None:
    """Writes a SavedModel whole or not at all, over one that is there.

    Args:
      path: its folder.
      gan: with networks in float32.
      metadata: what made it; kept inside as JSON.

    Raises:
      OSError: if it cannot be written (disk full, say); what is there remains.
    """
    generator, distribution = gan.generator, gan.latent_distribution
    latent_dim = generator.input_shape[-1]

    def generate(latents):
        return {"images": gan.sample(generator, latents)}

    def sample(seed, temperature):
        rows = row_latents(distribution, latent_dim, seed, temperature)
        return {"images": gan.sample(generator, rows), "latents": rows}

    def sample_png(seed, temperature):
        images = sample(seed, temperature)["images"]
        pixels = tf.cast(tf.round(images * 255.0), tf.uint8)
        # TensorFlow Serving encodes outputs whose name ends so in base64.
        return {
            "image_bytes": tf.map_fn(
                tf.io.encode_png, pixels, fn_output_signature=tf.string
            )
        }

    def discriminate(images):
        logits = gan.discriminator(images * 2.0 - 1.0, training=False)[:, 0]
        return {"logits": logits, "probability": tf.sigmoid(logits)}

    rows = [
        tf.TensorSpec([None], tf.int64, name="seed"),
        tf.TensorSpec([None], tf.float32, name="temperature"),
    ]
    images = tf.TensorSpec(gan.discriminator.input_shape, tf.float32, name="images")
    archive = keras.export.ExportArchive()
    archive.track(generator)
    archive.track(gan.discriminator)
    archive.add_endpoint(
        "serving_default",
        generate,
        [tf.TensorSpec([None, latent_dim], tf.float32, name="latents")],
    )
    archive.add_endpoint("sample", sample, rows)
    archive.add_endpoint("sample_png", sample_png, rows)
    archive.add_endpoint("discriminate", discriminate, [images])
    with whole_folder(path) as unfinished, without_noise():
        try:
            archive.write_out(str(unfinished), verbose=False)
        except tf.errors.OpError as error:
            raise OSError(error.message) from error
        (unfinished / METADATA).parent.mkdir(exist_ok=True)
        (unfinished / METADATA).write_text(json.dumps(metadata, indent=2) + "\n")


class SavedGenerator:
    """A trained generator, loaded.

    Args:
      path: the folder of a SavedModel.
      flag: what the user gave it as.

    Attributes:
      metadata: what made it, as ``save`` was given it; empty if it does not say.
      signatures: by name, as TensorFlow loads them.

    Raises:
      UserError: if it is none, or cannot be loaded.
    """

    def __init__(self, path: str | Path, flag: str = "--saved_model"):
        self.path = Path(path)
        self._name = f"{flag}={path}"
        check_saved_model(self.path, flag)
        self.metadata = read_metadata(self.path)
        try:
            model = tf.saved_model.load(str(self.path))
            self.signatures = model.signatures
        except Exception as error:  # a damaged file can raise anything
            raise UserError(
                f"{self._name}: cannot be loaded ({first_line(error)})"
            ) from None
        self._model = model  # its signatures work only as long as it is there

    def sample(self, seeds: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """Images float32 [n, height, width, 1] in [0, 1], one a seed (int64 [n])."""
        return self._rows("images", seeds, temperature)

    def latents(self, seeds: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """The latents [n, latent_dim] that ``sample`` makes of seeds."""
        return self._rows("latents", seeds, temperature)

    def generate(self, some_latents: np.ndarray) -> np.ndarray:
        """Images float32 [n, height, width, 1] in [0, 1] from latents."""
        call = self._signature("serving_default", {"latents"}, "images")
        return self._batched(
            lambda rows: call(latents=tf.constant(rows, tf.float32))["images"],
            np.asarray(some_latents, np.float32),
        )

    def _rows(self, output, seeds, temperature) -> np.ndarray:
        call = self._signature("sample", {"seed", "temperature"}, output)
        return self._batched(
            lambda rows: call(
                seed=tf.constant(rows, tf.int64),
                temperature=tf.fill([len(rows)], float(temperature)),
            )[output],
            np.asarray(seeds, np.int64),
        )

    def _signature(self, name: str, inputs: set[str], output: str):
        """A signature, if it takes these inputs and gives this output."""
        if name not in self.signatures:
            there = ", ".join(sorted(self.signatures)) or "none"
            raise UserError(f"{self._name}: has no signature {name!r}, but {there}")
        signature = self.signatures[name]
        found = set(signature.structured_input_signature[1])
        if found != inputs or output not in signature.structured_outputs:
            raise UserError(
                f"{self._name}: its signature {name!r} is another: from "
                f"{', '.join(sorted(found))} to "
                f"{', '.join(sorted(signature.structured_outputs))}"
            )
        return signature

    @staticmethod
    def _batched(call, rows: np.ndarray) -> np.ndarray:
        """Calls on batches of one size; the last is filled up with its first row."""
        outputs = []
        for first in range(0, len(rows), SAMPLE_BATCH):
            part = rows[first : first + SAMPLE_BATCH]
            full = np.concatenate(
                [part, np.repeat(part[:1], SAMPLE_BATCH - len(part), 0)]
            )
            outputs.append(call(full).numpy()[: len(part)])
        return np.concatenate(outputs)


def row_seeds(seed: int, count: int) -> np.ndarray:
    """A row's seeds int64 [count] for the ``sample`` signatures from one seed."""
    return (np.int64(seed) << np.int64(32)) + np.arange(count, dtype=np.int64)
