"""Measures samples by the protocol of the data that they imitate."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Required

import numpy as np
from annotated_types import Ge, Le, Len
from typing_extensions import TypedDict

from tfgan_mnist.data.images import checked, evenly_spaced
from tfgan_mnist.data.mnist import mnist, mnist5k
from tfgan_mnist.data.pairs import brightest
from tfgan_mnist.evaluation.metrics.accuracy import classification_accuracy
from tfgan_mnist.evaluation.metrics.copying import CELLS, data_copying
from tfgan_mnist.evaluation.metrics.judge import VERSION, Judge, load_judge
from tfgan_mnist.evaluation.metrics.nearest import (
    memorisation,
    nearest_distances,
    nearest_images,
)
from tfgan_mnist.evaluation.metrics.path_length import EPSILON, path_length
from tfgan_mnist.evaluation.metrics.walks import walk_metrics
from tfgan_mnist.evaluation.protocols import (
    Metrics,
    Protocol,
    balanced_labels,
    counted,
    protocol_of,
)
from tfgan_mnist.evaluation.translations import (
    judged_metrics,
    masked_error,
    pair_metrics,
)
from tfgan_mnist.registry import DATASETS
from tfgan_mnist.serving.reader import LoadedModel, row_seeds
from tfgan_mnist.serving.walks import Walks
from tfgan_mnist.system import progress
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.visual.montage import montage

SEEDS = (1, 2, 3)
NEAREST = 1_000
WALKS, WALK_FRAMES = 20, 60
PAIRS = 200  # of random samples, that changes in walks are compared with
STEPS = 1_000  # short ones, that path length is measured by


class Summary(TypedDict, total=False):
    """Of a metric over the seeds, and of real samples."""

    mean: Required[float]
    std: Required[Annotated[float, Ge(0)]]
    real: float


class Report(TypedDict, total=False):
    """What ``measure`` answers, as a run keeps it."""

    step: Required[Annotated[int, Ge(0), Le(2**31 - 1)]]
    samples: Required[Annotated[int, Ge(1)]]
    seeds: Required[Annotated[list[int], Len(1)]]
    metrics: Required[Annotated[dict[str, Summary], Len(1)]]
    judge: str


@dataclasses.dataclass(frozen=True)
class RealImages:
    """Images that some metrics compare with, pixel by pixel.

    Args:
      training, training_labels: what a model was trained on, uint8 [count, 28, 28, 1]
        and int [count].
      held_out, held_out_labels: MNIST's test images, which it has never seen.
    """

    training: np.ndarray
    training_labels: np.ndarray
    held_out: np.ndarray
    held_out_labels: np.ndarray

    @functools.cached_property
    def _training(self) -> np.ndarray:
        return self.training / np.float32(255.0)

    @functools.cached_property
    def _held_out(self) -> tuple[np.ndarray, np.ndarray]:
        return self._compared(self.held_out / np.float32(255.0))

    @functools.cached_property
    def _cells(self) -> Any:
        """A ``KMeans`` of some of the training images, for ``data_copying``."""
        from sklearn.cluster import KMeans

        some = self._training[evenly_spaced(len(self._training), 10 * NEAREST)]
        return KMeans(CELLS, n_init=1, random_state=0).fit(some.reshape(len(some), -1))

    def _compared(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distances to the training images, and cells.

        Of at most ``NEAREST`` images, spread evenly.
        """
        images = images[evenly_spaced(len(images), NEAREST)].astype(np.float32)
        cells = self._cells.predict(images.reshape(len(images), -1))
        return nearest_distances(images, self._training), cells

    def beside(self, images: np.ndarray, count: int = 9) -> np.ndarray:
        """Ten images [count, 28, 28, 1] in [0, 1] beside their nearest training images.

        The first row has the image that is nearest to any of them, the last the one
        that is furthest from all.

        Returns:
          uint8 pixels: in each row an image, and ``count`` training images.
        """
        distances, _ = self._compared(images)
        images = images[evenly_spaced(len(images), NEAREST)]
        order = np.argsort(distances)
        shown = images[order[evenly_spaced(len(order), 10)]]
        rows = nearest_images(shown, self._training, count)
        sheet = np.concatenate([shown[:, np.newaxis], self._training[rows]], axis=1)
        return montage(sheet.reshape(-1, *sheet.shape[2:]), 1 + count)

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> Metrics:
        """On held-out images, of a classifier that learned from images [0, 1]."""
        accuracy = classification_accuracy(
            images, labels, self.held_out / np.float32(255.0), self.held_out_labels
        )
        return counted({"accuracy": accuracy}, len(images))

    def metrics(self, images: np.ndarray, labels: np.ndarray | None) -> Metrics:
        """Of images [count, 28, 28, 1] in [0, 1], and the labels asked for, if any."""
        distances, cells = self._compared(images)
        near = memorisation(distances, self._held_out[0])
        copying = data_copying(distances, cells, *self._held_out)
        if np.isfinite(copying):  # there are enough samples
            near["data_copying"] = copying
        learned = {} if labels is None else self.accuracy(images, labels)
        return counted(near, len(distances)) | learned

    def reference(self, count: int, labelled: bool) -> Metrics:
        """The metrics of held-out images; accuracy is of so many training images."""
        distances, cells = self._held_out
        near = memorisation(distances, distances)
        near["data_copying"] = data_copying(distances, cells, distances, cells)
        found = counted(near, min(count, len(distances)))
        if labelled:
            some = evenly_spaced(len(self.training), count)
            found |= self.accuracy(self._training[some], self.training_labels[some])
        return found


