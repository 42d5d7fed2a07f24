"""The scores of a saved generator, by the protocol of the data that it imitates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from tfgan_mnist.errors import UserError
from tfgan_mnist.protocols import PROTOCOLS, even_labels
from tfgan_mnist.saving import SavedGenerator, row_seeds

SEEDS = (1, 2, 3)


def score(model: SavedGenerator, seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """Draws samples from seeds, and measures them.

    Args:
      model: one that says which data set it imitates.
      seeds: one set of samples each.

    Returns:
      ``recipe``, ``dataset``, ``step``; ``samples`` in a set and the ``seeds``; the
      ``judge`` that looked at them, if one did; and ``scores`` by name, each with
      ``mean`` and ``deviation`` over the seeds, and ``real``, the mean of fresh real
      samples, where those can be had.

    Raises:
      UserError: if the model does not say what it imitates.
    """
    dataset = str(model.metadata.get("dataset"))
    if dataset not in PROTOCOLS:
        raise UserError(
            f"{model.path}: does not say which data set it imitates; only models of "
            "this package can be scored"
        )
    protocol = PROTOCOLS[dataset]
    found, real = [], []
    for seed in tqdm(seeds, "scoring", disable=None, leave=False, unit="seed"):
        labels = even_labels(protocol.count, model.classes) if model.classes else None
        samples = model.sample(row_seeds(seed, protocol.count), labels=labels)
        found.append(protocol.figures(samples, labels))
        real.append(protocol.reference(seed))
    return {
        "recipe": model.metadata.get("recipe"),
        "dataset": dataset,
        "step": model.metadata.get("step"),
        "samples": protocol.count,
        "seeds": list(seeds),
        **({"judge": protocol.judged_by} if protocol.judged_by else {}),
        "scores": {
            name: {
                "mean": float(np.mean([one[name] for one in found])),
                "deviation": float(np.std([one[name] for one in found])),
            }
            | ({"real": float(np.mean([r[name] for r in real]))} if real[0] else {})
            for name in found[0]
        },
    }


def table(found: dict[str, Any]) -> str:
    """What ``score`` found, for people."""
    judge = f", {found['judge']}" if "judge" in found else ""
    lines = [
        f"{found['samples']:,} samples, mean ± deviation over {len(found['seeds'])} "
        f"seeds{judge}"
    ]
    with_real = any("real" in one for one in found["scores"].values())
    if with_real:
        lines.append(f"  {'':<18}{'generated':>20}{'real':>12}")
    for name, one in found["scores"].items():
        line = f"  {name:<18}{one['mean']:>10.4f} ± {one['deviation']:<7.4f}"
        if "real" in one:
            line += f"{one['real']:>12.4f}"
        lines.append(line.rstrip())
    return "\n".join(lines)
