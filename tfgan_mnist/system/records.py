"""Records that a program left and a disk, or somebody, may have changed since."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from tfgan_mnist.system.errors import first_line, os_error
from tfgan_mnist.system.files import read_file


class DamagedError(Exception):
    """A record is not what its writer left; the message says what is wrong with it."""


def read_text(path: Path) -> str | None:
    """A record's text; None if there is none.

    Raises:
      DamagedError: if it cannot be read, or is no UTF-8.
    """
    try:
        return read_file(path).decode()
    except FileNotFoundError:
        if path.is_symlink():
            raise DamagedError("is a link that leads nowhere") from None
        return None
    except OSError as error:
        raise DamagedError(os_error(error)[0].removeprefix(f"{path}: ")) from None
    except UnicodeDecodeError:
        raise DamagedError("is no UTF-8 text") from None


def read_json(path: Path, schema: Any) -> dict[str, Any] | None:
    """A record in JSON as it was written; None if there is none.

    Args:
      path: the file.
      schema: a TypedDict that it must fit; it may hold more.

    Raises:
      DamagedError: if it cannot be read or does not fit.
    """
    text = read_text(path)
    if text is None:
        return None
    try:
        found = json.loads(text)
    except RecursionError:
        raise DamagedError("is nested too deeply") from None
    except ValueError as error:
        raise DamagedError(f"is no JSON: {first_line(error)}") from None
    return check(found, schema)


@dataclasses.dataclass(frozen=True)
class Table:
    """What a table of numbers over steps holds.

    Args:
      names: of the columns, "step" first; none if there is no header.
      rows: as they stand there, steps rising.
      flaw: what is wrong with the first line that is left out, or empty.
    """

    names: list[str]
    rows: list[list[str]]
    flaw: str = ""

    def numbers(self) -> dict[str, list[float]]:
        """The columns by name; NaN where one is empty."""
        columns = (
            zip(*self.rows, strict=True) if self.rows else ([] for _ in self.names)
        )
        return {
            name: [float(cell or "nan") for cell in column]
            for name, column in zip(self.names, columns, strict=True)
        }


def read_table(path: Path) -> Table:
    """A table in comma-separated values, without the lines that are damaged.

    A last line without its end is one that a killed process left: no flaw.

    Raises:
      DamagedError: if it cannot be read, or its header is none.
    """
    text = read_text(path)
    if text is None:
        return Table([], [], "is missing")
    header, *lines = [line.removesuffix("\r") for line in text.split("\n")[:-1]] or [""]
    names = header.split(",")
    plain = all(name.isidentifier() for name in names)
    if names[0] != "step" or len(set(names)) < len(names) or not plain:
        raise DamagedError("has no header" if not header else "has another header")
    rows: list[list[str]] = []
    flaw, last = "", -1
    for number, line in enumerate(lines, 2):
        row = line.split(",")
        try:
            if len(row) != len(names):
                raise ValueError(f"{len(row)} cells, not {len(names)}")
            step, *_ = int(row[0]), *(float(cell or "nan") for cell in row[1:])
            if not last < step < 2**31:
                raise ValueError(f"step {step} after step {max(last, 0)}")
        except ValueError as error:
            flaw = flaw or f"line {number}: {first_line(error)}"
            continue
        last = step
        rows.append(row)
    return Table(names, rows, flaw)


def check(found: Any, schema: Any) -> Any:
    """What was found, if it fits a schema; DamagedError if it does not."""
    from pydantic import ValidationError  # only here: it takes a tenth of a second

    try:
        _adapter(schema).validate_python(found, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise DamagedError(f"{where}: {first['msg'].lower()}") from None
    return found


@functools.cache
def _adapter(schema: Any):
    from pydantic import TypeAdapter

    return TypeAdapter(schema)


def checksums(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder, by its path in it."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(read_file(path)).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def check_files(folder: Path, sums: dict[str, str]) -> None:
    """Raises DamagedError unless the files of ``checksums`` are as they were."""
    for name, expected in sums.items():
        try:
            content = read_file(folder / name)
        except FileNotFoundError:
            raise DamagedError(f"lacks {name}") from None
        except OSError as error:
            raise DamagedError(os_error(error)[0].removeprefix(f"{folder}/")) from None
        if hashlib.sha256(content).hexdigest() != expected:
            raise DamagedError(f"{name} is not what was written")