def real_images(dataset: str, data_dir: str) -> RealImages:
    """The training images of a data set, and MNIST's test images.

    Raises:
      UserError: if there is no copy in ``data_dir``.
    """
    training = mnist5k() if dataset == "mnist5k" else mnist(data_dir)
    return RealImages(*training, *mnist(data_dir, "test"))


def latent_metrics(
    model: LoadedModel,
    seed: int,
    perceive: Callable[[np.ndarray], np.ndarray],
) -> Metrics:
    """How a model's images change on walks through its latents, or its styles.

    A walk, a pair and a step keep to one label, where a model takes some, and all
    labels have as many.

    Args:
      model: one that takes latents.
      seed: of the walks, which are not between that seed's samples.
      perceive: images → features, for ``path_length``.
    """
    way = Walks(model)

    def drawn(place: int, count: int) -> tuple[np.ndarray, np.ndarray, Any]:
        seeds = row_seeds(seed, 2 * count) + (place << 24)
        labels = np.arange(count) % model.classes if model.classes else None
        of_both = None if labels is None else np.tile(labels, 2)
        starts, ends = np.split(way.points(seeds, labels=of_both), 2)
        return starts, ends, labels

    def images(points: np.ndarray, labels: Any) -> np.ndarray:
        each = points.shape[1]
        flat = points.reshape(-1, *points.shape[2:])
        found = way.images(flat, None if labels is None else labels.repeat(each))
        return found.reshape(len(points), each, *found.shape[1:])

    starts, ends, labels = drawn(1, WALKS)
    shares = np.tile(np.linspace(0.0, 1.0, WALK_FRAMES), [WALKS, 1])
    walks = images(way.between(starts, ends, shares), labels)
    starts, ends, labels = drawn(2, PAIRS)
    pairs = images(np.stack([starts, ends], axis=1), labels)
    starts, ends, labels = drawn(3, STEPS)
    shares = np.random.default_rng(seed).uniform(0.0, 1.0 - EPSILON, [STEPS, 1])
    shares = np.concatenate([shares, shares + EPSILON], axis=1)
    here, there = np.moveaxis(images(way.between(starts, ends, shares), labels), 1, 0)
    length = path_length(perceive(here), perceive(there))
    return walk_metrics(walks, pairs) | counted({"path_length": length}, STEPS)


