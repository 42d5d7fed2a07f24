"""README.md, docs/ and samples/README.md: links lead somewhere, commands are right."""

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from conftest import ROOT

from tfgan_mnist.__main__ import COMMANDS
from tfgan_mnist.config import Config, parse_config
from tfgan_mnist.model import ModelFlags
from tfgan_mnist.system.flags import parse_flags

PAGES = [
    ROOT / "README.md",
    ROOT / "samples" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
SCRIPTS = ROOT / "scripts" / "experiments"


def prose(text: str) -> str:
    """A page without its code."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"`[^`]*`", "code", text)


def links(text: str) -> list[str]:
    """The targets of links and pictures, also of a picture inside a link."""
    found = re.findall(r"\]\(([^()\s]+)\)", prose(text))
    return found + re.findall(r"""<(?:img|a)\b[^>]*\b(?:src|href)="([^"]+)\"""", text)


def anchors(text: str) -> set[str]:
    """What headings are linked by, as repository hosts name them."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    found = set()
    for heading in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(words.replace(" ", "-"))
    return found


def test_links_and_anchors_are_found():
    text = "# A *b*, `c_d`?\n\n[![p](q.png)](r.gif) `[no](x)`\n\n    [no](y)\n"
    assert sorted(links(text)) == ["q.png", "r.gif"]
    assert anchors(text) == {"a-b-c_d"}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_and_picture_exists(name):
    page = ROOT / name
    for target in links(page.read_text()):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        assert place.is_relative_to(ROOT), target
        if anchor:
            assert anchor in anchors(place.read_text()), target


def test_the_readme_can_be_read_to_its_end():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 180


# ------------------------------------------------------------------------- commands


