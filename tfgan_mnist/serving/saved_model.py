"""What can be known of a SavedModel without TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Required

from annotated_types import Ge, Le, Len
from typing_extensions import TypedDict

from tfgan_mnist.system.errors import UserError, path_errors
from tfgan_mnist.system.records import DamagedError, check_files, read_json

METADATA = Path("assets.extra") / "tfgan_mnist.json"
"""Where a SavedModel says which recipe, step, data and version made it."""

CONTROLS = {"truncation": 10.0, "truncation_psi": 1.0}
"""What some models can be told of a sample, and the value that changes nothing."""

_Count = Annotated[int, Ge(0), Le(2**31 - 1)]


class Metadata(TypedDict, total=False):
    """What made a SavedModel, as far as somebody asks. Models may say more, or less.

    ``vocabulary``: words that prompts can be made of. ``distance`` is of a run's best
    model, by the metric's name. ``files`` are the checksums of all that was written
    beside this record, since version 0.3.
    """

    recipe: Annotated[str, Len(1)]
    step: _Count
    seconds: Annotated[float, Ge(0)]
    dataset: Annotated[str, Len(1)]
    classes: _Count
    translates: list[Annotated[list[_Count], Len(3, 3)]]
    vocabulary: list[str]
    flags: dict[str, Any]
    distance: dict[str, float]
    files: dict[str, str]


class OwnMetadata(Metadata, total=False):
    """What a run's own models must say."""

    step: Required[_Count]
    seconds: Required[Annotated[float, Ge(0)]]
    dataset: Required[Annotated[str, Len(1)]]
    classes: Required[_Count]


def check_saved_model(path: str | Path, name: str = "") -> dict[str, Any]:
    """What made a SavedModel, once it is seen to be as it was written.

    Args:
      path: the folder.
      name: what it is called in an error; by default the flag that gives it.

    Returns:
      As ``read_metadata``.

    Raises:
      UserError: if it is no SavedModel, or is damaged.
    """
    path, name = Path(path), name or f"--saved_model={path}"
    with path_errors(name):
        _check(path, name)
    metadata = read_metadata(path, name)
    try:
        check_files(path, metadata.get("files", {}))
    except DamagedError as damage:
        raise UserError(
            f"{name}: is damaged ({damage}); the command that trained it writes it anew"
        ) from None
    return metadata


def _check(path: Path, name: str) -> None:
    if not path.exists():
        run_dir = path.parent
        unfinished = path.name == "saved_model" and (run_dir / "config.flags").is_file()
        hint = f": the run in {run_dir} has not come to its end" if unfinished else ""
        raise UserError(f"{name}: there is no such folder{hint}")
    if not (path / "saved_model.pb").is_file():
        inside = path / "saved_model"
        hint = f"; did you mean {inside}?" if inside.is_dir() else ""
        raise UserError(f"{name}: is no SavedModel (no saved_model.pb){hint}")
    if not (path / "variables" / "variables.index").is_file():
        raise UserError(f"{name}: the SavedModel lacks its variables")


def read_metadata(path: Path, name: str = "") -> dict[str, Any]:
    """What made a SavedModel; empty if it does not say, as one of somebody else's.

    Raises:
      UserError: if what it says is damaged: how to ask for its samples stands there.
    """
    try:
        return read_json(path / METADATA, Metadata) or {}
    except DamagedError as damage:
        raise UserError(
            f"{name or f'--saved_model={path}'}: {METADATA} is damaged ({damage}); the "
            "command that trained it writes it anew"
        ) from None


def check_own_model(path: Path) -> dict[str, Any]:
    """The metadata of a model that a run has written, once it is seen to be whole.

    Raises:
      DamagedError: if it is not; the message says what is wrong.
    """
    if not path.exists():
        raise DamagedError("is missing")
    metadata = read_json(path / METADATA, OwnMetadata)
    if metadata is None:
        raise DamagedError(f"lacks {METADATA}")
    try:
        _check(path, "")
    except UserError:
        raise DamagedError("is no whole SavedModel") from None
    check_files(path, metadata.get("files", {}))
    return metadata


def check_outside(path: Path, name: str) -> None:
    """Raises UserError if a path to write to lies in a SavedModel, as part of which it
    would be taken, or be replaced with it.

    Args:
      path: need not exist.
      name: the flag and its value.
    """
    with path_errors(name):
        for folder in [path, *path.resolve().parents]:
            if (folder / "saved_model.pb").exists():
                raise UserError(f"{name}: lies in the model {folder}; choose another")


def flag_value(metadata: dict[str, Any], name: str) -> str:
    """A flag of the run that made a model, "" if the model does not say."""
    return str(metadata.get("flags", {}).get(name, ""))


def classes_of(metadata: dict[str, Any]) -> int:
    """How many classes a model's label may be of; 0 if it takes none."""
    return metadata.get("classes", 0)
