"""A finished run is checked, not believed; what was damaged is named and mended."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time

import imageio.v3 as imageio
import numpy as np
import pytest
from conftest import ROOT, TINY, assert_one_line_error, call, run, start, tiny_config
from test_commands import as_anybody, tree

from tfgan_mnist.serving.reader import LoadedModel
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.train import train
from tfgan_mnist.training.checkpoint import read_newest
from tfgan_mnist.training.run_directory import RunDirectory

FLAGS = [*TINY, "--steps=12", "--log_every=5", "--sample_every=6"]
FLAGS += ["--checkpoint_every=5"]


@pytest.fixture
def finished(trained, tmp_path) -> RunDirectory:
    shutil.copytree(trained, tmp_path / "run")
    return RunDirectory(tmp_path / "run")


def again(directory: RunDirectory, capsys, **flags) -> list[str]:
    """Gives the run's command again; what it warns of, by file."""
    config = directory.read_config()
    capsys.readouterr()
    train(config, echo=[].append, run_dir=directory.path, **flags)
    warnings = capsys.readouterr().err.splitlines()
    assert all(line.startswith("warning: ") for line in warnings)
    place = f"warning: {directory.path}/"
    return [line.removeprefix(place) for line in warnings]


def test_a_finished_run_is_mended_and_each_damage_named(finished, trained, capsys):
    assert again(finished, capsys) == []
    data = next((finished.saved_model / "variables").glob("variables.data*"))
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    finished.animation.write_bytes(finished.animation.read_bytes()[:-9])
    finished.loss_plot.unlink()
    finished.loss_plot.mkdir()
    (finished.samples / "step_x.png").write_text("foreign")
    finished.sample_path(6).write_bytes(b"")
    lines = finished.metrics.read_text().splitlines(keepends=True)
    finished.metrics.write_text("".join([lines[0], lines[1], "\n", *lines[2:]]))

    with pytest.raises(UserError, match=r"variables.data.* is not what was written"):
        LoadedModel(finished.saved_model)
    finished.loss_plot.rmdir()
    warnings = again(finished, capsys)
    named = [line.split(":")[0] for line in warnings]
    expected = ["metrics.csv", "saved_model", "progress.gif", "loss.png"]
    assert named == [*expected, "samples/step_0000006.png"]
    assert "line 3: 1 cells, not 5" in warnings[0]
    assert all("written anew from step_0000012.npz" in line for line in warnings[1:4])
    assert "cannot be read" in warnings[-1]
    assert warnings[-1].endswith(", and 1 more; progress.gif leaves it out")

    model, reference = (
        LoadedModel(path / "saved_model") for path in (finished.path, trained)
    )
    seeds = np.arange(3)
    np.testing.assert_array_equal(model.sample(seeds), reference.sample(seeds))
    (finished.samples / "step_x.png").unlink()
    assert finished.metrics.read_text() == "".join(lines)
    assert len(imageio.imread(finished.animation, index=None)) == 2
    assert again(finished, capsys) == []


def test_a_folder_in_a_picture_s_place_is_named(finished):
    finished.animation.unlink()
    finished.animation.mkdir()
    code, _, stderr = call("train", *FLAGS, f"--run_dir={finished.path}")
    assert code == 1
    *_, last = stderr.splitlines()
    assert last.startswith(f"{finished.animation}: a folder where a file should be. ")
    assert "step_0000012.npz is kept; move it away, then run the same" in last
    assert not [*finished.path.rglob(".unfinished*")]


def test_the_newest_checkpoint_is_gone_but_the_model_is_not(finished, capsys):
    (finished.checkpoints / "step_0000012.npz").unlink()
    assert again(finished, capsys) == [
        "checkpoints: that of step 12 is gone; going on from step_0000010.npz"
    ]
    assert read_newest(finished.checkpoints)["step"] == 12
    shutil.rmtree(finished.checkpoints)
    with pytest.raises(UserError, match="is without the checkpoints that this run has"):
        again(finished, capsys)


