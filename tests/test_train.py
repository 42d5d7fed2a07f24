"""Whole runs, by the real command and from Python."""

import dataclasses
import json
import re
import resource
import signal
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from conftest import TINY, call, run, start, tiny_config, wait_for_step
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tfgan_mnist.config import read_config
from tfgan_mnist.evaluation.protocols import protocol_of
from tfgan_mnist.runner import measured_rows
from tfgan_mnist.serving.reader import LoadedModel
from tfgan_mnist.system.errors import RunStopped, UserError
from tfgan_mnist.train import train
from tfgan_mnist.training.run_directory import RunDirectory


def last_checkpoint(run_dir: Path) -> dict[str, np.ndarray]:
    """All that a run's newest checkpoint holds, but for the time it took."""
    newest = max((run_dir / "checkpoints").glob("step_*.npz"))
    with np.load(newest) as file:
        return {name: file[name] for name in file.files if name != "seconds"}


def assert_same_run(one: Path, other: Path) -> None:
    a, b = last_checkpoint(one), last_checkpoint(other)
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    assert (one / "metrics.csv").read_bytes() == (other / "metrics.csv").read_bytes()
    pictures = [sorted((d / "samples").iterdir()) for d in (one, other)]
    assert [p.name for p in pictures[0]] == [p.name for p in pictures[1]]
    for p, q in zip(*pictures, strict=True):
        assert p.read_bytes() == q.read_bytes()


def test_a_run_leaves_what_it_should(trained):
    assert sorted(
        path.name for path in trained.iterdir() if "tfevents" not in path.name
    ) == [
        "checkpoints",
        "config.flags",
        "loss.png",
        "metrics.csv",
        "progress.gif",
        "samples",
        "saved_model",
    ]
    assert read_config(trained / "config.flags").base_channels == 4
    steps = [int(s.stem[5:]) for s in sorted((trained / "checkpoints").iterdir())]
    assert steps == [5, 10, 12]
    sheets = sorted((trained / "samples").iterdir())
    assert [sheet.name for sheet in sheets] == [
        "step_0000000.png",
        "step_0000006.png",
        "step_0000012.png",
    ]
    assert imageio.imread(sheets[0]).shape == (291, 291)
    frames = imageio.imread(trained / "progress.gif", index=None)
    assert len(frames) == len(sheets)
    header, *rows = (trained / "metrics.csv").read_text().splitlines()
    expected = "step,discriminator,discriminator_real,discriminator_fake,generator"
    assert header == expected
    assert [row.split(",")[0] for row in rows] == ["5", "10", "12"]


def test_the_screen_has_log_lines_and_no_noise(trained):
    assert (trained.parent / "stderr").read_text() == ""
    lines = (trained.parent / "stdout").read_text().splitlines()
    assert len(lines) == 5  # begin, three log lines, end
    pattern = (
        r"step 5  D \d\.\d+ G \d\.\d+  [\d,]+ images/s  \d:\d\d done, \d:\d\d left"
    )
    assert re.fullmatch(pattern, lines[1])
    assert "step_0000012.png" in lines[-1]


# Dropout, averaged weights, odd intervals: whatever could go astray on the way.
RUN = [
    "--flagfile=dcgan_tutorial",
    "--dataset=mnist5k",
    "--base_channels=4",
    "--batch_size=16",
    "--ema_decay=0.9",
    "--epochs=0",
    "--steps=220",
    "--log_every=30",
    "--sample_every=50",
    "--checkpoint_every=7",
    "--steps_per_call=3",
    "--evaluate_every=0",
]


