"""A trained model, however it is named: a run, a SavedModel, or one of the package."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tfgan_mnist import pretrained
from tfgan_mnist.serving.saved_model import check_saved_model, classes_of, read_metadata
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.flags import check_flags, flag
from tfgan_mnist.training.run_directory import RunDirectory

if TYPE_CHECKING:  # it loads TensorFlow
    from tfgan_mnist.serving.reader import SavedGenerator


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
        "", "Model", "or one of the package: " + ", ".join(pretrained.names())
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
        if self.run_dir:
            config = RunDirectory(self.run_dir).read_config()
            return config.dataset, config.classes
        if self.pretrained:
            metadata = pretrained.read_metadata(pretrained.find(self.pretrained))
        else:
            check_saved_model(self.saved_model)
            metadata = read_metadata(Path(self.saved_model))
        return str(metadata.get("dataset", "")), classes_of(metadata)

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

    def load(self) -> SavedGenerator:
        """The model. Raises UserError if there is none, or it cannot be loaded."""
        from tfgan_mnist.serving.reader import SavedGenerator

        with self.folder() as path:
            return SavedGenerator(path, self.given)
