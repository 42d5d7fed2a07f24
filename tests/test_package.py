"""What is published beside the code."""

import re

from conftest import ROOT

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