def test_a_killed_run_ends_in_the_same_bits_as_one_that_was_not(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    code, _, stderr = call("train", *RUN, f"--run_dir={whole}")
    assert code == 0, stderr

    flags = list(RUN)
    stops = [(20, signal.SIGKILL), (60, signal.SIGTERM), (110, signal.SIGKILL)]
    for step, which in stops:
        process = start("train", *flags, f"--run_dir={broken}")
        wait_for_step(process, broken, step)
        process.send_signal(which)
        stdout, stderr = process.communicate(timeout=60)
        if which == signal.SIGTERM:
            assert process.returncode == 128 + signal.SIGTERM
            (said,) = stderr.splitlines()
            stop = re.search(r"stopped by SIGTERM at step (\d+), saved; run the", said)
            assert "; writing its pictures and model (a second SIGTERM" in stdout
            for name in ("progress.gif", "loss.png"):
                assert (broken / name).is_file()
            model = LoadedModel(broken / "saved_model")
            assert model.metadata["step"] == int(stop[1])
        else:
            assert process.returncode == -signal.SIGKILL
            # What a stop wrote is still there, but a kill writes nothing.
            assert (broken / "saved_model").exists() == (step > 60)
        # Another rhythm of calls must not matter either.
        flags = [*RUN, "--steps_per_call=5"]
    code, stdout, stderr = call("train", *flags, f"--run_dir={broken}")
    assert (code, stderr) == (0, "")
    assert "resuming at step" in stdout
    assert_same_run(whole, broken)
    for name in ("progress.gif", "loss.png"):
        assert (whole / name).read_bytes() == (broken / name).read_bytes()
    assert LoadedModel(broken / "saved_model").metadata["step"] == 220

    # Once more: nothing to do, nothing changed but the record of the flags.
    def times():
        return {
            path: path.stat().st_mtime_ns
            for path in broken.rglob("*")
            if path.is_file() and path.name != "config.flags"
        }

    before = times()
    assert call("train", *RUN, f"--run_dir={broken}")[0] == 0
    assert times() == before


class Broken(Exception):
    """In place of ``kill -9``: nothing is written after it."""


class BreakOff:
    """A hook that ends a run at step 25."""

    every, at_start, at_end = 1, False, False

    def __call__(self, state) -> None:
        if state.step == 25:
            raise Broken


@pytest.mark.parametrize(
    ("recipe", "own"),
    [
        # Statistics of D, and G twice on shared latents; XLA around each step.
        ("dcgan_cpu", {"networks": "dcgan_fast", "jit_compile": "step"}),
        # Clusters, which each start learns once more.
        ("dcgan_fast", {"dataset": "mnist5k", "clusters": 20}),
        # Two batches a step, RMSprop, clipping, spectral norms, rates that fall.
        (
            "wgan",
            {
                "dataset": "mnist5k",
                "spectral_normalization": True,
                "learning_rate_decay": "cosine",
                "decay_steps": 60,
                "discriminator_updates": 2,
            },
        ),
    ],
)
def test_a_broken_run_of_what_the_first_had_not(recipe, own, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    own |= {"base_channels": 4, "batch_size": 8, "evaluate_every": 0}
    own |= {"max_seconds": 0, "steps": 60, "checkpoint_every": 7, "steps_per_call": 1}
    own |= {"log_every": 20, "sample_every": 25}
    train(recipe, run_dir=whole, **own)
    with pytest.raises(Broken):
        train(recipe, run_dir=broken, hooks=[BreakOff()], **own)
    assert not (broken / "saved_model").exists()
    assert int(last_checkpoint(broken)["step"]) == 21
    train(recipe, run_dir=broken, **own)
    assert_same_run(whole, broken)


def test_a_killed_toy_in_one_compiled_loop_with_metrics(tmp_path):
    """XLA around the loop, columns that come later, and a rhythm that changes."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    flags = ["--flagfile=gaussian_averaged", "--steps=3000", "--log_every=100"]
    flags += ["--evaluate_every=500", "--sample_every=1500", "--checkpoint_every=300"]
    code, stdout, stderr = call("train", *flags, f"--run_dir={whole}")
    assert (code, stderr) == (0, "")
    assert "wasserstein_1" in stdout.splitlines()[-1]  # the table ends it
    process = start("train", *flags, f"--run_dir={broken}")
    wait_for_step(process, broken, 300)
    process.kill()
    process.communicate(timeout=60)
    flags.append("--steps_per_call=70")
    code, stdout, stderr = call("train", *flags, f"--run_dir={broken}")
    assert (code, stderr) == (0, "")
    assert "resuming at step" in stdout
    assert_same_run(whole, broken)

    found = json.loads((whole / "metrics.json").read_text())
    assert found == json.loads((broken / "metrics.json").read_text())
    assert found["step"] == 3000
    assert set(found["metrics"]) == set(METRICS_OF_ONE_NUMBER)
    assert (whole / "metrics.png").is_file()
    header, *rows = (whole / "metrics.csv").read_text().splitlines()
    assert header.split(",")[-6:] == METRICS_OF_ONE_NUMBER
    measured = [row.split(",")[0] for row in rows if not row.endswith(",,,,,,")]
    assert measured == ["500", "1000", "1500", "2000", "2500", "3000"]
    sheets = sorted((whole / "samples").iterdir())
    assert imageio.imread(sheets[0]).shape == (400, 500, 3)


METRICS_OF_ONE_NUMBER = [
    "mean",
    "std",
    "skewness",
    "excess_kurtosis",
    "ks",
    "wasserstein_1",
]


# G learns fifty times faster than its recipe has it, and all of its samples become one.
COLLAPSING = [
    "--flagfile=mlp",
    "--dataset=mnist5k",
    "--epochs=0",
    "--generator_learning_rate=0.01",
    "--log_every=10",
    "--evaluate_every=40",
    "--steps_per_call=10",
    "--jit_compile=off",
]


def test_collapse_is_noticed_and_the_best_model_kept(tmp_path):
    """Killed on the way: the same best model, and the alarm still rings but once."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    flags = [*COLLAPSING, "--steps=330", "--checkpoint_every=50"]
    code, stdout, stderr = call("train", *flags, f"--run_dir={whole}")
    assert (code, stderr) == (0, "")
    said = [line for line in stdout.splitlines() if line.startswith("alarm: ")]
    assert sum("classes were missing" in line for line in said) == 1
    assert sum("D has won" in line for line in said) == 1
    assert len(said) == len(set(said)) < 4

    process = start("train", *flags, f"--run_dir={broken}")
    wait_for_step(process, broken, 100)
    process.kill()
    before, _ = process.communicate(timeout=60)
    code, after, stderr = call("train", *flags, f"--run_dir={broken}")
    assert (code, stderr) == (0, "")
    assert "resuming at step" in after
    assert_same_run(whole, broken)
    again = [x for x in (before + after).splitlines() if x.startswith("alarm: ")]
    assert set(again) == set(said)  # what was seen after the checkpoint is seen again
    assert (whole / "metrics.csv").read_text() == (broken / "metrics.csv").read_text()

    columns = RunDirectory(whole).read_metrics()
    measured = [x for x in columns["fcd_1k"] if x == x]
    board = EventAccumulator(str(whole)).Reload()
    drawn = [event.value for event in board.Scalars("fcd_1k")]
    assert drawn == pytest.approx(measured, rel=1e-6)
    assert len(measured) == 9  # every 40 steps, and the last
    best = columns["step"][columns["fcd_1k"].index(min(measured))]
    models = [LoadedModel(run_dir / "saved_model_best") for run_dir in (whole, broken)]
    for model in models:
        assert model.metadata["step"] == best
        found = model.metadata["distance"]["fcd_1k"]
        assert found == pytest.approx(min(measured), rel=1e-6)
    seeds = np.arange(3)
    assert np.array_equal(*(model.sample(seeds) for model in models))


@pytest.mark.usefixtures("eagerly")
def test_the_best_model_outlives_a_lost_record_and_one_of_another_version(tmp_path):
    """What it was measured at stands in the model too."""
    config = tiny_config(
        "mlp",
        epochs=0,
        steps=8,
        log_every=4,
        evaluate_every=4,
        run_dir=str(tmp_path / "run"),
    )
    train(config, echo=[].append)
    directory = RunDirectory(tmp_path / "run")
    made_by = directory.best_model / "assets.extra/tfgan_mnist.json"
    facts = json.loads(made_by.read_text())
    facts["distance"]["fcd_1k"] = 0.5
    made_by.write_text(json.dumps(facts))
    protocol = protocol_of("mnist")
    assert [step for step, _ in measured_rows(config, directory, protocol)] == [4, 8]
    text = directory.metrics.read_text().replace("classes_1k", "classes")
    directory.metrics.write_text(text)
    assert measured_rows(config, directory, protocol) == []
    directory.metrics.unlink()
    train(config, echo=[].append, steps=12)
    assert json.loads(made_by.read_text())["distance"]["fcd_1k"] == 0.5


@pytest.mark.usefixtures("eagerly")
def test_an_interrupt_after_the_last_step_lets_the_run_be_finished(tmp_path):
    def echo(line: str) -> None:
        if line.startswith("step 4"):
            signal.raise_signal(signal.SIGINT)

    config = tiny_config(steps=4, log_every=4, run_dir=str(tmp_path / "run"))
    config = dataclasses.replace(config, evaluate_every=0)
    with pytest.raises(RunStopped, match="SIGINT came after the last step") as stop:
        train(config, echo=echo)
    assert stop.value.exit_code == 130
    assert LoadedModel(tmp_path / "run" / "saved_model").metadata["step"] == 4


def test_collapse_ends_the_run_if_it_shall(tmp_path):
    flags = [*COLLAPSING, "--steps=2000", f"--run_dir={tmp_path / 'run'}"]
    flags.append("--stop_on_collapse")
    code, stdout, stderr = call("train", *flags)
    assert code == 1
    assert stderr.startswith("stopped by --stop_on_collapse: step ")
    assert len(stderr.splitlines()) == 1
    assert "alarm: " in stdout
    step = RunDirectory(tmp_path / "run").read_metrics()["step"][-1]
    assert step < 1000
    assert list((tmp_path / "run/checkpoints").glob(f"*{int(step)}*"))
    # The same again has nothing to add; the other way it goes on.
    assert call("train", *flags)[0] == 1
    flags += ["--nostop_on_collapse", f"--steps={int(step) + 10}"]
    assert call("train", *flags)[0] == 0


def test_the_alarm_is_silent_while_a_run_gets_better(tmp_path):
    flags = ["--flagfile=dcgan_fast", "--dataset=mnist5k", "--base_channels=8"]
    flags += ["--clusters=20", "--ema_decay=0.9", "--max_seconds=0", "--steps=200"]
    flags += ["--log_every=90", "--evaluate_every=40"]
    code, stdout, stderr = call("train", *flags, f"--run_dir={tmp_path / 'run'}")
    assert (code, stderr) == (0, "")
    assert "alarm: " not in stdout
    columns = RunDirectory(tmp_path / "run").read_metrics()
    rows = [i for i, distance in enumerate(columns["fcd_1k"]) if distance == distance]
    assert [columns["step"][i] for i in rows] == [40, 80, 120, 160, 200]
    assert columns["fcd_1k"][rows[-1]] < 0.5 * columns["fcd_1k"][rows[0]]
    # Nearly all are there: what gets lost would be missed.
    assert min(columns["classes_1k"][i] for i in rows[-2:]) >= 9
    assert columns["step"][-4:] == [120, 160, 180, 200]  # lines between, and no more


def test_how_to_go_on_after_a_stop_does_not_remove_the_run(tmp_path):
    flags = [*TINY, "--steps=4000", "--checkpoint_every=5", "--overwrite"]
    flags.append(f"--run_dir={tmp_path / 'run'}")
    process = start("train", *flags)
    wait_for_step(process, tmp_path / "run", 5)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command without --overwrite to go on from there" in stderr


def test_deterministic_and_mixed_precision_train(tmp_path):
    flags = [*TINY, "--steps=3", "--deterministic", "--mixed_precision=bfloat16"]
    code, _, stderr = run("train", *flags, f"--run_dir={tmp_path / 'run'}")
    # TensorFlow says so itself on processors that have no AVX-512, and is right.
    said = [line for line in stderr.splitlines() if "DT_BFLOAT16" not in line]
    assert (code, said) == (0, [])
    assert (tmp_path / "run" / "saved_model" / "saved_model.pb").is_file()


def test_a_full_disk_keeps_the_old_checkpoint_and_the_run_can_go_on(tmp_path):
    """A limit on the size of files stands in for the disk's end."""
    flags = [*TINY, "--base_channels=8", f"--run_dir={tmp_path / 'run'}"]
    assert call("train", *flags, "--steps=3")[0] == 0
    before = last_checkpoint(tmp_path / "run")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    code, _, stderr = run("train", *flags, "--steps=6", preexec_fn=limit)
    assert code == 1
    assert len(stderr.splitlines()) == 1
    assert "cannot write to" in stderr
    assert "step_0000003.npz is kept; make room" in stderr
    after = last_checkpoint(tmp_path / "run")
    assert int(after["step"]) == 3
    np.testing.assert_array_equal(
        after["variables/generator/00_kernel"], before["variables/generator/00_kernel"]
    )
    assert not list((tmp_path / "run").rglob("*unfinished*"))

    code, stdout, stderr = call("train", *flags, "--steps=6")
    assert code == 0, stderr
    assert "resuming at step 3" in stdout
    assert int(last_checkpoint(tmp_path / "run")["step"]) == 6


def test_a_disk_that_fills_with_pictures_is_one_line(tmp_path):
    flags = [*TINY, "--steps=6", "--sample_every=2", f"--run_dir={tmp_path / 'run'}"]

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    code, _, stderr = run("train", *flags, preexec_fn=limit)
    assert code == 1
    assert len(stderr.splitlines()) == 1, stderr
    assert "cannot write to" in stderr
    assert "There is no checkpoint yet" in stderr


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        # One move of D that is so long that its logits overflow when G asks for them.
        ("1e12", r"generator is nan at step 1"),
        # After some moves squares of gradients overflow; losses are still numbers.
        ("2e5", r"velocity is not finite after step (\d+)"),
    ],
)
def test_numbers_that_are_not_finite_stop_the_run(tmp_path, rate, message):
    flags = ["--flagfile=dcgan_tutorial", "--dataset=mnist5k", "--base_channels=4"]
    flags += ["--batch_size=8", "--epochs=0", "--steps=50", "--checkpoint_every=1"]
    flags += [f"--discriminator_learning_rate={rate}", "--evaluate_every=0"]
    flags += ["--nosimultaneous"]  # G answers the D that has moved
    code, _, stderr = call("train", *flags, f"--run_dir={tmp_path / 'run'}")
    assert code == 1
    assert len(stderr.splitlines()) == 1
    found = re.search(f"{message}: the run cannot go on. ", stderr)
    assert found, stderr
    assert not (tmp_path / "run" / "saved_model").exists()
    if not found.groups():
        assert "There is no checkpoint yet" in stderr
        return
    kept = int(found[1]) - 1
    assert kept > 0 and f"step_{kept:07d}.npz is kept" in stderr
    checkpoint = last_checkpoint(tmp_path / "run")
    assert int(checkpoint["step"]) == kept
    assert all(np.isfinite(array).all() for array in checkpoint.values())


