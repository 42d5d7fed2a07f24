"""Runs by Ray's workers: real processes, on this machine."""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from conftest import (
    TINY,
    assert_one_line_error,
    end,
    free_addresses,
    run,
    start,
    tiny_config,
    two_workers,
    variables,
    wait_for_step,
)

from tfgan_mnist import launch, train
from tfgan_mnist.system import interrupts
from tfgan_mnist.system.errors import RunStopped, UserError

FLAGS = [
    *TINY,
    "--dataset=mnist5k",
    "--steps=60",
    "--log_every=10",
    "--sample_every=60",
    "--checkpoint_every=10",
    "--keep_checkpoints=10000",
    "--steps_per_call=5",
]
needs_ray = pytest.mark.skipif(
    not importlib.util.find_spec("ray"), reason="ray is not installed"
)


def workers_of(
    process: subprocess.Popen, run_dir: Path
) -> tuple[psutil.Process, psutil.Process]:
    """The chief, which alone holds a file of the run open, and the other worker."""
    deadline = time.monotonic() + 240
    while True:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        found = [
            child
            for child in psutil.Process(process.pid).children(recursive=True)
            if child.name().startswith("ray::RayTrainWo")
        ]
        chiefs = [worker for worker in found if holds(worker, run_dir)]
        assert len(found) <= 2
        assert len(chiefs) <= 1
        if len(found) == 2 and chiefs:
            (other,) = set(found) - set(chiefs)
            return chiefs[0], other
        time.sleep(0.2)


def holds(process: psutil.Process, folder: Path) -> bool:
    """Whether a process has a file in a folder open."""
    return any(folder in Path(file.path).parents for file in process.open_files())


@needs_ray
def test_a_worker_that_is_killed_is_started_again(tmp_path):
    """The chief or another: the run has the bits of one by hand that nobody killed."""
    whole, run_dir = tmp_path / "whole", tmp_path / "run"
    with two_workers(*FLAGS, f"--run_dir={whole}") as processes:
        for code, _, stderr in end(processes):
            assert code == 0, stderr
    words = [*FLAGS, "--workers=2", "--steps=100000", f"--run_dir={run_dir}"]
    process = start("train", *words)
    try:
        for step, which in ((10, 0), (30, 1)):
            workers = workers_of(process, run_dir)
            wait_for_step(process, run_dir, step)
            workers[which].kill()
            psutil.wait_procs(workers)  # Ray ends the one that is left
        wait_for_step(process, run_dir, 60)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=400)
    finally:
        process.kill()
    assert process.returncode == 128 + signal.SIGTERM, stderr
    assert "stopped by SIGTERM at step" in stderr
    for again in (1, 2):
        assert re.search(rf"a worker was lost \(.+\); all .+ again \({again}\)", stderr)
    assert stdout.startswith(f"{run_dir}: training\nstep 10  D ")
    assert stdout.count("resuming at step") == 2
    expected, found = variables(whole, 60), variables(run_dir, 60)
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    assert (run_dir / "saved_model" / "saved_model.pb").is_file()
    assert "--workers=2" in (run_dir / "config.flags").read_text()


def test_two_starts_in_a_row_without_a_new_checkpoint_are_enough(capfd):
    patience = launch.Patience("--workers=2", None, now=0.0)
    for starts, newest in ((2, None), (3, Path("a")), (4, Path("b")), (5, Path("b"))):
        patience.start_again(starts, "killed", newest)
        assert (
            f"(killed); all are started again ({starts - 1})" in capfd.readouterr().err
        )
    with pytest.raises(RunStopped, match=r"--workers=2: .*\(killed\), and 2 starts"):
        patience.start_again(6, "killed", Path("b"))


def test_after_a_loss_workers_have_as_long_to_come_as_at_first():
    patience = launch.Patience("--workers=2", None, now=0.0)
    patience.wait(False, launch.PATIENCE)
    patience.wait(True, 1000.0)
    patience.start_again(2, "killed", None)
    patience.wait(False, 1000.0 + launch.PATIENCE)
    with pytest.raises(RunStopped, match="not all workers came within 300 seconds"):
        patience.wait(False, 1000.1 + launch.PATIENCE)


def test_a_last_line_without_an_end_is_handed_on_too():
    heard = []
    with launch._Relay(heard.append) as relay:
        print("one", file=relay)
        print("two", end="", file=relay)
        assert heard == ["one"]
    assert heard == ["one", "two"]


