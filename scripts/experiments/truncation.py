"""Quality against variety: a model's metrics as its samples are truncated.

    python scripts/experiments/truncation.py --saved_model=FOLDER --recipe=NAME

Draws from a trained biggan at falling truncations, or from a stylegan at falling psi,
measures each set of samples, and writes samples/NAME/truncation.json and
truncation.png.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence

import numpy as np
from common import ROOT, ModelFlags, read_words, write_record

from tfgan_mnist.system import command
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.flags import flag

VALUES = {
    "truncation": (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0),
    "truncation_psi": (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0),
}
SHOWN = ("fcd", "precision", "recall")
SEED = 1  # of the samples


@dataclasses.dataclass(frozen=True)
class Flags(ModelFlags):
    count: int = flag(5_000, "Results", "samples of each", low=1)


def main(argv: Sequence[str]) -> None:
    flags, _ = read_words(argv, __doc__, Flags)

    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tqdm import tqdm

    from tfgan_mnist.evaluation.protocols import brief_count, protocol_of
    from tfgan_mnist.serving.reader import LoadedModel, row_seeds
    from tfgan_mnist.visual.plots import plot_panels

    model = LoadedModel(flags.saved_model)
    taken = model.signatures["sample"].structured_input_signature[1]
    (control,) = set(VALUES) & set(taken) or {None}
    if control is None:
        raise UserError(f"{flags.saved_model} takes no {' and no '.join(VALUES)}")
    count = flags.count
    names = [f"{name}_{brief_count(count)}" for name in SHOWN]
    protocol = protocol_of("mnist")
    labels = protocol.labels(count) if model.classes else None
    seeds, rows = row_seeds(SEED, count), []
    for value in tqdm(VALUES[control], disable=None, leave=False):
        samples = model.sample(seeds, labels=labels, **{control: value})
        found = protocol.metrics(protocol.features(samples), labels)
        rows.append({control: value, **found})
    features, digits = protocol.real(SEED, count)
    real = protocol.metrics(features, None if labels is None else digits)
    folder = ROOT / "samples" / flags.recipe
    record = {"step": model.metadata.get("step"), "truncated": rows, "real": real}
    write_record(folder / "truncation.json", record)
    columns = {name: np.array([row[name] for row in rows]) for name in names}
    path = folder / "truncation.png"
    plot_panels(VALUES[control], columns, real, path, control)
    for row in rows:
        print(control, row[control], *(f"{name} {row[name]:.4g}" for name in names))


if __name__ == "__main__":
    sys.exit(command.run(main))
