"""Distributed runs, by the real command in real processes on this machine."""

import contextlib
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from conftest import (
    TINY,
    assert_one_line_error,
    free_addresses,
    run,
    start,
    variables,
    wait_for_step,
)

FLAGS = [
    *TINY,
    "--dataset=mnist5k",
    "--distribute=multi_worker",
    "--steps=120",
    "--log_every=20",
    "--sample_every=120",
    "--checkpoint_every=20",
    "--keep_checkpoints=10000",
    "--steps_per_call=5",
]
STARTED: list = []


@contextlib.contextmanager
def cluster_of(addresses: list[str], index: int):
    """TF_CONFIG for what is started inside."""
    task = {"type": "worker", "index": index}
    before = os.environ.get("TF_CONFIG")
    os.environ["TF_CONFIG"] = json.dumps(
        {"cluster": {"worker": addresses}, "task": task}
    )
    try:
        yield
    finally:
        del os.environ["TF_CONFIG"]
        if before is not None:
            os.environ["TF_CONFIG"] = before


def start_two(run_dir: Path, *flags: str) -> list:
    addresses, processes = free_addresses(2), []
    for index in (0, 1):
        with cluster_of(addresses, index):
            words = ["train", *FLAGS, f"--run_dir={run_dir}", *flags]
            processes.append(start(*words))
    STARTED.extend(processes)
    return processes


def end(processes: list) -> list[tuple[int, str, str]]:
    found = []
    for process in processes:
        stdout, stderr = process.communicate(timeout=240)
        found.append((process.returncode, stdout, stderr))
    return found


@pytest.fixture(autouse=True, scope="module")
def nobody_left_over():
    """Workers that a failed test leaves would train on for ever."""
    yield
    for process in STARTED:
        process.kill()


def test_stopped_together_killed_and_resumed_in_the_same_bits(tmp_path):
    """One test, so that the undisturbed run is made but once."""
    whole = tmp_path / "whole"
    chief, other = start_two(whole, "--steps=100000")
    wait_for_step(chief, whole, 120)
    other.send_signal(signal.SIGTERM)
    (code, stdout, stderr), (other_code, other_stdout, heard) = end([chief, other])
    assert code == other_code == 143, stderr + heard
    step = stderr.partition("at step ")[2].partition(", saved")[0]
    assert f"stopped with the others by SIGTERM at step {step}" in heard
    assert f"step {step}" in stdout
    assert other_stdout == ""  # the chief alone prints, and writes
    last = int(step.replace(",", ""))
    assert (whole / "checkpoints" / f"step_{last:07d}.npz").is_file()
    assert (whole / "saved_model" / "saved_model.pb").is_file()

    run_dir = tmp_path / "run"
    chief, other = start_two(run_dir)
    wait_for_step(chief, run_dir, 20)
    other.kill()
    (code, _, stderr), _ = end([chief, other])
    assert code != 0
    assert "another worker has gone" in stderr
    assert not (run_dir / "checkpoints" / "step_0000120.npz").exists()

    for code, _, stderr in end(start_two(run_dir)):
        assert code == 0, stderr
    expected, found = variables(whole, 120), variables(run_dir, 120)
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)

    # One worker goes on where two were.
    flags = [*FLAGS, "--distribute=none", "--steps=125", f"--run_dir={run_dir}"]
    code, stdout, stderr = run("train", *flags)
    assert code == 0, stderr
    assert "resuming at step 120" in stdout


def test_what_is_wrong_is_said_before_tensorflow_loads(tmp_path, monkeypatch):
    flags = [*FLAGS, f"--run_dir={tmp_path / 'run'}"]
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert_one_line_error(run("train", *flags), "TF_CONFIG is not set")
    with cluster_of(free_addresses(3), 0):
        words = ("--batch_size=8", "3 workers", "multiple of 3")
        assert_one_line_error(run("train", *flags), *words)
    assert not (tmp_path / "run").exists()