def test_a_run_is_started_over_until_it_was_opened():
    coordinator = launch.Coordinator()
    assert not coordinator.begin(0)
    coordinator.meet()
    coordinator.lose("killed")  # before the chief has opened the run directory
    assert not coordinator.begin(0)
    coordinator.meet()
    coordinator.asked()
    coordinator.lose("killed")
    assert coordinator.begin(0)
    starts, came, reason, _, _ = coordinator.news()
    assert (starts, came, reason) == (3, False, "killed")


@needs_ray
def test_an_error_that_would_repeat_ends_the_run(tmp_path, capfd):
    def broken(state):
        raise KeyError("no such thing")

    with pytest.raises(RunStopped, match="worker 0: KeyError: 'no such thing'") as stop:
        train(
            tiny_config(),
            hooks=[broken],
            workers=2,
            log_every=5,
            max_seconds=0,
            evaluate_every=0,
            run_dir=tmp_path / "run",
        )
    assert stop.value.exit_code == 1
    stderr = capfd.readouterr().err
    assert "in broken" in stderr
    assert "started again" not in stderr


@needs_ray
def test_workers_that_never_come(tmp_path, monkeypatch):
    folder = tempfile.mkdtemp()  # short: sockets are to be in it
    address = ("127.0.0.1", int(free_addresses(1)[0].partition(":")[2]))
    words = ["start", "--head", "--block", "--num-cpus=1", f"--port={address[1]}"]
    words += ["--include-dashboard=false", "--disable-usage-stats"]
    words += [f"--temp-dir={folder}"]
    ray = Path(sys.executable).with_name("ray")
    cluster = subprocess.Popen([ray, *words], stdout=subprocess.DEVNULL)
    monkeypatch.setattr(launch, "PATIENCE", 5)
    try:
        for _ in range(300):  # until it listens
            with contextlib.suppress(OSError), socket.create_connection(address):
                break
            time.sleep(0.2)
        flags = {"workers": 2, "dataset": "mnist5k", "run_dir": tmp_path / "run"}
        flags["address"] = f"{address[0]}:{address[1]}"
        with pytest.raises(RunStopped, match="not all workers came within 5 seconds"):
            train("dcgan_cpu", **flags)
        with initialized(flags["address"]):
            with socket.create_server(("127.0.0.1", 0)) as other:
                elsewhere = f"127.0.0.1:{other.getsockname()[1]}"
                with pytest.raises(
                    UserError, match=f"--address={elsewhere}: Ray is in"
                ):
                    train("dcgan_cpu", **flags | {"address": elsewhere})
            monkeypatch.setattr(launch, "PATIENCE", 300)
            threading.Timer(8, os.kill, (os.getpid(), signal.SIGINT)).start()
            with pytest.raises(
                RunStopped, match="stopped by SIGINT before all"
            ) as stop:
                train("dcgan_cpu", **flags)
            assert stop.value.exit_code == 128 + signal.SIGINT
            deadline = time.monotonic() + 60
            while ours := jobs_of(cluster):
                assert time.monotonic() < deadline, ours
                time.sleep(0.5)
    finally:
        cluster.terminate()
        cluster.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def initialized(address: str) -> Iterator[None]:
    """Ray as a caller may have initialized it already."""
    import ray

    with interrupts.deferred():
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    try:
        yield
    finally:
        ray.shutdown()


def jobs_of(cluster: subprocess.Popen) -> list[str]:
    """What runs on a cluster of this machine, but for Ray's own processes."""
    names = [p.name() for p in psutil.Process(cluster.pid).children(recursive=True)]
    return [name for name in names if name.startswith(("ray::keep", "ray::Coord"))]


def test_what_is_wrong_is_said_before_anything_is_started(tmp_path):
    flags = [*FLAGS, "--workers=2", f"--run_dir={tmp_path / 'run'}"]
    words = ("--batch_size=8", "3 workers of --workers=3", "multiple of 3")
    assert_one_line_error(run("train", *flags, "--workers=3"), *words)
    words = ("--batch_size=8", "16 workers", "multiple of 16")  # more than rows
    assert_one_line_error(run("train", *flags, "--workers=16"), *words)
    (address,) = free_addresses(1)
    if importlib.util.find_spec("ray"):
        found = run("train", *flags, f"--address={address}")
        assert_one_line_error(found, f"--address={address}", "nobody answers")
    assert not (tmp_path / "run").exists()
