"""The house: imports point down only, and importing runs and costs little."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tfgan_mnist

ROOT = Path(tfgan_mnist.__file__).parent

# What each part may know of the package, beside itself.
ALLOWED = {
    "losses": set(),
    "latents": set(),
    "clusters": set(),
    "files": {"errors"},
    "errors": set(),
    "interrupts": set(),
    "runtime": set(),
    "penalties": set(),
    "networks": set(),
    "visual": set(),
    "metrics": {"errors"},
    "protocols": {"data", "latents", "metrics", "visual"},
    "data": {"errors", "latents", "runtime"},
    "gans": {"clusters", "losses", "penalties", "latents", "networks"},
    "config": {"errors"},
    "saved_model": {"errors"},
    "run_directory": {"config", "errors", "files"},
    "saving": {"errors", "files", "gans", "latents", "runtime", "saved_model"},
    "images": {"errors"},
    "scores": {"data", "errors", "images", "metrics", "protocols", "saving"},
    "training": {"errors", "files", "latents", "run_directory", "visual"},
    "training.step": {"latents"},
    "training.loop": {"errors"},
}


def imported(path: Path) -> set[str]:
    """Names of the package's parts that a file imports, training's own left whole."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("tfgan_mnist."):
                found.add(name.split(".")[1])
    return found


FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in ROOT.rglob("*.py")
}


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_imports_point_down(part):
    files = {n: p for n, p in FILES.items() if n == part or n.startswith(part + ".")}
    assert files
    for path in files.values():
        known = imported(path) - {part.split(".")[0]}
        assert known <= ALLOWED[part], path


@pytest.mark.parametrize(
    "module", ["train", "sample", "evaluate", "export", "config", "command"]
)
def test_commands_load_without_tensorflow(module):
    code = (
        f"import sys, tfgan_mnist.{module}; "
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'mlxtend'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, check=False)
    assert done.returncode == 0
