"""A run that is not finished can be looked at; a finished one is not trained again."""

import dataclasses
import json
import signal
import time
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import tensorflow as tf
from conftest import TINY, assert_one_line_error, call, start, tiny_config

from tfgan_mnist import runner
from tfgan_mnist.serving.reader import LoadedModel, row_seeds
from tfgan_mnist.system.errors import RunStopped, UserError
from tfgan_mnist.train import train
from tfgan_mnist.training import loop
from tfgan_mnist.training.checkpoint import State, read_newest

pytestmark = pytest.mark.usefixtures("eagerly")


def wait_for(path: Path, process, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, f"no {path}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory) -> tuple[Path, int, str]:
    """A run that Ctrl-C stopped: its folder, exit code and stdout."""
    run_dir = tmp_path_factory.mktemp("stopped") / "run"
    flags = [*TINY, "--steps=100000", "--log_every=5", "--sample_every=5"]
    flags += ["--checkpoint_every=5", "--steps_per_call=1", f"--run_dir={run_dir}"]
    process = start("train", *flags)
    wait_for(run_dir / "samples" / "step_0000010.png", process)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert "stopped by SIGINT" in stderr, stderr
    return run_dir, process.returncode, stdout


def test_an_interrupted_run_leaves_animation_plot_and_model(stopped):
    run_dir, code, _ = stopped
    assert code == 130
    assert (run_dir / "progress.gif").stat().st_size > 0
    assert (run_dir / "loss.png").stat().st_size > 0
    newest = read_newest(run_dir / "checkpoints")
    model = LoadedModel(run_dir / "saved_model")
    assert model.metadata["step"] == int(newest["step"]) >= 10
    assert model.sample(row_seeds(1, 2)).shape == (2, 28, 28, 1)
    assert not [*run_dir.rglob(".unfinished*")]


class StopAtSeven:
    """A hook in place of somebody's Ctrl-C."""

    every, at_start, at_end = 1, False, False

    def __call__(self, state):
        if state.step == 7:
            signal.raise_signal(signal.SIGINT)


def test_a_run_that_stopped_between_lines_ends_there_if_its_limit_is_lowered(tmp_path):
    limits = {"epochs": 0, "max_seconds": 0.0, "log_every": 5, "evaluate_every": 0}
    config = tiny_config(run_dir=str(tmp_path), steps_per_call=1, **limits)
    with pytest.raises(RunStopped):
        train(config, hooks=[StopAtSeven()], steps=12)
    assert int(read_newest(tmp_path / "checkpoints")["step"]) == 7
    assert train(config, steps=7).step == 7
    assert (tmp_path / "samples" / "step_0000007.png").is_file()


def test_the_first_frame_is_of_untrained_networks(stopped):
    run_dir, _, _ = stopped
    assert (run_dir / "samples" / "step_0000000.png").is_file()


def test_a_second_interrupt_skips_what_the_first_would_write(tmp_path):
    run_dir = tmp_path / "run"
    flags = [*TINY, "--steps=100000", "--log_every=5", "--sample_every=1"]
    flags += ["--steps_per_call=1", f"--run_dir={run_dir}"]
    process = start("train", *flags)
    wait_for(run_dir / "samples" / "step_0000040.png", process)
    process.send_signal(signal.SIGINT)
    for line in process.stdout:
        if "writing its pictures" in line:
            process.send_signal(signal.SIGINT)
            break
    process.communicate(timeout=120)
    assert process.returncode == 130
    assert not (run_dir / "saved_model").exists()
    assert not [*run_dir.rglob(".unfinished*")]
    assert read_newest(run_dir / "checkpoints") is not None


@pytest.fixture(scope="module")
def unfinished(stopped, tmp_path_factory) -> Path:
    """The same run as ``kill -9`` would leave it: checkpoints and no model."""
    import shutil

    run_dir, _, _ = stopped
    copy = tmp_path_factory.mktemp("unfinished") / "run"
    shutil.copytree(run_dir, copy)
    shutil.rmtree(copy / "saved_model")
    return copy


def test_the_model_of_a_run_is_that_of_its_newest_checkpoint(stopped, unfinished):
    seeds = row_seeds(1, 3)
    expected = LoadedModel(stopped[0] / "saved_model").sample(seeds)
    before = {path for path in unfinished.rglob("*")}
    with runner.model_of_run(unfinished) as path:
        found = LoadedModel(path)
    np.testing.assert_allclose(found.sample(seeds), expected, atol=1e-6)
    step = int(read_newest(unfinished / "checkpoints")["step"])
    assert found.metadata["step"] == step
    assert {path for path in unfinished.rglob("*")} == before  # nothing was written
    with runner.model_of_run(stopped[0]) as path:  # a copy of what is there
        made = "saved_model.pb"
        written = stopped[0] / "saved_model" / made
        assert (path / made).read_bytes() == written.read_bytes()
        assert path != written.parent


def test_commands_take_a_run_that_is_not_finished(unfinished, tmp_path):
    output = tmp_path / "digits.npy"
    words = [f"--run_dir={unfinished}", "--count=3", f"--output={output}"]
    code, _, stderr = call("sample", *words)
    assert code == 0, stderr
    assert np.load(output).shape == (3, 28, 28, 1)
    words = [f"--run_dir={unfinished}", f"--serving_dir={tmp_path / 'serving'}"]
    code, stdout, stderr = call("export", *words)
    assert code == 0, stderr
    step = int(read_newest(unfinished / "checkpoints")["step"])
    assert f"version 1, of step {step}" in stdout
    assert (tmp_path / "serving/1/saved_model.pb").is_file()


@pytest.mark.parametrize("command", ["sample", "export"])
def test_a_run_without_what_is_asked_for_is_one_line(command, unfinished, tmp_path):
    more = [f"--serving_dir={tmp_path / 's'}"] if command == "export" else []
    result = call(command, f"--run_dir={unfinished}", "--best", *more)
    assert_one_line_error(result, "saved_model_best", "--evaluate_every")
    result = call(command, f"--run_dir={tmp_path}", *more)
    assert_one_line_error(result, f"--run_dir={tmp_path}", "config.flags")


def test_a_run_before_its_first_checkpoint_is_named(tmp_path):
    (tmp_path / "config.flags").write_text(tiny_config().to_flags())
    with (
        pytest.raises(UserError, match="the first is of step 500"),
        runner.model_of_run(tmp_path),
    ):
        pass


def test_a_run_that_ended_before_its_first_checkpoint_says_so(tmp_path):
    config = tiny_config(steps=3, max_seconds=0.0, evaluate_every=0, log_every=1)
    config = dataclasses.replace(config, run_dir=str(tmp_path))

    def break_off(state):
        if state.step == 2:
            raise ValueError("as if killed")

    with pytest.raises(ValueError, match="as if killed"):
        train(config, hooks=[break_off], echo=[].append)
    lines = []
    train(config, echo=lines.append)
    expected = "starts again, as the last try ended before its first checkpoint"
    assert lines[0] == f"{tmp_path}: {expected}"
    again = []
    train(config, echo=again.append)
    assert again[0] == (
        f"{tmp_path}: was finished already; larger --steps would lengthen it"
    )
    assert again[1:] == lines[-len(again[1:]) :]  # the result, once more


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"steps": 9, "epochs": 1}, "; larger --epochs would lengthen it"),
        ({"steps": 8}, "; larger --steps would lengthen it"),
        ({"steps": 8, "max_seconds": 3.0}, "larger --steps and --max_seconds would"),
        ({"max_seconds": 3.0}, "; larger --max_seconds would lengthen it"),
        ({"steps": 8, "learning_rate_decay": "cosine", "decay_steps": 8}, ""),
    ],
)
def test_the_limits_that_a_run_has_met(limits, words):
    nothing = {"steps": 0, "epochs": 0, "max_seconds": 0.0, "batch_size": 625}
    config = tiny_config(**nothing | limits)  # 8 steps an epoch of 5,000 images
    found = runner._larger(config, State({}, 8, 3.0))
    assert words in found
    assert bool(words) == bool(found)


