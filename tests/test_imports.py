"""The house: imports point down only, and importing runs and costs little."""

import ast
import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tfgan_mnist.__main__
from tfgan_mnist.config import Config

ROOT = Path(tfgan_mnist.__file__).parent

# What each part may know of the package, beside itself; a room's name stands for all
# that is in it. A file is held to the line of its room, and to its own if it has one.
ALLOWED = {
    "registry": {"system.errors"},
    "config": {"registry", "system"},
    "system": set(),
    "system.engine": {"system.errors", "system.interrupts", "system.runtime"},
    "system.errors": set(),
    "system.files": {"system.errors"},
    "system.records": {"system.errors", "system.files"},
    "system.flags": {"system.errors", "system.files"},
    "system.command": {
        "system.errors",
        "system.interrupts",
        "system.runtime",
        "system.streams",
    },
    "system.interrupts": set(),
    "system.progress": set(),
    "system.streams": set(),
    "system.runtime": set(),
    "system.seeds": set(),
    "system.tables": set(),
    "networks": {"system.replicas"},
    "pretrained": {"system"},
    "visual": set(),
    "gans": {"system"},
    "gans.augmentation": {"system"},
    "gans.losses": set(),
    "gans.penalties": set(),
    "gans.clusters": set(),
    "data": {"system"},
    "serving": {"gans", "system"},
    "serving.reader": {"serving.saved_model", "system.errors"},
    "serving.saved_model": {"system.errors", "system.records"},
    "evaluation": {"data", "registry", "serving", "system", "visual"},
    "evaluation.metrics": {"system"},
    "evaluation.judges": {"data", "evaluation", "system"},
    "evaluation.protocols": {"data", "evaluation", "registry", "system", "visual"},
    "training": {"config", "pretrained", "serving", "system", "visual"},
    "training.run_directory": {
        "config",
        "serving.saved_model",
        "system",
        "training.checkpoint",
    },
    "training.step": {"system.replicas", "system.seeds", "training.averaging"},
    "training.loop": {"system.errors", "training.checkpoint"},
    "training.alarm": set(),
    "training.averaging": set(),
    "training.optimizers": set(),
    "training.checkpoint": {"system"},
    "training.transfer": {
        "pretrained",
        "serving.saved_model",
        "system",
        "training.checkpoint",
    },
    "training.hooks": {"system", "training", "visual"},
}


def imported(path: Path) -> set[str]:
    """What a file imports of the package: modules, and perhaps names in them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name for name in names if name.split(".")[0] == "tfgan_mnist"}
    return {name.partition(".")[2] for name in found}


def is_in(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in ROOT.rglob("*.py")
}
COMMANDS = {
    "__main__",
    "completion",
    "doctor",
    "evaluate",
    "export",
    "invert",
    "judge",
    "sample",
    "sweep",
    "train",
    "translate",
}
SHARED = {"build", "keras", "launch", "model", "runner", "worker"}  # by the commands


def test_every_file_has_a_line_or_is_at_the_top():
    assert {"__main__", *tfgan_mnist.__main__.COMMANDS} == COMMANDS
    top = COMMANDS | SHARED
    assert set(FILES) >= top
    rooms = {name.split(".")[0] for name in FILES} - top - {"__init__", "recipes"}
    assert rooms == {part.split(".")[0] for part in ALLOWED}


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_imports_point_down(part):
    files = {n: p for n, p in FILES.items() if is_in(n, part)}
    assert files
    for path in files.values():
        unknown = {
            name
            for name in imported(path)
            if not any(is_in(name, known) for known in {part, *ALLOWED[part]})
        }
        assert not unknown, path


def test_a_config_is_known_to_a_run_s_directory_alone_in_training():
    knowing = {
        name
        for name, path in FILES.items()
        if is_in(name, "training")
        if any(is_in(known, "config") for known in imported(path))
    }
    assert knowing == {"training.run_directory"}


GAMES_OWN = ("gans", "networks", "config", "registry")
FLAGS = [field.name for field in dataclasses.fields(Config)]


def test_only_games_and_networks_speak_of_a_generator_and_a_discriminator():
    """Docstrings and comments too. Names of flags are something else."""
    flags = re.compile(rf"\b({'|'.join(FLAGS)})\b")
    word = re.compile(r"(?<!Seed)(generator|discriminator)", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for name, path in sorted(FILES.items())
        if name.split(".")[0] not in GAMES_OWN
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if word.search(flags.sub("", line))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "module",
    [
        *sorted(COMMANDS),
        "launch",
        "model",
        "pretrained",
        "config",
        "registry",
        "system.command",
        "system.flags",
        "serving.saved_model",
        "training.run_directory",
    ],
)
def test_commands_load_without_tensorflow(module):
    code = (
        f"import sys, tfgan_mnist.{module}; "
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'pandas', 'scipy', 'sklearn'}; "
        "heavy &= set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, check=False)
    assert done.returncode == 0


def test_a_run_starts_without_what_its_metrics_and_plots_import():
    """They are imported where they are used, two seconds of a laptop's core later."""
    code = (
        "import sys; from tfgan_mnist.system import runtime\n"
        "with runtime.less_of_keras(): runtime.load_tensorflow()\n"
        "import tfgan_mnist.runner, tfgan_mnist.serving.reader; "
        "heavy = {'matplotlib', 'pandas', 'sklearn', 'scipy.stats'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, check=False)
    assert done.returncode == 0
