"""What is measured of images that others were turned into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfgan_mnist.evaluation.metrics import judge as judges
from tfgan_mnist.evaluation.metrics.digits import class_agreement
from tfgan_mnist.evaluation.metrics.frechet import FEWEST, frechet_distance
from tfgan_mnist.evaluation.metrics.similarity import psnr, ssim
from tfgan_mnist.evaluation.protocols import Metrics, Protocol, counted

Ink = Callable[[np.ndarray], np.ndarray]


def pair_metrics(outputs: np.ndarray, targets: np.ndarray) -> Metrics:
    """How near outputs come to their targets, both [count, ...] in [0, 1]."""
    return {
        "l1": float(np.mean(np.abs(outputs - targets))),
        "psnr": psnr(outputs, targets),
        "ssim": ssim(outputs, targets),
    }


def masked_error(outputs: np.ndarray, targets: np.ndarray, masks: np.ndarray) -> float:
    """The mean absolute difference where a mask, bool [count, height, width], is."""
    return float(np.mean(np.abs(outputs - targets)[masks]))


def judged_metrics(
    outputs: np.ndarray,
    targets: np.ndarray,
    labels: np.ndarray | None = None,
    judge: judges.Judge | None = None,
) -> Metrics:
    """Whether a judge still reads the class, and how far it sees both sets apart.

    Args:
      outputs, targets: [count, height, width, channels] in [0, 1]; for the packaged
        judge, digits bright on black.
      labels: int [count], the classes; None: what it reads in the targets.
      judge: trained; by default the packaged one of digits.

    Returns:
      ``digit_kept`` (of another judge, ``class_kept``), the share of outputs in which
      it reads the label; ``fcd``, between outputs and targets, of 100 at least.
    """
    kind = "class" if judge else "digit"
    judge = judge or judges.load_judge()
    found, there = judge.features(outputs), judge.features(targets)
    if labels is None:
        labels = judge.classes_of(there)
    metrics = {f"{kind}_kept": class_agreement(judge.classes_of(found), labels)}
    if len(outputs) >= FEWEST:
        mean, covariance = there.mean(axis=0), np.cov(there, rowvar=False)
        metrics["fcd"] = frechet_distance(found, mean, covariance)
    return metrics


def translations(
    examples: Mapping[str, Any], ink: Ink | None, paired: bool = True
) -> Protocol:
    """The protocol of what became of just these examples.

    Args:
      examples: ``samples`` in [-1, 1], the targets, and ``labels`` of the sources.
      ink: from images in [0, 1] to what the judge reads; None if they show no digits.
      paired: whether an example's target is its own.
    """
    targets = np.asarray(examples["samples"]) * 0.5 + 0.5
    count = len(targets)

    def metrics(outputs: np.ndarray, labels: np.ndarray | None = None) -> Metrics:
        found = pair_metrics(outputs, targets) if paired else {}
        if ink:
            known = np.asarray(examples["labels"])
            found |= judged_metrics(ink(outputs), ink(targets), known)
        return counted(found, count)

    nearest = "fcd" if ink else "l1" if paired else ""
    return Protocol(
        count,
        count,
        metrics,
        metrics,
        real=lambda seed, count: (targets, None),
        judge=judges.VERSION if ink else "",
        distance=nearest and next(iter(counted({nearest: 0.0}, count))),
    )