def test_a_path_is_a_run_directory_too(tmp_path):
    result = train(
        tiny_config(), steps=1, max_seconds=0, evaluate_every=0, run_dir=tmp_path / "a"
    )
    assert result.run_dir == tmp_path / "a"


class Slow:
    """A hook that takes its time, and remembers what the clock said."""

    at_start, at_end = False, True

    def __init__(self, every: int, seconds: float):
        self.every, self.seconds = every, seconds
        self.saved = 0.0

    def __call__(self, state: State) -> None:
        time.sleep(self.seconds)
        self.saved = state.seconds


def test_the_seconds_that_are_saved_decide_whether_time_is_up():
    """A hook carries a run past its limit; what it saved must not train on."""

    def advance(first, count):
        return np.zeros([count, 1], np.float32)

    hook = Slow(every=1, seconds=0.3)
    state = State({})
    loop.run(advance, lambda: ["loss"], state, [hook], max_seconds=0.2)
    assert hook.saved >= 0.2
    steps, resumed = state.step, State({}, state.step, hook.saved)
    loop.run(advance, lambda: ["loss"], resumed, [], max_seconds=0.2)
    assert resumed.step == steps


def test_a_run_that_evaluation_carried_past_its_time_is_finished(tmp_path):
    flags = {"max_seconds": 1.5, "evaluate_every": 8, "run_dir": tmp_path / "run"}
    first = train(tiny_config(), steps=0, **flags)
    again = train(tiny_config(), steps=0, **flags)
    assert (again.step, again.seconds) == (first.step, first.seconds)


