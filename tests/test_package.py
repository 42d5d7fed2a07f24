"""What is published beside the code."""

import configparser
import importlib
import importlib.metadata
import re
import subprocess
import sys

import pytest
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as canonical

import tfgan_mnist
from tfgan_mnist import __version__


def test_every_file_says_the_same_version():
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.M)
    assert cited[1] == __version__
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest[1] == __version__


def test_the_license_and_the_terms_of_what_is_packaged():
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    notice = (ROOT / "NOTICE").read_text()
    for words in ("mnist5k.npz", "Attribution-Share Alike 3.0", "Sebastian Raschka"):
        assert words in notice


def test_importing_the_package_loads_nothing_and_offers_all():
    code = (
        "import sys; before = set(sys.modules); import tfgan_mnist; "
        "new = set(sys.modules) - before; "
        "assert not new & {'numpy', 'absl', 'tensorflow'}, new; "
        "assert not any(name.startswith('tfgan_mnist.') for name in new), new; "
        "assert 'dcgan_fast' in tfgan_mnist.recipes(); "
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    offered = set(dir(tfgan_mnist))
    assert offered >= {"Config", "Model", "keras", "load", "recipes", "train"}
    assert all(getattr(tfgan_mnist, name) for name in offered)
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = tfgan_mnist.lode


def test_train_is_the_function_whatever_was_imported():
    module = importlib.import_module("tfgan_mnist.train")
    assert tfgan_mnist.train is module.train


def test_the_lowest_versions_are_those_that_setup_allows():
    options = configparser.ConfigParser()
    options.read(ROOT / "setup.cfg")
    allowed = re.findall(
        r"^([\w-]+) >=([\d.]+)", options["options"]["install_requires"], re.M
    )
    lines = (ROOT / "constraints-lowest.txt").read_text().splitlines()
    lowest = [tuple(x.split("==")) for x in lines if not x.startswith("#")]
    assert allowed == lowest


def test_scripts_install_exact_versions_of_all_that_is_needed():
    """Also of what dependencies depend on, setuptools and wheel among them."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {canonical(line.partition("==")[0]) for line in lines if "==" in line}
    needed, known = {"tfgan-mnist"}, set()
    while new := needed - known:
        known |= new
        for name in new:
            for line in importlib.metadata.requires(name) or []:
                requirement = Requirement(line)
                mark = requirement.marker
                if not mark or mark.evaluate({"extra": ""}):
                    needed.add(canonical(requirement.name))
    assert needed - {"tfgan-mnist"} <= pinned


def test_types_are_right_and_wrong_ones_are_found(tmp_path):
    """By the package's own annotations, which its users' checkers read too."""

    def mypy(*words: str) -> subprocess.CompletedProcess:
        words = ("--cache-dir", str(tmp_path / "cache"), *words)
        return subprocess.run(
            [sys.executable, "-m", "mypy", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    done = mypy()
    assert done.returncode == 0, done.stdout
    (tmp_path / "user.py").write_text(
        "import tfgan_mnist\n"
        "model = tfgan_mnist.load('cdcgan_fast')\n"
        "model.sample(count=10, labels=[1, 2])\n"
        "model.sample(count='ten')\n"
        "tfgan_mnist.train('dcgan_fast', steps=3).histroy\n"
    )
    done = mypy(str(tmp_path / "user.py"))
    lines = [int(n) for n in re.findall(r"user\.py:(\d+): error", done.stdout)]
    assert lines == [4, 5], done.stdout
