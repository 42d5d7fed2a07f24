"""A trained model, however it is named: a run, a SavedModel, or one of the package."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tfgan_mnist import pretrained
from tfgan_mnist.data.grammar import check_prompt
from tfgan_mnist.data.images import checked
from tfgan_mnist.registry import DATASETS, NETWORKS, TASKS, is_own_judge
from tfgan_mnist.serving.saved_model import (
    check_saved_model,
    classes_of,
    flag_value,
)
from tfgan_mnist.system import interrupts
from tfgan_mnist.system.errors import UserError, nearest
from tfgan_mnist.system.flags import check_flags, flag, parse_flags, parse_numbers
from tfgan_mnist.training.run_directory import RunDirectory

if TYPE_CHECKING:  # they load TensorFlow, or take their time
    from PIL.Image import Image

    from tfgan_mnist.evaluation.protocols import Protocol
    from tfgan_mnist.serving.reader import LoadedModel
    from tfgan_mnist.visual.animation import Animation


@dataclasses.dataclass(frozen=True)
class Known:
    """What is known of a model before it is loaded; empty where it does not say."""

    dataset: str
    classes: int
    class_names: Sequence[str]
    vocabulary: Sequence[str]
    translates: Sequence[Sequence[int]]
    networks: str
    task: str


@dataclasses.dataclass(frozen=True)
class ModelFlags:
    """The flags that name a model; a command's own come after them.

    Raises:
      UserError: unless just one of ``sources`` is given.
    """

    sources: ClassVar[tuple[str, ...]] = ("run_dir", "saved_model", "pretrained")

    run_dir: str = flag(
        "",
        "Model",
        "folder of a run, finished or not: the model of its newest checkpoint",
    )
    saved_model: str = flag("", "Model", "or of a SavedModel")
    pretrained: str = flag(
        "",
        "Model",
        f"or one of the package: {', '.join(pretrained.names())}. A model that is the "
        "first word needs no flag",
    )
    best: bool = flag(
        False, "Model", "of a run: the step where its distance to the data was least"
    )

    def __post_init__(self):
        check_flags(self)
        given = [f"--{name}" for name in self.sources if getattr(self, name)]
        if len(given) != 1:
            *most, last = (f"--{name}" for name in self.sources)
            one = f"give one of {', '.join(most)} and {last}"
            if given:
                raise UserError(f"{' and '.join(given)} are both given: {one}")
            raise UserError(f"which model? {one}")
        if self.best and not self.run_dir:
            raise UserError("--best=true: is for a --run_dir")

    @property
    def source(self) -> str:
        """What the user gave."""
        return self.given.partition("=")[2]

    @property
    def given(self) -> str:
        """The same with its flag."""
        (name,) = (name for name in self.sources if getattr(self, name))
        return f"--{name}={getattr(self, name)}"

    def imitates(self) -> tuple[str, int]:
        """The data set, "" if the model does not say; its classes, 0 without labels.

        Needs no TensorFlow.

        Raises:
          UserError: if there is no such model.
        """
        return self._known.dataset, self._known.classes

    def draws(self) -> tuple[str, int]:
        """As ``imitates``, of a model that makes its samples from latents.

        Raises:
          UserError: if there is no such model, or it turns images into others.
        """
        found = self.imitates()
        if self.translates():
            raise UserError(
                f"{self.given}: turns images into others; give it some: tfgan-mnist "
                "translate"
            )
        return found

    def game(self) -> str:
        """The game that its networks play, "" if the model does not say.

        Needs no TensorFlow. Raises UserError if there is no such model.
        """
        name = self._known.networks
        return NETWORKS[name].game if name in NETWORKS else ""

    def predicts(self) -> bool:
        """Whether it turns frames of a video into the next. As ``game``."""
        return is_of_videos(self._known.task)

    def vocabulary(self) -> Sequence[str]:
        """The words that its prompts can be made of; empty if it takes none.

        Needs no TensorFlow. Raises UserError if there is no such model.
        """
        return self._known.vocabulary

    def class_names(self) -> Sequence[str]:
        """Of its classes, in order; empty if they have none. As ``vocabulary``."""
        return self._known.class_names

    def translates(self) -> Sequence[Sequence[int]]:
        """The shapes of the images that it turns into others, of each way; empty if it
        makes them from latents.

        Needs no TensorFlow.

        Raises:
          UserError: if there is no such model.
        """
        return self._known.translates

    def labels_or_prompts(
        self, classes: int, label: str, prompt: str, several: bool = True
    ) -> list[int] | list[str]:
        """The classes of ``--label`` or the sentences of ``--prompt``, as the model
        wants them; none if it takes none.

        Args:
          classes: the model's; 0 if it is not conditional.
          label: the flag's value, "" if it was not given.
          prompt: likewise.
          several: whether more than one may be given.

        Raises:
          UserError: if what the model wants is missing, or does not fit.
        """
        vocabulary, given = self.vocabulary(), f"--prompt={prompt}"
        if prompt and not vocabulary:
            raise UserError(
                f"{given}: {self.source} takes no prompt; models of the game stackgan "
                "do"
            )
        if vocabulary:
            if label:
                raise UserError(
                    f"--label={label}: {self.source} takes a --prompt instead"
                )
            if not prompt:
                raise UserError(
                    f"--prompt is missing: {self.source} draws what a sentence says; "
                    "give one, such as --prompt='a thin five leaning left'"
                )
            prompts = [one.strip() for one in prompt.split(";")]
            if len(prompts) > 1 and not several:
                raise UserError(f"{given}: give one sentence")
            for one in prompts:
                check_prompt(one, vocabulary, given)
            return prompts
        if not classes:
            if label:
                raise UserError(
                    f"--label={label}: {self.source} is not conditional; it takes no "
                    "label"
                )
            return []
        if not label:
            every = f", or --label=0-{classes - 1} for all of them" if several else ""
            raise UserError(
                f"--label is missing: {self.source} is conditional; give a class from "
                f"0 to {classes - 1}{every}"
            )
        names = self.class_names()
        if not several and not label.isdecimal() and label not in names:
            raise UserError(f"--label={label}: give one class from 0 to {classes - 1}")
        labels = _numbers(label, names)
        if max(labels) >= classes:
            raise UserError(
                f"--label={label}: {self.source} knows the classes 0 to {classes - 1}"
            )
        return labels

    @functools.cached_property
    def _known(self) -> Known:
        """Read once, as it may warn. Raises UserError if there is no such model."""
        if self.run_dir:
            config = RunDirectory(self.run_dir).read_config()
            return Known(
                config.dataset,
                config.classes,
                config.data.class_names,
                config.vocabulary,
                config.translated,
                config.networks,
                config.task,
            )
        if self.pretrained:
            metadata = pretrained.read_metadata(pretrained.find(self.pretrained))
        else:
            metadata = check_saved_model(self.saved_model)
        return Known(
            str(metadata.get("dataset", "")),
            classes_of(metadata),
            metadata.get("class_names", ()),
            metadata.get("vocabulary", ()),
            metadata.get("translates", ()),
            flag_value(metadata, "networks"),
            flag_value(metadata, "task"),
        )

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder of its SavedModel, at least while the context lasts.

        Raises:
          UserError: if there is no such model.
        """
        from tfgan_mnist import runner

        if self.saved_model:
            yield Path(self.saved_model)
        elif self.pretrained:
            with runner.pretrained_model(self.pretrained) as path:
                yield path
        else:
            with runner.model_of_run(self.run_dir, self.best) as path:
                yield path

    def load(self) -> LoadedModel:
        """The model. Raises UserError if there is none, or it cannot be loaded."""
        from tfgan_mnist.serving.reader import LoadedModel

        with self.folder() as path:
            return LoadedModel(path, self.given)