def test_a_saved_model_stores_each_weight_once(trained):
    folder = trained / "saved_model" / "variables"
    stored = sum(path.stat().st_size for path in folder.glob("variables.data*"))
    reader = tf.train.load_checkpoint(str(folder / "variables"))
    shapes = reader.get_variable_to_shape_map()
    counts = [np.prod(shape) for key, shape in shapes.items() if "by_name" in key]
    assert stored < 1.02 * 4 * sum(counts) + 4096
    config = tiny_config()
    from tfgan_mnist.build import build_networks

    networks = build_networks(config).values()
    assert sum(counts) == sum(network.count_params() for network in networks)


def test_metadata_is_what_the_flags_say(trained):
    path = trained / "saved_model" / "assets.extra" / "tfgan_mnist.json"
    found = json.loads(path.read_text())
    assert found["classes"] == 0
    assert found["flags"]["base_channels"] == 4
    assert not {"run_dir", "data_dir", "init_from"} & set(found["flags"])


def test_the_best_model_of_a_run_is_drawn_and_exported(tmp_path):
    run_dir = tmp_path / "run"
    train(tiny_config(), steps=16, evaluate_every=8, max_seconds=0, run_dir=run_dir)
    best = LoadedModel(run_dir / "saved_model_best")
    assert best.metadata["distance"]["fcd_1k"] > 0
    output = tmp_path / "digits.npy"
    words = [f"--run_dir={run_dir}", "--best", "--count=2", f"--output={output}"]
    code, _, stderr = call("sample", *words)
    assert code == 0, stderr
    expected = best.sample(row_seeds(1, 2))
    np.testing.assert_allclose(np.load(output), expected, atol=1e-6)
    words = [f"--run_dir={run_dir}", "--best", f"--serving_dir={tmp_path / 's'}"]
    code, stdout, stderr = call("export", *words)
    assert code == 0, stderr
    assert f"of step {best.metadata['step']}" in stdout


@pytest.mark.parametrize(
    ("recipe", "flags"),
    [
        ("dcgan_fast", {}),
        ("cgan_embedding", {}),
        ("dcgan_cpu", {"mixed_precision": "float16"}),
    ],
)
def test_a_checkpoint_alone_makes_the_model_of_any_game(recipe, flags, tmp_path):
    """Clusters, labels and weights of a run in half precision."""
    import shutil

    config = tiny_config(recipe, evaluate_every=0, **flags)
    limits = {"steps": 2, "epochs": 0, "max_seconds": 0, "run_dir": tmp_path / "run"}
    result = train(config, **limits)
    labels = np.array([3, 1]) if config.classes else None
    seeds = row_seeds(1, 2)
    expected = LoadedModel(result.saved_model).sample(seeds, labels=labels)
    shutil.rmtree(result.saved_model)
    with runner.model_of_run(tmp_path / "run") as path:
        found = LoadedModel(path).sample(seeds, labels=labels)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_run_whose_pictures_are_elsewhere_is_still_drawn_from(tmp_path):
    """Shape, channels, classes and their names are in its record."""
    import shutil

    random = np.random.default_rng(1)
    for i in range(60):
        place = tmp_path / "photos" / "abc"[i % 3]
        place.mkdir(parents=True, exist_ok=True)
        imageio.imwrite(place / f"{i}.png", random.integers(0, 255, (9, 9, 3), "u1"))
    config = tiny_config(
        "cdcgan_fast",
        dataset=f"folder:{tmp_path / 'photos'}",
        clusters=2,
        image_size=32,
        evaluate_every=0,
    )
    run_dir = tmp_path / "run"
    limits = {"steps": 2, "epochs": 0, "max_seconds": 0, "run_dir": run_dir}
    labels, seeds = np.array([2, 1]), row_seeds(1, 2)
    saved = train(config, **limits).saved_model
    expected = LoadedModel(saved)
    images = expected.sample(seeds, labels=labels)
    assert images.shape == (2, 32, 32, 3)
    shutil.rmtree(saved)  # so that the checkpoint is read
    (tmp_path / "photos").rename(tmp_path / "moved")
    with runner.model_of_run(run_dir) as path:
        found = LoadedModel(path)
    np.testing.assert_allclose(found.sample(seeds, labels=labels), images, atol=1e-6)
    said = ("dataset", "classes", "class_names", "flags")
    assert [found.metadata[n] for n in said] == [expected.metadata[n] for n in said]
    output = tmp_path / "a.npy"
    words = [f"--run_dir={run_dir}", "--label=2,1", "--count=2", f"--output={output}"]
    code, _, stderr = call("sample", *words)
    assert code == 0, stderr
    with pytest.raises(UserError, match="there is no such folder"):
        train(config, **limits)
