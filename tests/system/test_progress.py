import fcntl
import io
import os
import pty
import struct
import sys
import termios

import pytest

from tfgan_mnist.system import progress


def test_nobody_looks_at_a_file(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert list(progress.bar("abc", "reading")) == [*"abc"]
    assert sys.stderr.getvalue() == ""


def test_a_terminal_sees_how_far_it_is(monkeypatch):
    terminal, screen = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 60, 0, 0))
    with os.fdopen(screen, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        assert list(progress.bar("abc", "reading")) == [*"abc"]
        stderr.flush()
        shown = os.read(terminal, 4096).decode()
    os.close(terminal)
    assert "reading: 100%" in shown
    assert "3/3" in shown


@pytest.mark.parametrize("in_notebook", [True, False])
def test_a_notebook_is_no_terminal_but_is_looked_at(monkeypatch, in_notebook):
    monkeypatch.setattr(progress, "IN_NOTEBOOK", in_notebook)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress.bar(total=3) as bar:
        assert bar.disable is not in_notebook
