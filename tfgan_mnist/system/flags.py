"""Command line flags from dataclasses: declared, parsed, checked and explained.

absl does the parsing. No TensorFlow is needed, so that ``--help`` and every mistake are
answered at once.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from absl import flags

from tfgan_mnist.system.errors import UserError, nearest, path_errors
from tfgan_mnist.system.files import read_file

LARGEST_INT = 2**31 - 1
"""TensorFlow counts with 32 bits; also the most steps of a run."""

_LARGEST_FLOAT, _SMALLEST_FLOAT = 3.4028234e38, 1.1754944e-38  # with 32 bits


@dataclasses.dataclass(frozen=True)
class Flag:
    """What a flag is, beside its name and type (those are the dataclass field's)."""

    group: str
    help: str
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str | int, ...] = ()
    same_run: bool = True  # may not differ when a run is resumed
    games: tuple[str, ...] = ()  # that it is for; for every one if empty


def flag(default: Any, group: str, help: str, **options: Any) -> Any:
    """A dataclass field that is also a command line flag."""
    return dataclasses.field(
        default=default, metadata={"flag": Flag(group, help, **options)}
    )


def flag_of(field: dataclasses.Field) -> Flag:
    return field.metadata["flag"]


_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}


def check_flags(config: Any) -> None:
    """Raises UserError unless every flag of a dataclass is of its type and range."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.type == "float" and type(value) is int:
            object.__setattr__(config, field.name, float(value))
        elif field.type == "str" and isinstance(value, os.PathLike):
            object.__setattr__(config, field.name, os.fspath(value))
        elif type(value).__name__ != field.type:
            raise UserError(f"--{field.name}={value!r}: must be {_KINDS[field.type]}")
        value = getattr(config, field.name)
        if field.type == "str":
            _check_text(field.name, value)
        _check(field.name, value, flag_of(field))


def _check_text(name: str, value: str) -> None:
    """Raises UserError unless a text survives a line of a UTF-8 flagfile."""
    shown = f"--{name}={value!r}"
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        raise UserError(f"{shown}: must not hold line ends or other control characters")
    if any(0xD800 <= ord(letter) < 0xE000 for letter in value):
        raise UserError(f"{shown}: is not UTF-8 text")
    if value != value.strip():
        raise UserError(f"{shown}: must not begin or end with a space")


def _check(name: str, value: Any, rule: Flag) -> None:
    """Raises UserError unless a flag's value is in its range."""
    if rule.choices and value not in rule.choices:
        known = rule.choices
        if not isinstance(value, str):
            raise UserError(f"--{name}={value}: must be one of {[*known]}")
        raise UserError(
            f"--{name}={value}: there is no such value; " + nearest(value, known)
        )
    high = rule.high
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UserError(f"--{name}={value}: must be a finite number")
        if value and not _SMALLEST_FLOAT <= abs(value) <= _LARGEST_FLOAT:
            raise UserError(f"--{name}={value}: does not fit in 32 bits")
    elif type(value) is int and high is None:
        high = LARGEST_INT
    for bound, broken, words in (
        (rule.low, lambda b: value < b, "at least"),
        (rule.above, lambda b: value <= b, "above"),
        (high, lambda b: value > b, "at most"),
        (rule.below, lambda b: value >= b, "below"),
    ):
        if bound is not None and broken(bound):
            raise UserError(f"--{name}={value}: must be {words} {bound}")


Renamed = Mapping[str, Callable[[bool], str]]
"""Boolean flags that are no more, by name: from their value to the flag of today."""


