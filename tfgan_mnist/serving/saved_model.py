"""What can be known of a SavedModel without TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfgan_mnist.system.errors import UserError, path_errors

METADATA = Path("assets.extra") / "tfgan_mnist.json"
"""Where a SavedModel says which recipe, step, data and version made it."""


def check_saved_model(path: str | Path, flag: str = "--saved_model") -> None:
    """Raises UserError unless a folder looks like a SavedModel.

    Args:
      path: the folder.
      flag: what the user gave it as.
    """
    path = Path(path)
    with path_errors(f"{flag}={path}"):
        _check(path, flag)


def _check(path: Path, flag: str) -> None:
    if not path.exists():
        run_dir = path.parent
        unfinished = path.name == "saved_model" and (run_dir / "config.flags").is_file()
        hint = f": the run in {run_dir} has not come to its end" if unfinished else ""
        raise UserError(f"{flag}={path}: there is no such folder{hint}")
    if not (path / "saved_model.pb").is_file():
        inside = path / "saved_model"
        hint = f"; did you mean {inside}?" if inside.is_dir() else ""
        raise UserError(f"{flag}={path}: is no SavedModel (no saved_model.pb){hint}")
    if not (path / "variables" / "variables.index").is_file():
        raise UserError(f"{flag}={path}: the SavedModel lacks its variables")


def read_metadata(path: Path) -> dict[str, Any]:
    """What made a SavedModel; empty if it does not say."""
    try:
        metadata = json.loads((path / METADATA).read_text())
    except (OSError, ValueError):
        return {}
    return metadata if isinstance(metadata, dict) else {}


def classes_of(metadata: dict[str, Any]) -> int:
    """How many classes a model's label may be of; 0 if it takes none."""
    classes = metadata.get("classes", 0)
    return classes if isinstance(classes, int) else 0