def test_a_run_that_time_ends_leaves_its_model_and_pictures(tmp_path):
    lines: list[str] = []
    config = tiny_config(
        steps=0,
        max_seconds=3.0,
        run_dir=str(tmp_path / "run"),
        sample_every=10_000,
        evaluate_every=0,
    )
    result = train(config, echo=lines.append)
    assert result.step > 0
    assert 3.0 <= result.seconds < 60
    assert (result.saved_model / "saved_model.pb").is_file()
    sheets = sorted((tmp_path / "run" / "samples").iterdir())
    steps = [0, result.step]
    assert [sheet.stem for sheet in sheets] == [f"step_{step:07d}" for step in steps]
    # The time is spent: the same again trains nothing; more of it does.
    assert train(config, echo=lines.append).step == result.step
    more = train(config, echo=lines.append, max_seconds=result.seconds + 3)
    assert more.step > result.step


@pytest.mark.usefixtures("eagerly")
def test_from_python_by_name_with_overrides(tmp_path):
    lines: list[str] = []
    small = {"networks": "dcgan_fast", "base_channels": 4, "batch_size": 8}
    small |= {"max_seconds": 0, "evaluate_every": 0}
    place = {"run_dir": str(tmp_path / "run"), "steps": 2}
    result = train("dcgan_cpu", echo=lines.append, **small, **place)
    assert result.step == 2
    assert lines[0].endswith("training")
    with pytest.raises(UserError, match="'step' is no flag"):
        train("dcgan_cpu", step=3)
    longer = train("dcgan_cpu", echo=lines.append, **small, **place | {"steps": 3})
    assert longer.step == 3
    again = train("dcgan_cpu", overwrite=True, echo=lines.append, **small, **place)
    assert again.step == 2
    assert any("anew, removed checkpoints" in line for line in lines)