def blocks(text: str) -> list[str]:
    """The lines of code between fences, Python aside, and of indented code."""
    fenced = r"^```(?!python)\w*\n(.*?)^```$"
    found = re.findall(fenced, text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    found += re.findall(r"(?:^ {4}.*\n?)+", text, flags=re.MULTILINE)
    return [line for code in found for line in code.replace("\\\n", " ").splitlines()]


def spans(text: str) -> list[str]:
    """The code within lines."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def commands(lines: list[str]) -> Iterator[list[str]]:
    """The words of those that are commands of ours, without the program."""
    for line in lines:
        line = re.sub(r"^(\.venv/bin/)?python3? ", "python ", line.strip())
        if not re.match(r"(tfgan-mnist |python -m tfgan_mnist|python scripts/)", line):
            continue
        words = shlex.split(line, comments=True)
        if words[0] == "tfgan-mnist":
            yield words[1:]
        elif words[1] == "-m":
            module = words[2].removeprefix("tfgan_mnist").removeprefix(".")
            yield [*([module] if module else []), *words[3:]]
        else:
            yield words[1:]


def commands_of(name: str) -> list[list[str]]:
    return list(commands(blocks(_text(name))))


def mentions_of(name: str) -> list[list[str]]:
    """Commands within a line: they may be the beginning of one."""
    return list(commands(spans(_text(name))))


def _text(name: str) -> str:
    return (ROOT / name).read_text()


def test_commands_are_found():
    text = (
        "Run `python -m tfgan_mnist.train\n--flagfile=dcgan.flags`:\n\n"
        "```\ntfgan-mnist doctor\n```\n\n```python\ntfgan-mnist = 1\n```\n\n"
        "    tfgan-mnist sample --count=1 \\\n        --output=a.png   # why\n"
        "    .venv/bin/python scripts/experiments/race.py dcgan\n    cd elsewhere\n"
    )
    assert list(commands(spans(text))) == [["train", "--flagfile=dcgan.flags"]]
    assert list(commands(blocks(text))) == [
        ["doctor"],
        ["sample", "--count=1", "--output=a.png"],
        ["scripts/experiments/race.py", "dcgan"],
    ]
    assert len(commands_of("README.md")) >= 8


def prepare(folder: Path) -> None:
    """Puts what pages call by these names into a folder: data, pictures, a judge."""
    prepared = folder / "FOLDER" / "mnist" / "3.0.1"
    prepared.mkdir(parents=True)
    (prepared / "dataset_info.json").write_text("{}")
    imageio.imwrite(folder / "digit.png", np.zeros([32, 32, 3], np.uint8))
    kinds = [
        f"{kind}/{name}" for kind in ("photos", "shapes") for name in ("one", "two")
    ]
    for kind in [*kinds, "FOLDER/a", "FOLDER/b"]:
        (folder / kind).mkdir(parents=True)
        for i in range(300):
            (folder / kind / f"{i}.png").symlink_to(folder / "digit.png")
    np.savez(folder / "photos_judge.npz", nothing=0)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A working directory with all that."""
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Parsed(Exception):
    """The words were understood; nothing more is wanted."""


def check_script(words: list[str], monkeypatch) -> None:
    """Lets a script parse its words, and stops it then."""
    path = ROOT / words[0]
    assert path.is_file(), path
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = importlib.import_module(path.stem)
    really = module.read_words

    def read_words(*given, **options):
        really(*given, **options)
        raise Parsed

    monkeypatch.setattr(module, "read_words", read_words)
    common = importlib.import_module("common")  # the models of the pages are not here
    monkeypatch.setattr(common, "check_saved_model", lambda path: None)
    with pytest.raises(Parsed):
        module.main(words[1:])


def check_command(words: list[str], whole: bool) -> None:
    """Parses a command's words as the command does, and checks them if it is whole."""
    command, *words = (word for word in words if whole or not word.isupper())
    assert command in COMMANDS
    module = importlib.import_module(f"tfgan_mnist.{command}")
    if not words or "--help" in words:
        return
    if command == "train":
        if not words[0].startswith("-"):
            words = [f"--flagfile={words[0]}", *words[1:]]
        values = parse_config(words, module.SWITCHES)
        switches = [values.pop(name) for name in module.SWITCHES]
        if whole and not switches[0]:  # which lists recipes, of no configuration
            Config(**values)
    elif command == "sweep":
        module.plan(words)
    elif hasattr(module, "Flags"):
        if not words[0].startswith("-"):  # a run, of which there is none here
            assert issubclass(module.Flags, ModelFlags)
            words = [f"--run_dir={words[0]}", *words[1:]]
        values = parse_flags(words, module.Flags)
        if whole:
            module.Flags(**values)
    else:
        module.main(words)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_understood(name, folder, monkeypatch):
    for whole, found in ((True, commands_of(name)), (False, mentions_of(name))):
        for words in found:
            if words[0].startswith("scripts/"):
                with monkeypatch.context() as patch:
                    check_script(words, patch)
            elif not words[0].isupper():  # COMMAND stands for any
                check_command(words, whole)


@pytest.mark.parametrize("name", NAMES)
def test_python_of_a_page_compiles(name):
    for code in re.findall(r"^```python\n(.*?)^```$", _text(name), re.DOTALL | re.M):
        compile(code, name, "exec")


def test_what_the_readme_draws_is_drawn(trained, folder):
    """Its sampling commands in one process, on a tiny run and packaged models."""
    (folder / "runs").mkdir()
    (folder / "runs" / "dcgan_fast").symlink_to(trained)
    sample = importlib.import_module("tfgan_mnist.sample")
    drawn = [words for words in commands_of("README.md") if words[0] == "sample"]
    assert len(drawn) >= 4
    for words in drawn:
        sample.main(words[1:])
        output = next(w for w in words if w.startswith("--output="))
        assert (folder / output.partition("=")[2]).stat().st_size > 1000


def test_the_model_loads_as_the_page_says(trained, folder):
    (folder / "runs").mkdir()
    (folder / "runs" / "dcgan_fast").symlink_to(trained)
    (code,) = re.findall(
        r"^```python\n(.*?)^```$", _text("docs/serving.md"), re.S | re.M
    )
    found = {}
    exec(code, found)
    assert found["images"].shape == (3, 28, 28, 1)
