"""Distributed runs, by the real command in real processes on this machine."""

import signal

from conftest import (
    TINY,
    assert_one_line_error,
    cluster_of,
    end,
    free_addresses,
    run,
    two_workers,
    wait_for_step,
)

FLAGS = [
    *TINY,
    "--dataset=mnist5k",
    "--steps=100000",
    "--log_every=20",
    "--sample_every=100000",
    "--checkpoint_every=20",
    "--keep_checkpoints=10000",
    "--steps_per_call=5",
]


def test_killed_resumed_and_stopped_together(tmp_path):
    run_dir = tmp_path / "run"
    words = [*FLAGS, f"--run_dir={run_dir}"]
    with two_workers(*words) as (chief, other):
        wait_for_step(chief, run_dir, 20)
        other.kill()
        (code, _, stderr), _ = end([chief, other])
    assert code != 0
    assert "another worker was lost" in stderr

    with two_workers(*words) as (chief, other):
        wait_for_step(chief, run_dir, 60)
        other.send_signal(signal.SIGTERM)
        (code, stdout, stderr), (other_code, other_stdout, heard) = end([chief, other])
    assert code == other_code == 143, stderr + heard
    step = stderr.partition("at step ")[2].partition(", saved")[0]
    assert f"stopped with the others by SIGTERM at step {step}" in heard
    assert f"step {step}" in stdout
    assert "resuming at step" in stdout
    assert other_stdout == ""  # the chief alone prints, and writes
    last = int(step.replace(",", ""))
    assert (run_dir / "checkpoints" / f"step_{last:07d}.npz").is_file()
    assert (run_dir / "saved_model" / "saved_model.pb").is_file()

    # One worker goes on where two were.
    code, stdout, stderr = run("train", *words, f"--steps={last + 5}")
    assert code == 0, stderr
    assert f"resuming at step {step}" in stdout


def test_what_is_wrong_is_said_before_tensorflow_loads(tmp_path, monkeypatch):
    flags = [*FLAGS, "--distribute=multi_worker", f"--run_dir={tmp_path / 'run'}"]
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert_one_line_error(run("train", *flags), "TF_CONFIG is not set")
    with cluster_of(free_addresses(3), 0):
        words = ("--batch_size=8", "3 workers", "multiple of 3")
        assert_one_line_error(run("train", *flags), *words)
    assert not (tmp_path / "run").exists()
