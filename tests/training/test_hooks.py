import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import imageio.v3 as imageio
import numpy as np
import pytest
from conftest import ROOT, TINY
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tfgan_mnist.training import hooks
from tfgan_mnist.training.checkpoint import Checkpoints, State, read_newest
from tfgan_mnist.training.run_directory import RunDirectory

SYMBOLS = {"discriminator": "D", "generator": "G"}
NAMES = ["discriminator", "discriminator_real", "generator"]
LOSSES = np.float32([[1, 0.5, 3], [2, 0.5, 5]])


@pytest.fixture
def directory(tmp_path) -> RunDirectory:
    return RunDirectory(tmp_path)


@pytest.fixture
def events(directory):
    with contextlib.closing(hooks.EventFile(directory, 0)) as file:
        yield file


def clock(state: State, last_step: int | None = 100, max_seconds: float = 0.0):
    """Of batches of 8 images."""
    return hooks.Clock(state, 8, "images", last_step, max_seconds)


def test_a_terminal_sees_a_progress_bar(tmp_path):
    flags = [*TINY, "--steps=30", f"--run_dir={tmp_path / 'run'}"]
    terminal, screen = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 110, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "tfgan_mnist.train", *flags],
        stdout=screen,
        stderr=screen,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    os.close(screen)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal says that the program has ended
        while more := os.read(terminal, 4096):
            shown += more
    os.close(terminal)
    assert process.wait(60) == 0
    bar = rb"100% \|.+\| 30/30, D \d\.\d+ G \d\.\d+, [\d,]+ images/s, 0:00 left"
    assert re.search(bar, shown)


def test_tensorboard_can_read_it(trained):
    events = EventAccumulator(str(trained)).Reload()
    tags = events.Tags()
    assert {"discriminator", "generator", "images_per_second"} <= set(tags["scalars"])
    assert tags["images"] == ["samples"]
    assert [event.step for event in events.Scalars("generator")] == [5, 10, 12]
    row = (trained / "metrics.csv").read_text().splitlines()[1]
    logged = events.Scalars("generator")[0].value
    np.testing.assert_allclose(logged, float(row.split(",")[-1]), rtol=1e-6)


def test_a_resumed_run_shows_one_curve(directory):
    """TensorBoard forgets what an earlier process wrote after the step gone on from."""
    for first, steps, value in ((0, (10, 20, 30), 1.0), (20, (30, 40), 2.0)):
        with contextlib.closing(hooks.EventFile(directory, first)) as file:
            for step in steps:
                file.scalars(step, {"loss": value})
    board = EventAccumulator(str(directory.path)).Reload()
    found = [(event.step, event.value) for event in board.Scalars("loss")]
    assert found == [(10, 1.0), (20, 1.0), (30, 2.0), (40, 2.0)]


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_pictures_are_drawn_to_a_file_and_to_tensorboard(directory, events, shape):
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    asked = []

    def draw(step):
        asked.append(step)
        return pixels

    hooks.Pictures(5, draw, directory, events)(State({}, step=10))
    assert asked == [10]
    found = imageio.imread(directory.samples / "step_0000010.png")
    np.testing.assert_array_equal(found, pixels)
    board = EventAccumulator(str(directory.path)).Reload()
    (image,) = board.Images("samples")
    assert (image.step, image.height, image.width) == (10, 5, 7)
    png = imageio.imread(image.encoded_image_string, extension=".png")
    np.testing.assert_array_equal(png, pixels)


def test_the_first_call_of_a_process_is_left_out_of_its_speed():
    """It traces: 10 steps take 50 seconds, and later ones 0.5 seconds each."""
    resumed = State({}, step=20, seconds=100.0)
    time = clock(resumed)
    assert time.rate(resumed) == 0.0
    assert time.rate(State({}, step=30, seconds=150.0)) == pytest.approx(0.2)
    later = State({}, step=50, seconds=160.0)
    assert time.rate(later) == pytest.approx(2.0)
    assert time.speed(later) == pytest.approx(16.0)


@pytest.mark.parametrize(
    ("last_step", "max_seconds", "left"),
    [(100, 0.0, 40.0), (None, 90.0, 70.0), (100, 50.0, 30.0), (100, 90.0, 40.0)],
)
def test_the_time_left_is_that_to_the_nearer_limit(last_step, max_seconds, left):
    """Two steps a second, and 80 to go."""
    time = clock(State({}, seconds=10.0), last_step, max_seconds)
    assert time.left(State({}, step=20, seconds=20.0)) == pytest.approx(left)
    assert time.left(State({}, step=120, seconds=200.0)) == 0.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (65, "1:05"), (600, "10:00"), (3700, "1:01:40")],
)
def test_durations_are_read_as_on_a_watch(seconds, text):
    assert hooks.duration(seconds) == text