def _numbers(label: str, names: Sequence[str]) -> list[int]:
    """The classes that ``--label`` names, by number or by name.

    Raises:
      UserError: if it names none, or one that there is not.
    """
    if not names:
        return parse_numbers(label, "label", "a class", 1000)
    found: list[int] = []
    for word in map(str.strip, label.split(",")):
        if word in names and not word.isdecimal():
            found.append(names.index(word))
        elif not word[:1].isdecimal():
            raise UserError(
                f"--label={label}: {word!r} is no class; {nearest(word, names)}"
            )
        else:
            found += parse_numbers(word, "label", "a class", 1000)
    return found


def is_of_videos(task: str) -> bool:
    """Whether what a task makes are frames of videos."""
    return task in TASKS and TASKS[task].video


DIRECTIONS = {"forward": "translate", "backward": "translate_back"}
"""The signatures of the ways in which images are turned into others."""


def translated_shape(
    name: str, shapes: Sequence[Sequence[int]], direction: str, count: int
) -> tuple[int, ...]:
    """The height, width and channels of what a model takes, in a direction.

    Args:
      name: of the model, for error lines.
      shapes: of what it turns into something else: one or, if it knows the way back,
        two; empty if it translates nothing.
      direction: of ``DIRECTIONS``.
      count: translations that are asked for of each image.

    Raises:
      UserError: if it does not translate, or not that way, or has no noise for several
        translations.
    """
    _at_least_one(count=count)
    if not shapes:
        raise UserError(
            f"{name}: translates no images; tfgan-mnist sample draws from it"
        )
    if direction not in DIRECTIONS:
        raise UserError(f"--direction={direction}: give one of {', '.join(DIRECTIONS)}")
    if direction == "backward" and len(shapes) == 1:
        raise UserError(f"--direction=backward: {name} translates forward only")
    if count > 1 and len(shapes) > 1:
        raise UserError(
            f"--count={count}: {name} has no noise, so an image has only one "
            "translation; leave it out"
        )
    return tuple(shapes[list(DIRECTIONS).index(direction)])