def measure(
    model: LoadedModel,
    seeds: Sequence[int] = SEEDS,
    quick: bool = False,
    data_dir: str = "",
    protocol: Protocol | None = None,
) -> dict[str, Any]:
    """Draws samples from seeds, and measures them.

    Args:
      model: one of images is taken to imitate MNIST unless it says another data set.
      seeds: one set of samples each.
      quick: only what is watched during a run, of as many samples as there.
      data_dir: a prepared copy of MNIST; with it images are compared with training
        images, and those of a conditional model are learned from.
      protocol: of another judge than the packaged one of digits.

    Returns:
      ``recipe``, ``dataset``, ``step``; ``samples`` in a set and the ``seeds``; the
      ``judge`` that looked at them, if one did; and ``metrics`` by name, each with
      ``mean`` and ``std`` over the seeds, and ``real``, the mean of real samples
      that no model was trained on (for accuracy, of the training images).

    Raises:
      UserError: if it cannot be told what the model imitates, it makes something else
        than grey images in [0, 1], or ``data_dir`` is given for what makes no single
        digits, or holds no copy.
    """
    own = "dataset" in model.metadata
    dataset = model.metadata.get("dataset", "mnist" if model.kind == "images" else None)
    if dataset is None:
        raise UserError(f"{model.path}: does not say which data set it imitates")
    if not protocol and (not isinstance(dataset, str) or dataset not in DATASETS):
        raise UserError(
            f"{model.path}: says it imitates {dataset!r}; without a judge there are "
            f"metrics only for {', '.join(DATASETS)}. tfgan-mnist judge makes one, "
            "for --judge=FILE"
        )
    if protocol and protocol.perceive and model.kind != "images":
        raise UserError(
            f"{model.path}: makes {model.kind}, and a judge knows images; leave out "
            "--judge"
        )
    if protocol and data_dir:
        raise UserError(
            f"--data_dir={data_dir}: adds comparisons with MNIST's images, which have "
            "no place beside another judge's; leave it out"
        )
    protocol = protocol or protocol_of(dataset)
    count = protocol.quick_count if quick else protocol.count
    labels = None
    if model.classes:
        labels = balanced_labels(count, model.classes)
        labels = protocol.labels(count) if protocol.labels else labels
        if labels.max() >= model.classes:
            raise UserError(
                f"{model.path}: has {model.classes} classes, but {protocol.judge} "
                "knows more; give another --judge"
            )

    def draw(seed: int) -> np.ndarray:
        samples = model.sample(row_seeds(seed, count), labels=labels)
        if not np.isfinite(samples).all():
            raise UserError(f"{model.path}: its samples are not finite numbers")
        # A model of somebody else's may make anything.
        return samples if own else checked(samples, str(model.path))

    if data_dir and protocol.labels is None:  # no digits, or several at once
        raise UserError(
            f"--data_dir={data_dir}: {model.path} makes no images to compare with "
            "MNIST's; leave it out"
        )
    real = real_images(dataset, data_dir) if data_dir else None
    walks = None
    if not quick and protocol.perceive and model.takes_latents:
        walks = functools.partial(latent_metrics, model, perceive=protocol.perceive)
    return {
        "recipe": model.metadata.get("recipe"),
        "dataset": dataset,
        "step": model.metadata.get("step"),
        **_measured(protocol, draw, labels, seeds, count, quick, real, walks),
    }


def measure_translations(
    model: LoadedModel,
    sources: np.ndarray,
    protocol: Protocol,
) -> dict[str, Any]:
    """Translates images, and measures what they have become.

    Args:
      model: translates.
      sources: [count, height, width, channels] in [0, 1].
      protocol: knows the targets of just these.

    Returns:
      as ``measure``.
    """

    def draw(seed: int) -> np.ndarray:
        return model.translate(sources, row_seeds(seed, len(sources)))

    def metrics(samples: np.ndarray, labels: np.ndarray | None) -> Metrics:
        # Of a translation that is its target the signal-to-noise ratio is infinite.
        found = protocol.metrics(samples, labels)
        return {name: x for name, x in found.items() if x != math.inf}

    finite = dataclasses.replace(protocol, metrics=metrics)
    return {
        "recipe": model.metadata.get("recipe"),
        "dataset": model.metadata.get("dataset"),
        "step": model.metadata.get("step"),
        **_measured(finite, draw, None, (1,), len(sources), False, None),
    }


def measure_pairs(
    images: np.ndarray,
    targets: np.ndarray,
    masks: np.ndarray | None = None,
    judge: Judge | None = None,
) -> dict[str, Any]:
    """How near images come to their targets, both [count, height, width, 3] in [0, 1].

    Args:
      images, targets: in one order.
      masks: bool [count, height, width], where the error is taken too.
      judge: trained; says whether the class is kept.

    Returns:
      as ``measure``; of one set, and without ``real``.
    """
    found = pair_metrics(images, targets)
    if masks is not None:
        found["l1_masked"] = masked_error(images, targets, masks)
    if judge:
        seen = images, targets
        if judge.channels == 1:
            seen = brightest(images), brightest(targets)
        own = None if judge.version == VERSION else judge
        found |= judged_metrics(*seen, judge=own)
    # Of pictures that are the same there is no finite signal-to-noise ratio.
    finite = {name: x for name, x in found.items() if np.isfinite(x)}
    found = counted(finite, len(images))
    return {
        "samples": len(images),
        "seeds": [1],
        **({"judge": judge.version} if judge else {}),
        "metrics": {n: {"mean": x, "std": 0.0} for n, x in found.items()},
    }


