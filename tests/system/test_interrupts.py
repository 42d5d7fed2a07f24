import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tfgan_mnist.system import interrupts

# Ctrl-C in the middle of an import, where a library drops it.
SITE = """
import signal, sys

class Finder:
    def find_spec(name, path=None, target=None):
        if name == "keras":
            sys.meta_path.remove(Finder)
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                pass

sys.meta_path.insert(0, Finder)
"""


def interrupt(number: int = signal.SIGINT) -> bool:
    """Presses Ctrl-C where a library drops it; whether it was felt there."""
    try:
        signal.raise_signal(number)
    except BaseException:
        return True
    return False


def handlers():
    return signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)


def test_a_held_interrupt_comes_at_the_end():
    felt = [interrupt()]
    with pytest.raises(KeyboardInterrupt), interrupts.deferred():
        felt.append(interrupt())
    assert felt == [True, False]


def test_an_error_does_not_take_the_place_of_a_held_interrupt():
    with pytest.raises(KeyboardInterrupt), interrupts.deferred():
        interrupt()
        raise ImportError


def test_the_second_interrupt_acts_at_once():
    with pytest.raises(KeyboardInterrupt), interrupts.deferred():
        assert [interrupt(), interrupt()] == [False, True]


def test_what_was_noticed_and_the_handlers_before():
    before = handlers()
    with interrupts.caught(signal.SIGINT, signal.SIGTERM) as caught:
        assert caught == []
        signal.raise_signal(signal.SIGTERM)
        assert caught == [signal.SIGTERM]
        assert handlers() == before  # the second one acts as it always does
    with interrupts.caught(signal.SIGINT, signal.SIGTERM):
        assert handlers() != before
    assert handlers() == before


@pytest.mark.parametrize("which", interrupts.ENDING[1:])
def test_a_request_to_end_is_felt_as_ctrl_c_is(which):
    before = signal.signal(which, signal.SIG_DFL)  # nohup ignores one of them
    try:
        with pytest.raises(KeyboardInterrupt) as felt, interrupts.raised():
            signal.raise_signal(which)
        assert interrupts.number_of(felt.value) == which
        assert interrupts.number_of(KeyboardInterrupt()) == signal.SIGINT
        with (
            pytest.raises(KeyboardInterrupt),
            interrupts.raised(),
            interrupts.deferred(),
        ):
            held = interrupt(which)
        assert not held
        assert signal.getsignal(which) == signal.SIG_DFL
    finally:
        signal.signal(which, before)


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts.caught(signal.SIGINT) as caught, interrupts.deferred():
            signal.raise_signal(signal.SIGINT)
        assert caught == []
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_cannot_catch_signals_and_go_on():
    done = []

    def work():
        with interrupts.deferred(), interrupts.caught(signal.SIGINT) as caught:
            done.append(caught)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [[]]


@pytest.mark.parametrize(
    "command", ["train", "train --dry_run", "sample", "evaluate", "export"]
)
def test_an_interrupt_that_an_import_drops_ends_the_command(command, trained, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(SITE)
    name, *flags = command.split()
    if name == "train":
        flags += ["--flagfile=moons", "--steps=1", f"--run_dir={tmp_path / 'run'}"]
    elif name == "export":
        flags += [f"--run_dir={trained}", f"--serving_dir={tmp_path / 'serving'}"]
    else:
        flags += [f"--saved_model={trained / 'saved_model'}"]
    if name == "sample":
        flags += [f"--output={tmp_path / 'samples.png'}"]
    done = subprocess.run(
        [sys.executable, "-m", f"tfgan_mnist.{name}", *flags],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}",
        },
    )
    assert done.returncode == 130, done.stderr
    assert done.stderr == "interrupted; what was saved before is kept\n"
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"sitecustomize.py", "__pycache__"}