def test_the_best_model_is_written_anew_or_its_loss_is_said(tmp_path, capsys):
    config = tiny_config("mlp", epochs=0, steps=8, log_every=4, evaluate_every=4)
    directory = RunDirectory(tmp_path / "run")
    small = {"checkpoint_every": 4, "keep_checkpoints": 2}
    train(config, echo=[].append, run_dir=directory.path, **small)
    best = LoadedModel(directory.best_model).metadata
    record = directory.report.read_bytes()
    (directory.best_model / "saved_model.pb").unlink()
    directory.report.write_text('{"step": 8, "metrics": {"fcd_1k": null}}')
    one, other = again(directory, capsys)
    assert "saved_model_best: is no whole SavedModel; it is written anew" in one
    assert f"from the checkpoint of step {best['step']}" in one
    assert "metrics.json: " in other
    mended = LoadedModel(directory.best_model).metadata
    assert mended["step"] == best["step"]
    distance = mended["distance"]["fcd_1k"]
    assert distance == pytest.approx(best["distance"]["fcd_1k"], rel=1e-6)
    assert directory.report.read_bytes() == record
    assert again(directory, capsys) == []

    shutil.rmtree(directory.best_model)
    (directory.checkpoints / f"step_{best['step']:07d}.npz").unlink()
    if best["step"] == 4:  # else the run itself goes back, which another test has
        (lost,) = again(directory, capsys)
        assert "is missing, and there is no checkpoint of its step" in lost


@pytest.fixture
def measured(tmp_path) -> RunDirectory:
    """A finished run that measures."""
    flags = {"steps": 4, "evaluate_every": 4, "steps_per_call": 2, "epochs": 0}
    config = tiny_config("moons", run_dir=str(tmp_path / "measured"), **flags)
    train(config, echo=[].append)
    return RunDirectory(tmp_path / "measured")


def test_metrics_that_cannot_be_read_back_end_no_run(measured):
    """The disk refuses them when the table of them is printed."""
    code = f"""
import errno, runpy, sys
opened = []

def hook(name, words):
    if name == "open" and words[0] == {str(measured.report)!r}:
        opened.append(words)
        if len(opened) == 2:  # first they are checked
            raise OSError(errno.EDQUOT, "")

sys.addaudithook(hook)
runpy.run_module("tfgan_mnist.train", run_name="__main__", alter_sys=True)
"""
    flags = f"--flagfile={measured.path / 'config.flags'}"
    done = subprocess.run(
        [sys.executable, "-c", code, flags],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    said = f"warning: {measured.report}: the disk quota is used up; its metrics"
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    assert done.stderr.startswith(said)


def test_a_result_says_that_its_metrics_are_damaged(measured):
    result = train(measured.read_config(), echo=[].append)
    assert result.metrics["near_arcs"] <= 1
    measured.report.write_text("{")
    with pytest.raises(UserError, match=r"metrics.json: is no JSON: .*command again"):
        _ = result.metrics


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_finished_run_on_a_read_only_disk_only_says_so(finished):
    before = tree(finished.path)
    paths = [finished.path, *finished.path.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    place = f"--run_dir={finished.path}"
    result = run("train", *FLAGS, place, preexec_fn=as_anybody)
    more = run("train", *FLAGS, "--steps=13", place, preexec_fn=as_anybody)
    for path in paths:
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    code, stdout, stderr = result
    assert (code, stderr) == (0, "")
    assert "12 steps in" in stdout
    assert tree(finished.path) == before
    assert_one_line_error(more, "no permission to write to")


def test_a_reader_that_left_and_a_terminal_that_closed_lose_nothing(tmp_path):
    """The run goes on unheard; SIGHUP ends it as SIGTERM does."""
    run_dir = tmp_path / "run"
    flags = [*TINY, "--steps=100000", "--log_every=1", "--checkpoint_every=5"]
    with open("/dev/full", "w") as full:
        process = subprocess.Popen(
            [sys.executable, "-m", "tfgan_mnist.train", *flags, f"--run_dir={run_dir}"],
            stdout=subprocess.PIPE,
            stderr=full,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            # Under nohup it would be ignored.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )
    directory = RunDirectory(run_dir)
    try:
        process.stdout.readline()
        process.stdout.close()
        deadline = time.monotonic() + 240
        while len(directory.read_metrics().get("step", [])) < 20:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 128 + signal.SIGHUP
    finally:
        process.kill()
    step = int(read_newest(directory.checkpoints)["step"])
    assert step >= 20
    assert LoadedModel(directory.saved_model).metadata["step"] == step
    assert not [*run_dir.rglob(".unfinished*")]


def test_a_command_that_is_asked_to_end_leaves_nothing_half_written(trained, tmp_path):
    output = tmp_path / "many.npy"
    flags = [f"--run_dir={trained}", "--count=1000000", f"--output={output}"]
    process = start("sample", *flags)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(4)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert stderr == "interrupted; what was saved before is kept\n"
    assert [*tmp_path.iterdir()] == []