@pytest.mark.usefixtures("eagerly")
def test_an_error_in_the_caller_s_echo_is_the_caller_s(tmp_path):
    def echo(line: str) -> None:
        if line.startswith("step"):
            raise ZeroDivisionError

    config = tiny_config(steps=9, log_every=2, run_dir=str(tmp_path / "run"))
    with pytest.raises(ZeroDivisionError):
        train(config, echo=echo)
    assert train(config).step == 9


class Every:
    """A hook that says itself when."""

    every, at_start, at_end = 4, True, False

    def __init__(self):
        self.steps: list[int] = []

    def __call__(self, state) -> None:
        self.steps.append(state.step)


@pytest.mark.usefixtures("eagerly")
def test_hooks_and_results_of_ones_own(tmp_path):
    """A function sees the losses of each log line; a result has what was written."""
    config = tiny_config(
        "moons",
        steps=12,
        epochs=0,
        log_every=5,
        evaluate_every=6,
        run_dir=tmp_path / "run",
    )
    seen, own = [], Every()

    def watch(state) -> None:
        seen.append((state.step, len(state.losses)))

    lines = []
    result = train(config, echo=lines.append, hooks=[watch, own])
    assert seen == [(5, 5), (10, 4), (12, 2)]  # step 6 was logged with metrics
    assert own.steps == [0, 4, 8, 12]
    assert result.history["step"].tolist() == [5, 6, 10, 12]
    assert np.isfinite(result.history["generator"]).all()
    measured = ~np.isnan(result.history["energy_distance"])
    assert measured.tolist() == [False, True, False, True]
    assert set(result.metrics) >= {"energy_distance"}
    assert result.model.sample(7).shape == (7, 2)
    without = train(config, echo=lines.append)  # finished: nothing is trained again
    assert without.metrics == result.metrics
