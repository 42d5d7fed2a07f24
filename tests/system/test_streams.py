import os
import subprocess
import sys

import pytest
from conftest import ROOT

COMMAND = f"{sys.executable} -m tfgan_mnist"
LIST = f"{COMMAND} train --list_recipes"


def shell(words: str, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {words}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    return done.returncode, done.stdout, done.stderr


def test_a_reader_that_leaves_is_no_error():
    code, stdout, stderr = shell(f"{LIST} | head -n 1")
    assert (code, stderr) == (0, "")
    assert len(stdout.splitlines()) == 1


def test_a_full_stdout_is_said_at_the_end():
    code, stdout, stderr = shell(f"{LIST} > /dev/full")
    assert (code, stdout) == (1, "")
    assert stderr == "error: stdout: No space left on device; lines are lost\n"


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_as_good_as_none(closed):
    assert shell(f"{LIST} {closed}") == (0, "", "")


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
def test_an_error_nobody_hears_still_has_its_exit_code(closed):
    assert shell(f"{COMMAND} trian {closed}") == (2, "", "")


def test_plain_ascii_is_enough():
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code, stdout, stderr = shell(f"{COMMAND} train --help", **ascii_only)
    assert (code, stderr) == (0, "")
    assert stdout.isascii()
    code, stdout, stderr = shell(LIST, **ascii_only)
    assert (code, stderr) == (0, "")
    assert stdout.encode() == shell(LIST)[1].encode("ascii", "backslashreplace")


def test_files_do_not_get_the_number_of_a_closed_stream(tmp_path):
    """Else what a library prints would go into them."""
    program = (
        "import os, sys; from tfgan_mnist.system.command import run; "
        f"path = {str(tmp_path / 'file')!r}; "
        "main = lambda words: os._exit(os.open(path, os.O_CREAT | os.O_WRONLY)); "
        "run(main, [])"
    )
    code, _, _ = shell(f'{sys.executable} -c "{program}" <&- >&- 2>&-')
    assert code > 2