def measure_images(
    images: np.ndarray,
    data_dir: str = "",
    protocol: Protocol | None = None,
    dataset: str = "mnist",
) -> dict[str, Any]:
    """Measures images [count, height, width, channels] in [0, 1], whoever made them.

    They are taken to imitate MNIST, or what the judge of another protocol knows.

    Of more than the protocol's count, so many are taken, evenly spaced.

    Raises:
      UserError: if ``data_dir`` holds no copy.
    """
    protocol = protocol or protocol_of("mnist")
    images = images[evenly_spaced(len(images), protocol.count)]
    real = real_images("mnist", data_dir) if data_dir else None
    found = _measured(
        protocol, lambda seed: images, None, (1,), len(images), False, real
    )
    return {"dataset": dataset, **found}


def _measured(
    protocol: Protocol,
    draw: Callable[[int], np.ndarray],
    labels: np.ndarray | None,
    seeds: Sequence[int],
    count: int,
    quick: bool,
    real: RealImages | None,
    walks: Callable[[int], Metrics] | None = None,
) -> dict[str, Any]:
    """What ``measure`` says of the samples that ``draw`` makes of each seed.

    ``walks`` adds what is measured of other samples from that seed.
    """
    metrics = protocol.quick_metrics if quick else protocol.metrics
    found, reference = [], []
    last, of_real = np.empty(0), Metrics()
    for seed in progress.bar(seeds, "measuring", leave=False, unit="set"):
        samples = draw(seed)
        found.append(metrics(protocol.features(samples), labels))
        features, digits = protocol.real(seed, count)
        # All seeds have the same where all held-out images are taken.
        if not np.array_equal(features, last):
            of_real = metrics(features, None if labels is None else digits)
        reference.append(of_real)
        last = features
        if real:
            found[-1] |= real.metrics(load_judge().resized(samples), labels)
        if walks:
            found[-1] |= walks(seed)
    if real:
        reference[0] = reference[0] | real.reference(count, labels is not None)

    def summary(name: str) -> dict[str, float]:
        values = [one[name] for one in found]
        ideal = [one[name] for one in reference if np.isfinite(one.get(name, np.nan))]
        return {
            "mean": float(np.mean(values)),
            "std": float(np.std(values)),
            **({"real": float(np.mean(ideal))} if ideal else {}),
        }

    return {
        "samples": count,
        "seeds": list(seeds),
        **({"judge": protocol.judge} if protocol.judge else {}),
        "metrics": {name: summary(name) for name in found[0]},
    }


def nearest_picture(source: LoadedModel | np.ndarray, data_dir: str) -> np.ndarray:
    """Samples of a model that imitates MNIST, or images, as ``RealImages.beside``."""
    dataset = "mnist"
    if isinstance(source, LoadedModel):
        dataset = source.metadata.get("dataset", dataset)
        labels = np.arange(NEAREST) % source.classes if source.classes else None
        source = source.sample(row_seeds(SEEDS[0], NEAREST), labels=labels)
    return real_images(dataset, data_dir).beside(load_judge().resized(source))


def table(found: dict[str, Any]) -> str:
    """What ``measure`` found, for people."""
    judge = f", {found['judge']}" if "judge" in found else ""
    several = len(found["seeds"]) > 1
    over = f", mean ± std over {len(found['seeds'])} seeds" if several else ""
    lines = [f"{found['samples']:,} samples{over}{judge}"]
    lines.append(f"  {'':<22}{'generated':>20}{'real':>12}")
    for name, one in found["metrics"].items():
        line = f"  {name:<22}{one['mean']:>10.4f}"
        line += f" ± {one['std']:<7.4f}" if several else " " * 10
        if "real" in one:
            line += f"{one['real']:>12.4f}"
        lines.append(line.rstrip())
    return "\n".join(lines)