def test_losses_in_a_few_words_are_the_sides_own():
    losses = {"generator": 0.8124, "generator_fake": 7.0, "discriminator": 1.2341}
    assert hooks.brief(losses, SYMBOLS) == "D 1.234 G 0.812"
    assert hooks.brief({"generator": 2.0}, SYMBOLS) == "G 2.000"


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def log(directory, events, lines) -> hooks.Log:
    time = clock(State({}))
    return hooks.Log(10, lambda: NAMES, SYMBOLS, directory, events, time, lines.append)


def test_a_line_has_the_means_since_the_last_one(log, directory, lines):
    state = State({}, step=2, seconds=1.0, losses=LOSSES)
    row = log(state, {"fcd_1k": 12.3456})
    assert row == {
        "discriminator": 1.5,
        "discriminator_real": 0.5,
        "generator": 4.0,
        "fcd_1k": 12.3456,
    }
    assert lines == [
        "step 2  D 1.500 G 4.000  fcd_1k 12.35  16 images/s  0:01 done, 0:49 left"
    ]
    assert directory.read_metrics() == {"step": [2], **{n: [x] for n, x in row.items()}}
    board = EventAccumulator(str(directory.path)).Reload()
    (speed,) = board.Scalars("images_per_second")
    assert (speed.step, speed.value) == (2, 16.0)
    assert log(state) == {}  # there are no steps since
    assert len(lines) == 1


def test_the_mean_of_many_equal_losses_is_that_loss(log):
    """In single precision it would drift."""
    losses = np.full([200_000, 3], 0.1, np.float32)
    row = log(State({}, step=9, seconds=1.0, losses=losses))
    assert row["generator"] == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_steps_of_a_run_that_stopped_wait_until_losses_have_names(log, lines):
    log.names = list
    state = State({}, step=2, losses=LOSSES)
    assert not log.has_more(state)
    assert log(state) == {}
    assert len(state.losses) == 2
    assert lines == []


def test_metrics_stand_in_a_line_and_are_handed_to_whoever_looks(log, lines):
    state, seen = State({}, step=2, seconds=1.0, losses=LOSSES), []
    asked = []

    def evaluate():
        asked.append(state.step)
        return {"fcd_1k": 3.0}

    evaluation = hooks.Evaluation(
        10, evaluate, log, [lambda state, row: seen.append((state.step, row))]
    )
    evaluation(state)
    ((step, row),) = seen
    assert (step, row["fcd_1k"], row["generator"]) == (2, 3.0, 4.0)
    assert "fcd_1k 3" in lines[0]
    evaluation(state)  # nothing was trained since: it is not measured again
    assert (len(seen), len(lines), asked) == (1, 1, [2])


def test_a_step_that_was_logged_before_it_was_measured_has_both(log, lines):
    """Time can be up on a step of the log: the last model is measured all the same."""
    state, seen = State({}, step=2, seconds=1.0, losses=LOSSES), []
    evaluation = hooks.Evaluation(
        10, lambda: {"fcd_1k": 3.0}, log, [lambda state, row: seen.append(row)]
    )
    row = log(state)
    evaluation(state)
    assert seen == [row | {"fcd_1k": 3.0}]
    assert lines[1:] == ["step 2  fcd_1k 3"]
    columns = log.directory.read_metrics()
    assert columns["step"] == [2.0]
    assert columns["fcd_1k"] == [3.0]
    assert columns["generator"] == [4.0]
    evaluation(state)
    assert len(seen) == 1


def test_the_best_is_kept_whenever_it_is_better():
    kept = []
    best = hooks.Best("fcd", 5.0, lambda state, least: kept.append((state.step, least)))
    for step, distance in enumerate([6.0, 5.0, 4.0, 4.5, float("nan"), 3.0]):
        best(State({}, step=step), {"fcd": distance, "other": 0.0})
    assert kept == [(2, 4.0), (5, 3.0)]


def test_a_saver_saves(tmp_path):
    hooks.Saver(5, Checkpoints(tmp_path / "checkpoints", 2))(
        State({"w": np.ones(3)}, step=7)
    )
    assert int(read_newest(tmp_path / "checkpoints")["step"]) == 7


def test_a_function_is_a_hook_and_a_hook_stays_what_it_is():
    steps = []
    hook = hooks.as_hook(lambda state: steps.append(state.step), 10)
    assert (hook.every, hook.at_start, hook.at_end) == (10, False, True)
    hook(State({}, step=20))
    assert steps == [20]
    assert hooks.as_hook(hook, 5) is hook
    assert hook.every == 10


def test_where_nobody_looks_there_is_no_bar_but_lines_are_printed(capsys):
    start = State({})
    bar = hooks.Bar(start, clock(start), lambda: NAMES, SYMBOLS)
    bar(State({}, step=2, seconds=1.0, losses=LOSSES))
    bar.echo("a line")
    bar.close()
    assert capsys.readouterr() == ("a line\n", "")


def test_a_stdout_that_is_closed_ends_nothing(monkeypatch):
    start = State({})
    bar = hooks.Bar(start, clock(start), lambda: NAMES, SYMBOLS)
    with open(os.devnull, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
    bar.echo("a line")
    bar.close()
