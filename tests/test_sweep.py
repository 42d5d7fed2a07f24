"""Many runs by one command: in turn, and as tasks of Ray."""

import importlib.util
import signal

import numpy as np
import pytest
from conftest import assert_one_line_error, run, start, wait_for_step

from tfgan_mnist.sweep import plan
from tfgan_mnist.system.errors import UserError

TINY = ["moons", "--base_channels=4", "--batch_size=10", "--epochs=0", "--log_every=5"]
TINY += ["--sample_every=10", "--checkpoint_every=10", "--evaluate_every=0"]
TINY += ["--jit_compile=off"]
needs_ray = pytest.mark.skipif(
    not importlib.util.find_spec("ray"), reason="ray is not installed"
)


def test_stopped_gone_on_with_and_left_alone_once_finished(tmp_path):
    words = [*TINY, "--latent_dim=2,3", "--steps=300", "--steps_per_call=5"]
    words += [f"--run_dir={tmp_path}", "--checkpoint_every=5"]
    process = start("sweep", *words)
    second = tmp_path / "latent_dim=3_seed=1"
    wait_for_step(process, second, 5)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGINT, stderr
    assert "latent_dim=2_seed=1: finished" in stdout
    assert stderr.splitlines()[-1].startswith("stopped by SIGINT; what was trained is")
    assert "latent_dim  seeds" not in stdout

    code, stdout, stderr = run("sweep", *words)
    assert code == 0, stderr
    assert stdout.startswith("1 of 2 runs are finished\n")
    assert f"{second}: resuming at step" in stdout
    lines = stdout.splitlines()[-3:]
    assert lines[0].split()[:4] == ["latent_dim", "seeds", "step", "seconds"]
    assert [line.split()[:5] for line in lines[1:]] == [
        [dim, "1", "of", "1", "300"] for dim in "23"
    ]
    assert (tmp_path / "sweep.txt").read_text().splitlines() == lines

    code, stdout, _ = run("sweep", *words)
    assert code == 0
    assert stdout.splitlines() == ["2 of 2 runs are finished", *lines]


def test_what_measures_is_in_the_table_and_what_fails_is_named(tmp_path):
    words = [*TINY, "--seeds=2-3", "--steps=10", "--evaluate_every=10"]
    words.append(f"--run_dir={tmp_path}")
    spoilt = tmp_path / "seed=3"
    config = plan(words)[1]["seed=3"]
    (spoilt / "checkpoints").mkdir(parents=True)
    (spoilt / "config.flags").write_text(config.to_flags())
    (spoilt / "checkpoints" / "step_0000005.npz").write_bytes(b"no archive")
    code, stdout, stderr = run("sweep", *words)
    assert code == 1
    assert stderr.splitlines()[-1].startswith("1 of 2 runs failed; the same command")
    assert "seed=3: failed with exit code 2" in stdout
    heads, row = stdout.splitlines()[-2:]
    assert heads.split()[-1] == "energy_distance"
    assert row.startswith("1 of 2  10")


def test_where_no_run_comes_to_its_folder_the_failures_are_counted(tmp_path):
    """Damaged data stop each run before it makes its folder."""
    np.savez(tmp_path / "data.npz", images=np.zeros([64, 28, 28], np.uint8))
    with open(tmp_path / "data.npz", "r+b") as file:
        file.seek(20_000)
        file.write(b"spoilt")
    words = ["dcgan_cpu", "--dataset=data.npz", "--run_dir=runs", "--evaluate_every=0"]
    code, stdout, stderr = run("sweep", *words, cwd=tmp_path)
    assert code == 1
    assert stderr.splitlines()[-1].startswith("1 of 1 runs failed; the same command")
    assert not (tmp_path / "runs/seed=1").exists()
    assert "Bad CRC-32" in stderr
    assert stdout.splitlines()[-1] == "0 of 1"


@needs_ray
def test_as_tasks_of_ray(tmp_path):
    words = [*TINY, "--seeds=3", "--steps=10", f"--run_dir={tmp_path}", "--at_once=2"]
    code, stdout, stderr = run("sweep", *words)
    assert code == 0, stderr
    assert stdout.splitlines()[-1].startswith("3 of 3  10 ")
    for seed in (1, 2, 3):
        assert f"seed={seed}: finished" in stdout
        assert "10 steps in" in (tmp_path / f"seed={seed}.log").read_text()


def test_seeds_and_values(tmp_path):
    _, runs = plan(["dcgan", "--r1_weight=0,0.1", "--seeds=2", "--beta_1=0.5,0.9"])
    assert list(runs)[:3] == [
        "r1_weight=0_beta_1=0.5_seed=1",
        "r1_weight=0_beta_1=0.5_seed=2",
        "r1_weight=0_beta_1=0.9_seed=1",
    ]
    assert len(runs) == 8
    last = runs["r1_weight=0.1_beta_1=0.9_seed=2"]
    assert (last.r1_weight, last.beta_1, last.seed) == (0.1, 0.9, 2)
    assert last.run_dir == "runs/dcgan-sweep/r1_weight=0.1_beta_1=0.9_seed=2"
    assert [c.seed for c in plan(["dcgan", "--seeds=3,5-6"])[1].values()] == [3, 5, 6]
    assert [c.seed for c in plan(["dcgan", "--seeds=7-7"])[1].values()] == [7]
    decays = ["--decay_steps=9", "--learning_rate_decay=linear,cosine"]
    assert len(plan(["dcgan", *decays])[1]) == 2  # not valid without either
    assert [c.seed for c in plan(["dcgan", "--seeds=0"])[1].values()] == [0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give a recipe"),
        (["dcgam"], "did you mean 'dcgan'"),
        (["dcgan", "--seeds=few"], "--seeds=few: must be a seed"),
        (["dcgan", "--beta_1=0.5,2"], "--beta_1=2.0: must be below 1.0"),
        (
            ["dcgan", "--beta_1=0.5,0.5"],
            "beta_1=0.5_seed=1: this run is asked for",
        ),
        (["dcgan", "--beta_3=1,2"], "unknown command line flag 'beta_3'"),
        (["dcgan", "--workers=2"], "--workers=2: not in a sweep; give --at_once"),
        (["--recipe=dcgan_fast", "--seeds=2"], "--recipe=dcgan_fast: only names the"),
        (["dcgan", "--overwrite"], "--overwrite=True: not in a sweep; remove"),
        (["dcgan", "--distribute=mirrored"], "--distribute=mirrored: not in a sweep"),
        (
            ["dcgan", "--seed=1,2"],
            "--seed=1,2: seeds of a sweep are given as --seeds",
        ),
        (["dcgan", "--seed=5"], "given as --seeds=5-5"),
        (["dcgan", "--at_once=-1"], "--at_once=-1: must be at least 0"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained(words, message):
    with pytest.raises(UserError) as error:
        plan(words)
    assert message in str(error.value)


def test_without_ray_nothing_is_begun(tmp_path):
    if importlib.util.find_spec("ray"):
        pytest.skip("ray is installed")
    words = [*TINY, "--steps=10", "--at_once=2", f"--run_dir={tmp_path / 'sweep'}"]
    assert_one_line_error(run("sweep", *words), "--at_once=2", "pip install", "[ray]")
    assert not (tmp_path / "sweep").exists()