def parse_flags(
    argv: Sequence[str],
    config_class: type,
    switches: Sequence[str] = (),
    find_flagfile: Callable[[str], Any] = str,
    renamed: Renamed = MappingProxyType({}),
    words: list[str] | None = None,
) -> dict[str, Any]:
    """The values of a dataclass's flags on a command line (without the program).

    ``--flagfile`` is followed. Of a flag given twice the later counts.

    Args:
      argv: the words.
      config_class: its fields are made by ``flag``.
      switches: more flags, off by default, that belong to the command alone.
      find_flagfile: from what is given as ``--flagfile`` to its path.
      renamed: flags of earlier versions; one of today beside it counts instead.
      words: gets the words that belong to no flag, which are refused without it.

    Raises:
      UserError: for an unknown flag, a value of the wrong type, a missing flagfile or
        a word that belongs to no flag.
    """
    values = flags.FlagValues()
    define = {
        "str": flags.DEFINE_string,
        "int": flags.DEFINE_integer,
        "float": flags.DEFINE_float,
        "bool": flags.DEFINE_bool,
    }
    fields = dataclasses.fields(config_class)
    for field in fields:
        define[field.type](
            field.name, field.default, flag_of(field).help, flag_values=values
        )
    for name in switches:
        flags.DEFINE_bool(name, False, "", flag_values=values)
    for name in renamed:
        flags.DEFINE_bool(name, None, "", flag_values=values)
    files: list[str] = []
    expanded = [*_expand_flagfiles(argv, find_flagfile, files)]
    try:
        rest = values(["", *expanded])[1:]
        old = {name: values[name].value for name in renamed if values[name].present}
        today = [f"--{renamed[name](value)}" for name, value in old.items()]
        today = [w for w in today if not values[w[2:].partition("=")[0]].present]
        if today:
            values(["", *expanded, *today])
    except flags.IllegalFlagValueError as error:
        # absl's own words after the flag and its value are for programmers.
        name, _, value = str(error).removeprefix("flag --").partition("=")
        kind = next((f.type for f in fields if f.name == name), "bool")
        value = value.split(": ", 1)[0]
        raise UserError(f"--{name}={value}: must be {_KINDS[kind]}") from None
    except flags.Error as error:
        message = " ".join(str(error).split())
        message = message[0].lower() + message[1:]
        unknown = getattr(error, "flagname", "")
        if unknown and "Did you mean" not in message:
            message += "; --help shows what there is"
        if files and not any(word.lstrip("-").startswith(unknown) for word in argv):
            message = f"{' '.join(files)}: {message}"
        raise UserError(message) from None
    if words is not None:
        words += rest
    elif rest:
        raise UserError(f"{rest[0]!r}: belongs to no flag; write --flag=value")
    names = [*(field.name for field in fields), *switches]
    return {name: values[name].value for name in names}


def _expand_flagfiles(
    argv: Sequence[str],
    find_flagfile: Callable[[str], Any],
    files: list[str],
    inside: tuple[str, ...] = (),
) -> Iterator[str]:
    """Words, with what a flagfile holds in its place.

    absl would open it in the locale's encoding, which may be ASCII.

    Args:
      argv, find_flagfile: as for ``parse_flags``.
      files: gets what is read, as ``--flagfile=PATH``.
      inside: the files that these words are from.
    """
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if name not in ("-flagfile", "--flagfile"):
            yield word
            continue
        value = value if equals else next(words, "")
        with path_errors(f"--flagfile={value}"):
            path = find_flagfile(value)
            file = f"--flagfile={path}"
            if file in inside:
                raise UserError(f"{file}: includes itself")
            content = read_file(path)
        try:
            lines = [line.strip() for line in content.decode().split("\n")]
        except UnicodeDecodeError:
            raise UserError(f"{file}: is not UTF-8 text") from None
        files.append(file)
        some = [line for line in lines if line and not line.startswith(("#", "//"))]
        yield from _expand_flagfiles(some, find_flagfile, files, (*inside, file))


def parse_numbers(text: str, flag_name: str, what: str, most: int) -> list[int]:
    """The numbers that a flag names: "5", "0-9", "3,1,4" or a mixture.

    Args:
      text: the flag's value.
      flag_name: its name.
      what: what each number stands for.
      most: as many at most in a range.

    Raises:
      UserError: if it names none.
    """
    numbers: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", part)
        if not match:
            raise UserError(
                f"--{flag_name}={text}: must be {what}, or several: 0-9 or 3,1,4"
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last - first >= most:
            raise UserError(f"--{flag_name}={text}: {part.strip()} is no range of them")
        numbers += range(first, last + 1)
    return numbers


def grouped_help(config_class: type) -> str:
    """Every flag with its default and meaning, under its group's heading."""
    groups: dict[str, list[str]] = {}
    for field in dataclasses.fields(config_class):
        rule = flag_of(field)
        lines = groups.setdefault(rule.group, ["", f"{rule.group}:"])
        default = field.default
        if isinstance(default, bool):
            name = f"  --[no]{field.name}"
            default = "on" if default else "off"
        else:
            name = f"  --{field.name}"
        text = rule.help + (f" [{default}]" if default != "" else "")
        lines += textwrap.wrap(
            text,
            width=88,
            initial_indent=f"{name:<31} ",
            subsequent_indent=" " * 32,
        )
    return "\n".join(line for lines in groups.values() for line in lines)[1:]
