"""Reads SavedModels, ours and others with the same signatures, and samples them."""

from __future__ import annotations

import numbers
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_mnist.serving.saved_model import (
    CONTROLS,
    check_saved_model,
    classes_of,
)
from tfgan_mnist.system.errors import UserError, first_line

# One size of batch, so that an image does not depend on how many are asked for.
SAMPLE_BATCH = 100


class LoadedModel:
    """A trained model, loaded.

    Args:
      path: the folder of a SavedModel.
      name: what the user gave, for error lines; ``--saved_model=path`` if empty.

    Attributes:
      metadata: what made it, as ``Writer`` was given it; empty if it does not say.
      signatures: by name, as TensorFlow loads them.
      classes: labels are from 0 to below it; 0 if it takes none.
      kind: what it makes: "images", or a toy's "points".

    Raises:
      UserError: if it is none, or cannot be loaded.
    """

    def __init__(self, path: str | Path, name: str = ""):
        self.path = Path(path)
        self._name = name or f"--saved_model={path}"
        self.metadata = check_saved_model(self.path, self._name)
        logger = tf.get_logger()
        level = logger.level
        logger.setLevel("ERROR")  # of a damaged fingerprint it says much, and loads
        try:
            model = tf.saved_model.load(str(self.path))
            self.signatures = model.signatures
        except Exception as error:  # a damaged file can raise anything
            raise UserError(
                f"{self._name}: cannot be loaded ({first_line(error)})"
            ) from None
        finally:
            logger.setLevel(level)
        self._model = model  # its signatures work only as long as it is there
        self.classes = classes_of(self.metadata)
        makes = getattr(self.signatures.get("sample"), "structured_outputs", {})
        self.kind = "points" if "points" in makes else "images"

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Of one sample: height, width and channels, or a point's dimensions.

        Raises:
          UserError: if the model has no signature that samples.
        """
        inputs = set()
        if "sample" in self.signatures:
            inputs = set(self.signatures["sample"].structured_input_signature[1])
        call = self._signature("sample", inputs, self.kind)
        return tuple(call.structured_outputs[self.kind].shape[1:])

    @property
    def takes_prompts(self) -> bool:
        """Whether ``sample`` takes sentences in the place of labels."""
        found = self.signatures.get("sample")
        return bool(found and "prompt" in found.structured_input_signature[1])

    @property
    def takes_latents(self) -> bool:
        """Whether ``latents`` and ``generate`` are there to be called."""
        found = self.signatures.get("serving_default")
        sample = self.signatures.get("sample")
        return bool(
            found
            and sample
            and "latents" in found.structured_input_signature[1]
            and "latents" in sample.structured_outputs
        )

    def sample(
        self,
        seeds: np.ndarray,
        temperature: float = 1.0,
        labels: np.ndarray | None = None,
        **controls: float,
    ) -> np.ndarray:
        """One sample a seed: images [n, height, width, channels] in [0, 1], or points.

        Args:
          seeds: whole numbers [n] of at most 64 bits, at least one.
          temperature: factor on the latents, from 0 to 100.
          labels: int [n] for a conditional model, None for another.
          controls: of ``CONTROLS``, if the model takes them.

        Raises:
          UserError: if it takes no such control; if the seeds or the temperature are
            something else; if the labels are missing, not wanted, too many, too few or
            out of range; or if the model answers with something else than finite
            numbers, or with no image.
        """
        return self._rows(self.kind, seeds, temperature, labels, controls)

    def latents(
        self,
        seeds: np.ndarray,
        temperature: float = 1.0,
        labels: np.ndarray | None = None,
        **controls: float,
    ) -> np.ndarray:
        """The latents [n, latent_dim] that ``sample`` makes of seeds.

        Args:
          seeds, temperature, labels, controls: as for ``sample``. Without labels a
            conditional model's latents are those of label 0.
        """
        if labels is None and self.classes:
            labels = np.zeros(len(seeds), np.int64)
        return self._rows("latents", seeds, temperature, labels, controls)

    def generate(
        self, some_latents: np.ndarray, labels: np.ndarray | None = None
    ) -> np.ndarray:
        """Samples as ``sample`` gives them, from latents [n, latent_dim]."""
        rows = self._floats("latents", some_latents)
        inputs = {"latents": rows, **self.told(labels, len(rows))}
        self._check_shape("serving_default", "latents", inputs, self.kind)
        return self._batched("serving_default", inputs, self.kind)

    def translate(
        self, images: np.ndarray, seeds: np.ndarray, direction: str = "translate"
    ) -> np.ndarray:
        """What becomes of images [n, height, width, channels] in [0, 1], one a seed.

        Args:
          images: of the model's size and channels.
          seeds: int64 [n], of what is random in it.
          direction: the signature's name.
        """
        inputs = {
            "images": np.asarray(images, np.float32),
            "seed": np.asarray(seeds, np.int64),
        }
        spec = self._signature(direction, set(inputs), "images")
        wanted = spec.structured_input_signature[1]["images"].shape
        if not wanted.is_compatible_with(inputs["images"].shape):
            raise UserError(
                f"{self._name}: translates images of shape {wanted}, not of "
                f"{inputs['images'].shape}"
            )
        return self._batched(direction, inputs, "images")

    def predict(self, told: np.ndarray, seeds: np.ndarray, count: int) -> np.ndarray:
        """The frames that follow, each told those before it, its own kind among them.

        Args:
          told: [n, height, width, frames] in [0, 1], as many as the model is told.
          seeds: int64 [n], of what is random in it.
          count: frames to predict.

        Returns:
          [n, count, height, width, 1].
        """
        found: list[np.ndarray] = []
        for _ in range(count):
            found.append(self.translate(told, seeds))
            told = np.concatenate([told[..., 1:], found[-1]], axis=-1)
        return np.stack(found, axis=1)

    def probability(self, samples: np.ndarray) -> np.ndarray:
        """D's probability [n] that samples are real, for a model without labels."""
        inputs = {self.kind: self._floats(self.kind, samples)}
        self._check_shape("discriminate", self.kind, inputs, "probability")
        if self.kind == "images" and not (
            inputs["images"].min() >= -1e-3 and inputs["images"].max() <= 1.001
        ):
            raise UserError(f"{self._name}: images must be from 0 to 1")
        return self._batched("discriminate", inputs, "probability")

    def sheet(self, name: str, seed: int, side: int, **controls: float) -> np.ndarray:
        """Images [side², ...] of a signature that takes a seed of a row and a column's.

        Rows and columns have the same seeds in the same order.

        Raises:
          UserError: if it has no such signature, or takes no such control.
        """
        seeds = row_seeds(seed, side)
        inputs = {"seed": seeds.repeat(side), "column_seed": np.tile(seeds, side)}
        inputs |= self._controls(name, side * side, controls)
        return self._batched(name, inputs, self.kind)

    @property
    def has_styles(self) -> bool:
        """Whether ``styles`` and ``synthesize`` are there to be called."""
        return {"styles", "synthesize"} <= set(self.signatures)

    def styles(
        self, seeds: np.ndarray, temperature: float = 1.0, truncation_psi: float = 1.0
    ) -> np.ndarray:
        """The styles [n, layers, latent_dim] of seeds, of a model that has some."""
        inputs = {"latents": self.latents(seeds, temperature)}
        inputs |= self._controls(
            "styles", len(seeds), {"truncation_psi": truncation_psi}
        )
        return self._batched("styles", inputs, "styles")

    def synthesize(self, some_styles: np.ndarray) -> np.ndarray:
        """Images of styles [n, layers, latent_dim], all with the same noise."""
        inputs = {"styles": self._floats("styles", some_styles)}
        self._check_shape("synthesize", "styles", inputs, self.kind)
        return self._batched("synthesize", inputs, self.kind)

    def _check_shape(
        self, signature: str, name: str, inputs: dict[str, np.ndarray], output: str
    ) -> None:
        """Raises UserError unless an input has the shape that is declared."""
        spec = self._signature(signature, set(inputs), output)
        wanted = spec.structured_input_signature[1][name].shape
        found = inputs[name].shape
        if not found[0] or not wanted.is_compatible_with(found):
            raise UserError(
                f"{self._name}: takes {name} of shape {wanted}, not of {found}"
            )

    def _floats(self, name: str, values: np.ndarray) -> np.ndarray:
        """Values as float32 with at least one dimension, if they are finite floats."""
        values = np.asarray(values)
        if values.dtype.kind != "f" or not values.ndim:
            raise UserError(
                f"{self._name}: {name} must be an array of floats, not "
                f"{values.dtype} of shape {values.shape}"
            )
        with np.errstate(over="ignore"):
            values = values.astype(np.float32)
        if not np.isfinite(values).all():
            raise UserError(f"{self._name}: {name} must be finite 32-bit numbers")
        return values

    def _rows(self, output, seeds, temperature, labels, controls) -> np.ndarray:
        seeds = np.asarray(seeds)
        if seeds.dtype.kind not in "iu" or seeds.ndim != 1 or not len(seeds):
            raise UserError(
                f"{self._name}: seeds must be a list of whole numbers, not "
                f"{seeds.dtype} of shape {seeds.shape}"
            )
        if seeds.max() > np.iinfo(np.int64).max:
            raise UserError(f"{self._name}: seeds must be of at most 64 bits")
        if not isinstance(temperature, numbers.Real) or not 0 <= temperature <= 100:
            raise UserError(
                f"{self._name}: temperature {temperature!r}: must be from 0 to 100"
            )
        inputs: dict[str, np.ndarray] = {
            "seed": seeds.astype(np.int64),
            "temperature": np.full(len(seeds), temperature, np.float32),
        }
        inputs |= self.told(labels, len(seeds))
        inputs |= self._controls("sample", len(seeds), controls)
        return self._batched("sample", inputs, output)

    def _controls(
        self, name: str, count: int, given: Mapping[str, float]
    ) -> dict[str, np.ndarray]:
        """A signature's inputs that are controls: as given, or changing nothing."""
        if name not in self.signatures:
            return {}
        taken = self.signatures[name].structured_input_signature[1]
        if unknown := sorted(set(given) - set(taken)):
            raise UserError(f"{self._name}: takes no {unknown[0]}")
        return {
            control: np.full(count, given.get(control, neutral), np.float32)
            for control, neutral in CONTROLS.items()
            if control in taken
        }

    def told(self, labels: np.ndarray | None, count: int) -> dict[str, np.ndarray]:
        """The input that labels or prompts are, once they fit."""
        if labels is None and not self.classes:
            return {}
        if labels is None:
            raise UserError(
                f"{self._name}: is conditional; give labels from 0 to "
                f"{self.classes - 1}"
            )
        if not self.classes:
            raise UserError(f"{self._name}: is not conditional, so it takes no labels")
        labels = np.asarray(labels)
        is_text = self.takes_prompts and labels.dtype.kind == "U"
        if labels.dtype.kind not in "iu" and not is_text:
            raise UserError(f"{self._name}: labels must be whole numbers")
        if labels.shape != (count,):
            raise UserError(
                f"{self._name}: labels of shape {labels.shape} for {count} samples; "
                "give one each"
            )
        if is_text:
            return {"prompt": labels}
        if wrong := sorted({int(x) for x in labels if not 0 <= x < self.classes}):
            raise UserError(
                f"{self._name}: label {wrong[0]}: must be from 0 to {self.classes - 1}"
            )
        if self.takes_prompts:
            return {"prompt": labels.astype(str)}
        return {"label": labels.astype(np.int64)}

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

    def _batched(
        self, name: str, inputs: dict[str, np.ndarray], output: str
    ) -> np.ndarray:
        """Calls on batches of one size; the last is filled up with its first row."""
        call = self._signature(name, set(inputs), output)
        count = len(next(iter(inputs.values())))
        outputs = []
        for first in range(0, count, SAMPLE_BATCH):
            rows = np.arange(first, first + SAMPLE_BATCH)
            rows[rows >= count] = first
            part = {key: tf.constant(value[rows]) for key, value in inputs.items()}
            try:
                found = call(**part)[output].numpy()
            except tf.errors.ResourceExhaustedError:
                raise
            except (tf.errors.OpError, TypeError, ValueError) as error:
                raise UserError(
                    f"{self._name}: {name!r} failed ({graph_error(error)})"
                ) from None
            if len(found) != SAMPLE_BATCH or not np.isfinite(found).all():
                raise UserError(
                    f"{self._name}: {name!r} answers {output} that are not finite "
                    "numbers, one for each row"
                )
            outputs.append(found[: count - first])
        found = np.concatenate(outputs)
        self._check_kind(output, found)
        return found

    def _check_kind(self, output: str, found: np.ndarray) -> None:
        """Raises UserError if what should be images or points is none."""
        wrong = f"makes no {output}, but arrays of shape {found.shape}"
        if output == "images":
            if found.ndim != 4 or found.shape[-1] not in (1, 3) or not found.size:
                raise UserError(f"{self._name}: {wrong}")
            if found.min() < -1e-3 or found.max() > 1.001:
                raise UserError(
                    f"{self._name}: makes images from {found.min():g} to "
                    f"{found.max():g}; they must be from 0 to 1"
                )
        elif output == "points" and found.ndim != 2:
            raise UserError(f"{self._name}: {wrong}")


def graph_error(error: Exception) -> str:
    """What a graph says of its inputs, without where in the graph."""
    if said := re.search(r"assertion failed: \[(.*)\]", str(error)):
        return said[1].replace("] [", " ")
    if said := re.search(r"Shape of tensor \S*?(\w+ \[.*\])", str(error)):
        return said[1]
    return first_line(error)


def row_seeds(seed: int, rows: int | Sequence[int]) -> np.ndarray:
    """A row's seeds int64 [count] for the ``sample`` signatures from one seed.

    Args:
      seed: the samples', from 0 to 2³¹ - 1.
      rows: how many of them from the first on, or which, counted from 0.

    Raises:
      UserError: if the seed is another.
    """
    if not 0 <= seed < 2**31:
        raise UserError(f"--seed={seed}: must be from 0 to {2**31 - 1}")
    of = np.arange(rows) if isinstance(rows, numbers.Integral) else np.asarray(rows)
    return (np.int64(seed) << np.int64(32)) + of.astype(np.int64)
