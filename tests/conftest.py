"""What the tests share: TensorFlow as the commands start it, and a small run."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import importlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from tfgan_mnist.config import Config, find_recipe, read_config
from tfgan_mnist.registry import NETWORKS
from tfgan_mnist.system import command as commands
from tfgan_mnist.system.engine import settings
from tfgan_mnist.system.runtime import load_tensorflow

gc.set_threshold(*commands.SELDOM)  # as commands have it
load_tensorflow()

# As at a terminal, for us and those we start: a shell's background jobs ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]

# A folder with a prepared copy of MNIST; tests that want it skip without it.
PREPARED_MNIST = Path(os.environ.get("MNIST_DATA_DIR", "no MNIST_DATA_DIR is set"))
needs_mnist = pytest.mark.skipif(
    not (PREPARED_MNIST / "mnist").is_dir(),
    reason="MNIST_DATA_DIR names no folder with a prepared copy of MNIST",
)

# Narrow networks of few layers and one update of each side: a step takes milliseconds,
# and is traced in a third of the time of the recipe's own.
TINY = [
    "--flagfile=dcgan_cpu",
    "--networks=dcgan_fast",
    "--base_channels=4",
    "--batch_size=8",
    "--generator_updates=1",
    "--max_seconds=0",
    "--evaluate_every=0",
]


def tiny_config(recipe: str = "", **overrides) -> Config:
    """The Config of a recipe, made small; by default the one that ``TINY`` gives, but
    with the two updates of G that its recipe has.

    XLA would take minutes for all that are built; what it compiles is compared with
    this in test_step.py, and trained in test_train.py.
    """
    config = read_config(find_recipe(recipe or "dcgan_cpu"))
    small = {"base_channels": 4, "steps_per_call": 8, "jit_compile": "off"}
    if not recipe:
        small["networks"] = "dcgan_fast"
    small["batch_size"] = max(8, NETWORKS[config.networks].packing)
    if config.dataset in ("mnist", "stacked"):
        small["dataset"] = f"{config.dataset}5k"
    if config.clusters:
        small["clusters"] = 3
    return dataclasses.replace(config, **small | overrides)


def eager_step(training, step: int = 0) -> np.ndarray:
    """Makes one step eagerly, ten times as fast as tracing it, and returns its losses.

    It does not show whether the step can be traced.
    """
    import tensorflow as tf

    first = tf.constant(step)
    return training.step.one_step(first, training.step.batches(first)).numpy()


def start(command: str, *flags: str, **options) -> subprocess.Popen:
    """Starts a command of the package as a user would, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", f"tfgan_mnist.{command}", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **options,
    )


def run(command: str, *flags: str, **options) -> tuple[int, str, str]:
    """Runs a command to its end: exit code, stdout, stderr."""
    process = start(command, *flags, **options)
    stdout, stderr = process.communicate(timeout=300)
    return process.returncode, stdout, stderr


def call(command: str, *flags: str, cwd: Path | None = None) -> tuple[int, str, str]:
    """As ``run``, but in this process, where TensorFlow has started already.

    For what does not depend on a process of its own: signals, limits, bits, what
    TensorFlow prints and is told when it starts.
    """
    main = importlib.import_module(f"tfgan_mnist.{command}").main
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd or Path.cwd()),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        warnings.catch_warnings(),
    ):
        code = commands.run(main, flags)
    return code, stdout.getvalue(), stderr.getvalue()


def assert_one_line_error(result: tuple[int, str, str], *words: str) -> None:
    """Exit code 2, and one line on stderr that holds the words; nothing else."""
    code, stdout, stderr = result
    assert code == 2, stderr
    assert stdout == ""
    assert len(stderr.splitlines()) == 1, stderr
    assert stderr.startswith("error: ")
    for word in words:
        assert word in stderr


def free_addresses(count: int) -> list[str]:
    """Addresses of this machine at ports that nobody listens at now."""
    with contextlib.ExitStack() as probes:
        found = []
        for _ in range(count):
            probe = probes.enter_context(contextlib.closing(socket.socket()))
            probe.bind(("", 0))
            found.append(f"localhost:{probe.getsockname()[1]}")
        return found


