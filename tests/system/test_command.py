import errno
import os
import signal
import sys
import warnings

import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.system import command
from tfgan_mnist.system.errors import RunStopped, UserError


def ended(error: BaseException) -> int:
    """The exit code of a command that raises an error."""

    def main(words):
        raise error

    return command.run(main, [])


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("--x=1: too few"), 2, "error: --x=1: too few"),
        (RunStopped("stopped at step 3", 143), 143, "stopped at step 3"),
        (
            KeyboardInterrupt(),
            128 + signal.SIGINT,
            "interrupted; what was saved before is kept",
        ),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a.png"),
            2,
            "error: a.png: no space is left on the disk; make room",
        ),
        (MemoryError(), 2, "error: out of memory; ask for less at once (--batch_size,"),
        (
            np._core._exceptions._ArrayMemoryError((2**40,), np.dtype(float)),
            2,
            "error: out of memory; ask for less at once (--batch_size,",
        ),
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"),
            2,
            "error: out of memory; ask for less at once (--batch_size,",
        ),
    ],
)
def test_what_ends_a_command_is_one_line_and_an_exit_code(error, code, line, capsys):
    assert ended(error) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(line)
    assert len(captured.err.splitlines()) == 1


def test_a_mistake_of_the_program_keeps_its_traceback(capsys):
    with pytest.raises(ZeroDivisionError):
        ended(ZeroDivisionError())
    assert capsys.readouterr().err == ""


def test_a_command_gets_its_words_or_those_of_the_program(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["program", "--steps=3"])
    assert command.run(lambda words: print(*words)) == 0
    assert command.run(lambda words: print(*words), ("--x", "y")) == 0
    assert capsys.readouterr() == ("--steps=3\n--x y\n", "")


def test_a_request_to_end_is_answered_by_the_signal_s_exit_code(capsys):
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        code = command.run(lambda words: signal.raise_signal(signal.SIGTERM), [])
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert code == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "interrupted; what was saved before is kept\n"


def test_a_library_s_warning_is_one_line(capsys):
    def main(words):
        warnings.warn("half of it\nand more", stacklevel=1)

    assert command.run(main, []) == 0
    assert capsys.readouterr().err == "warning: half of it\n"


def test_a_page_is_a_sentence_then_examples_then_flags():
    found = command.page("\nDoes it.\n", ["do it", "do more"], "--x: y")
    assert found == "Does it.\n\nExamples:\n  do it\n  do more\n\n--x: y"


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        (["--help"], True),
        (["-h"], True),
        (["--x=1", "-help"], True),
        (["help"], False),
        (["--helpful"], False),
        (["--help=1"], False),
        ([], False),
    ],
)
def test_a_flag_without_a_value_is_taken_as_it_is_written(words, taken):
    assert command.take(words, "help", "h") == taken