def _at_least_one(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise UserError(f"--{name}={number}: must be at least 1")


def _source_of(name: str, sources: Sequence[str] = ModelFlags.sources) -> str:
    """Which of the sources has this name. Raises UserError if none has."""
    if pretrained.is_named(name):
        return "pretrained"
    if (Path(name) / "config.flags").is_file():
        return "run_dir"
    if Path(name).exists():
        marks = ("saved_model.pb", "saved_model", "variables")
        is_model = any((Path(name) / mark).exists() for mark in marks)
        return "images" if "images" in sources and not is_model else "saved_model"
    what = "file or folder" if "images" in sources else "folder"
    raise UserError(
        f"{name}: there is no such {what}, nor a pretrained model of this name; "
        + nearest(name, pretrained.names())
    )


def parse_model_flags(argv: Sequence[str], kind: type[ModelFlags]) -> dict[str, Any]:
    """As ``parse_flags``; but the first word may be the source, without its flag."""
    words = list(argv)
    if words and not words[0].startswith("-"):
        words[0] = f"--{_source_of(words[0], kind.sources)}={words[0]}"
    return parse_flags(words, kind)


def load(source: str | os.PathLike, best: bool = False) -> Model:
    """A trained model to draw from.

    >>> load("cdcgan_fast").show()

    Args:
      source: the folder of a run, whose newest checkpoint is taken, or of a SavedModel;
        or the name of a model of the package.
      best: of a run, the step where its distance to the data was least.

    Raises:
      UserError: if there is no such model, or it cannot be loaded.
    """
    name = os.fspath(source)
    flags = ModelFlags(**{_source_of(name): name}, best=best)
    flags.imitates()
    from tfgan_mnist.system.runtime import load_tensorflow

    with interrupts.deferred():
        load_tensorflow()
    return Model(flags.load(), flags.run_dir)


WALK_FRAMES = 24  # from one image to the next, at 20 a second
WALK_SCALES = 8, 3  # pixels of the animation a pixel of one image, or of several
WALK_COLUMNS = 5  # at most so many walks side by side


def protocol_of_run(run_dir: str) -> Protocol | None:
    """How a run measures itself that is on one's own images or has a judge of its own;
    None of any other run.

    Raises:
      UserError: if its judge, or without one its images, are not there any more.
    """
    # Whoever named the run has read its record, and was warned.
    config = RunDirectory(run_dir, warn=lambda line: None).read_config()
    if not (is_own_judge(config.judge) or config.data.place):
        return None
    from tfgan_mnist.build import build_protocol, load_data

    try:
        return build_protocol(config, None if config.judge else load_data(config))
    except UserError as error:
        raise UserError(f"{error}; or give --judge=FILE") from None


class Model:
    """A trained model, to draw from and to measure.

    Args:
      saved: the model as it was loaded.
      run_dir: the run that made it, if that is known, whose judge is then asked.

    Attributes:
      metadata: what made it.
      classes: labels are from 0 to below it; 0 if it takes none.
      kind: what it makes: "images", or a toy's "points".
    """

    def __init__(self, saved: LoadedModel, run_dir: str = ""):
        self.saved = saved
        self._run_dir = run_dir
        self.metadata = saved.metadata
        self.classes = saved.classes
        self.kind = saved.kind

    def __repr__(self) -> str:
        told = f", {self.classes} classes" if self.classes else ""
        recipe, step = (self.metadata.get(key, "?") for key in ("recipe", "step"))
        return f"<Model of {recipe} at step {step}: {self.kind}{told}>"

    def sample(
        self,
        count: int | None = None,
        labels: int | str | Sequence[int] | Sequence[str] | None = None,
        seed: int = 1,
        temperature: float = 1.0,
    ) -> np.ndarray:
        """Images [count, height, width, channels] in [0, 1], or a toy's points.

        The same as the command ``sample`` draws.

        Args:
          count: how many; by default up to 100, equally many of each label.
          labels: of a conditional model: a class by its number or, if it has one, its
            name, or several, with equally many of each in their order; all of them if
            None. Of one that draws what a sentence says also a sentence, or several.
          seed: the same one gives the same samples.
          temperature: factor on the latents: below 1 less variety, above 1 more.

        Raises:
          UserError: if the labels do not fit.
        """
        from tfgan_mnist.serving.reader import row_seeds

        count, some, _ = self._labels(count, labels)
        return self.saved.sample(row_seeds(seed, count), temperature, some)

    def show(
        self,
        count: int | None = None,
        labels: int | str | Sequence[int] | Sequence[str] | None = None,
        seed: int = 1,
        temperature: float = 1.0,
    ) -> Image:
        """What ``sample`` gives on one sheet, a class a row; a notebook shows it."""
        from PIL import Image

        samples = self.sample(count, labels, seed, temperature)
        _, _, rows = self._labels(count, labels)
        return Image.fromarray(self.picture(samples, rows))

    def walk(
        self,
        count: int | None = None,
        labels: int | str | Sequence[int] | Sequence[str] | None = None,
        seed: int = 1,
        temperature: float = 1.0,
    ) -> Animation:
        """From one image that ``sample`` gives to the next, and back to the first.

        Each label walks on its own, beside the others. By default there are ten images,
        or four of each label if that is more. (A stylegan's have one noise for all
        images, where ``sample`` has another for each.) A notebook shows it; its
        ``save`` writes it.

        Raises:
          UserError: as ``sample``, if the model makes no images, or if a walk has one
            image, from which there is nowhere to go.
        """
        from tfgan_mnist.serving.reader import row_seeds

        count, some, rows = self._labels(count, labels, most=10, least=4)
        walks = max(1, rows)
        if count == walks:
            raise UserError(
                f"--count={count}: one image a walk, which has nowhere to go; give at "
                f"least {2 * walks}"
            )
        return self.animation(row_seeds(seed, count), some, walks, temperature)

    def animation(
        self,
        seeds: np.ndarray,
        labels: np.ndarray | None,
        walks: int,
        temperature: float = 1.0,
    ) -> Animation:
        """Closed walks side by side, each through as many of the seeds' samples.

        Args:
          seeds: int64 [count], as ``row_seeds`` makes them.
          labels: [count], or None.
          walks: how many.
          temperature: factor on the latents.

        Raises:
          UserError: if the model makes no images.
        """
        from tfgan_mnist.serving.walks import Walks
        from tfgan_mnist.visual.animation import Animation
        from tfgan_mnist.visual.montage import montage

        if self.kind != "images":
            raise UserError(f"the model makes {self.kind}; only images are animated")
        way = Walks(self.saved)
        visited = np.split(way.points(seeds, temperature, labels), walks)
        told = [None] * walks if labels is None else np.split(labels, walks)
        seen = [
            way.closed(some, WALK_FRAMES, its_labels)
            for some, its_labels in zip(visited, told, strict=True)
        ]
        sheets = np.stack(
            [
                montage(np.stack(frames), min(WALK_COLUMNS, walks))
                for frames in zip(*seen, strict=True)
            ]
        )
        scale = WALK_SCALES[walks > 1]
        large = sheets.repeat(scale, axis=1).repeat(scale, axis=2)
        return Animation(large, frames_per_second=20)

    def translate(
        self,
        images: np.ndarray,
        count: int = 1,
        direction: str = "forward",
        seed: int = 1,
    ) -> np.ndarray:
        """What becomes of images, by a model of pix2pix or CycleGAN.

        The same as the command ``translate`` makes.

        Args:
          images: [pictures, height, width, channels], of the model's own shape; grey
            ones may lack the last. Floats in [0, 1], or whole numbers up to 255.
          count: translations of each, if the model has noise.
          direction: "forward", or "backward" for a model that knows both.
          seed: the same one gives the same translations.

        Returns:
          [pictures, count, height, width, channels] in [0, 1].

        Raises:
          UserError: if the model does not translate, or not so, or takes others.
        """
        from tfgan_mnist.serving.reader import row_seeds

        shapes = self.metadata.get("translates", ())
        shape = translated_shape("the model", shapes, direction, count)
        sources = checked(np.asarray(images), "images", shape[2])
        found = self.saved.translate(
            sources.repeat(count, axis=0),
            row_seeds(seed, len(sources) * count),
            DIRECTIONS[direction],
        )
        return found.reshape(len(sources), count, *found.shape[1:])

    def predict(
        self, video: np.ndarray, frames: int = 10, count: int = 1, seed: int = 1
    ) -> np.ndarray:
        """The frames that follow a video, each told those before it.

        Args:
          video: [frames, height, width], or with a last 1, of the model's own size, and
            at least as many as it is told: the last ones are. Values as for
            ``translate``.
          frames: how many to predict.
          count: continuations of it.
          seed: the same one gives the same continuations.

        Returns:
          [frames, count, height, width, 1] in [0, 1].

        Raises:
          UserError: if the model predicts no frames, or takes others.
        """
        from tfgan_mnist.serving.reader import row_seeds

        _at_least_one(frames=frames, count=count)
        if not is_of_videos(flag_value(self.metadata, "task")):
            raise UserError("the model predicts no frames; translate, or sample")
        told = checked(np.asarray(video), "video")[..., 0]
        (*_, history), *_ = self.metadata["translates"]
        if len(told) < history:
            raise UserError(
                f"video: {len(told)} frames are too few; to predict the next takes "
                f"{history}"
            )
        rows = np.stack([np.moveaxis(told[-history:], 0, -1)] * count)
        found = self.saved.predict(rows, row_seeds(seed, count), frames)
        return found.swapaxes(0, 1)

    def picture(self, samples: np.ndarray, rows: int = 0) -> np.ndarray:
        """Samples as uint8 pixels [height, width] or [height, width, 3].

        Args:
          samples: as ``sample`` gives them.
          rows: of a sheet of images; about as many as columns if 0.

        Raises:
          UserError: if they are points of which nobody says what they imitate.
        """
        if self.kind == "images":
            from tfgan_mnist.visual.montage import montage

            return montage(samples, len(samples) // rows if rows else None)
        from tfgan_mnist.evaluation.protocols import protocol_of

        dataset = self.metadata.get("dataset")
        if dataset not in DATASETS:
            raise UserError(
                f"{self.saved.path}: does not say what its points imitate, so they "
                "cannot be drawn; write .npy or .csv"
            )
        draw = protocol_of(dataset).picture
        assert draw, f"{dataset} is of points, and those are drawn"
        return draw(samples, self.saved.probability)

    def evaluate(
        self, data_dir: str = "", quick: bool = False, judge: str = ""
    ) -> dict[str, Any]:
        """Its metrics, as the command ``evaluate`` writes them.

        Args:
          data_dir: a folder with tensorflow-datasets' copy of MNIST, for more of them.
          quick: only those that are watched during a run, of fewer samples.
          judge: a file that the command ``judge`` wrote, or "mnist". Without one a run
            is measured as it measures itself.

        Raises:
          UserError: if nobody says how to measure it, or the judge cannot be read.
        """
        from tfgan_mnist.evaluation.judges import read_judge
        from tfgan_mnist.evaluation.protocols import protocol_of
        from tfgan_mnist.evaluation.report import measure

        own = read_judge(judge) if is_own_judge(judge) else None
        protocol = own.protocol if own else protocol_of(judge) if judge else None
        if self._run_dir and not protocol:
            protocol = protocol_of_run(self._run_dir)
        return measure(self.saved, quick=quick, data_dir=data_dir, protocol=protocol)

    def _labels(
        self,
        count: int | None,
        labels: int | str | Sequence[int] | Sequence[str] | None,
        most: int = 100,
        least: int = 1,
    ) -> tuple[int, np.ndarray | None, int]:
        """How many samples, one label for each, and the rows of a sheet.

        Without a count there are up to ``most`` of them, but at least ``least`` of each
        label. Without classes the labels are None, and the rows 0.
        """
        if count is not None and count < 1:
            raise UserError(f"--count={count}: must be at least 1")
        if not self.classes and labels is None:
            return count or most, None, 0
        some = np.atleast_1d(np.arange(self.classes) if labels is None else labels)
        names = self.metadata.get("class_names", ())
        if names and labels is not None and not self.metadata.get("vocabulary"):
            some = np.array([i for one in some for i in _numbers(str(one), names)])
        if not len(some):
            raise UserError("labels is empty: give one or more, or None for all")
        count = count or max(least, most // len(some)) * len(some)
        if count % len(some):
            raise UserError(
                f"{count} samples: must be a multiple of the {len(some)} labels"
            )
        rows = len(some) if len(some) > 1 else 0
        return count, np.repeat(some, count // len(some)), rows