@contextlib.contextmanager
def cluster_of(addresses: list[str], index: int) -> Iterator[None]:
    """TF_CONFIG for what is started inside."""
    task = {"type": "worker", "index": index}
    with pytest.MonkeyPatch.context() as patch:
        cluster = {"cluster": {"worker": addresses}, "task": task}
        patch.setenv("TF_CONFIG", json.dumps(cluster))
        yield


@contextlib.contextmanager
def two_workers(*flags: str) -> Iterator[list[subprocess.Popen]]:
    """The chief of a training and another worker; neither outlives a failed test.

    Each has as many threads as Ray's workers get, and so the same bits.
    """
    addresses, processes = free_addresses(2), []
    try:
        for index in (0, 1):
            with cluster_of(addresses, index), pytest.MonkeyPatch.context() as patch:
                for name, value in settings(processes=2).items():
                    patch.setenv(name, value)
                words = [*flags, "--distribute=multi_worker"]
                processes.append(start("train", *words))
        yield processes
    finally:
        for process in processes:
            process.kill()


def end(processes: list[subprocess.Popen]) -> list[tuple[int, str, str]]:
    """Waits for processes: exit code, stdout, stderr of each."""
    found = [process.communicate(timeout=240) for process in processes]
    codes = [process.returncode for process in processes]
    return [(code, *texts) for code, texts in zip(codes, found, strict=True)]


def variables(run_dir: Path, step: int) -> dict[str, np.ndarray]:
    """All that a run's checkpoint of a step holds, but for the clock."""
    with np.load(run_dir / "checkpoints" / f"step_{step:07d}.npz") as file:
        return {name: file[name] for name in file.files if name != "seconds"}


def wait_for_step(process: subprocess.Popen, run_dir: Path, step: int) -> None:
    """Until a run has a checkpoint of a step, or of a later one."""
    deadline = time.monotonic() + 240
    while not any(
        int(path.stem.removeprefix("step_")) >= step
        for path in (run_dir / "checkpoints").glob("step_*.npz")
    ):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Runs in this process trace nothing but what they save.

    A few steps then take half the time. For what does not depend on a trace: the bits
    of a step, and whether it can be traced, are other tests' concern.
    """
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """The directory of a tiny run with averaged weights, made by the real command."""
    run_dir = tmp_path_factory.mktemp("trained") / "run"
    flags: Sequence[str] = [
        *TINY,
        "--steps=12",
        "--log_every=5",
        "--sample_every=6",
        "--checkpoint_every=5",
        f"--run_dir={run_dir}",
    ]
    code, stdout, stderr = run("train", *flags)
    assert code == 0, stderr
    (run_dir.parent / "stdout").write_text(stdout)
    (run_dir.parent / "stderr").write_text(stderr)
    return run_dir


@pytest.fixture(scope="session")
def conditional(tmp_path_factory) -> Path:
    """A tiny conditional model, untrained."""
    return untrained("cgan_embedding", tmp_path_factory.mktemp("conditional"))


@pytest.fixture(scope="session")
def toy(tmp_path_factory) -> Path:
    """A tiny model of the moons, untrained."""
    return untrained("moons", tmp_path_factory.mktemp("toy"))


def write_model(gan, path: Path, metadata: dict | None = None) -> None:
    """Writes a GAN as a SavedModel, with its weights as they are."""
    from tfgan_mnist.build import named_weights
    from tfgan_mnist.serving.writer import Writer

    variables = named_weights(gan.networks) | dict(gan.state)
    Writer(gan, variables).write(path, metadata or {})


def untrained(recipe: str, folder: Path) -> Path:
    """A tiny model of a recipe, with its initial weights, as a SavedModel."""
    from tfgan_mnist import runner
    from tfgan_mnist.build import build_gan
    from tfgan_mnist.training.checkpoint import State

    config = tiny_config(recipe)
    metadata = runner.metadata(config, State({}))
    write_model(build_gan(config), folder / "saved_model", metadata)
    return folder / "saved_model"
