"""``kill -9`` at exact moments, and then the same command again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
from conftest import ROOT, call

from tfgan_mnist.serving.reader import LoadedModel
from tfgan_mnist.training.checkpoint import read_newest

# Kills the process when it opens or renames a file whose path begins so, as Python's
# audit events tell, or at the first call of MODULE:FUNCTION, which is replaced before
# train imports it.
KILL = """
import importlib, os, runpy, signal, sys
event, where = sys.argv.pop(1), sys.argv.pop(1)

def end(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def hook(name, words):
    if name == event and isinstance(words[0], (str, os.PathLike)):
        if os.fspath(words[0]).startswith(where):
            end()

if event == "call":
    module, name = where.split(":")
    setattr(importlib.import_module(module), name, end)
else:
    sys.addaudithook(hook)
runpy.run_module("tfgan_mnist.train", run_name="__main__", alter_sys=True)
"""

FLAGS = ["--flagfile=moons", "--base_channels=4", "--batch_size=8", "--epochs=0"]
FLAGS += ["--jit_compile=off", "--steps_per_call=1", "--log_every=2"]
FLAGS += ["--sample_every=4", "--checkpoint_every=3", "--evaluate_every=4"]


def killed_at(event: str, where: str | Path, *flags: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILL, event, str(where), *FLAGS, *flags],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_killed_in_the_model_s_write_in_scoring_and_in_the_exchange(tmp_path):
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    place = f"--run_dir={broken}"
    model = broken / "saved_model"

    # In the first scoring, at step 4.
    scoring = "tfgan_mnist.evaluation.metrics.energy:energy_distance"
    killed_at("call", scoring, place, "--steps=8")
    assert not (broken / "metrics.csv").read_text().count("\n4,")
    assert int(read_newest(broken / "checkpoints")["step"]) == 3

    inside = broken / ".unfinished-saved_model" / "assets.extra"
    killed_at("open", inside, place, "--steps=8")
    assert not model.exists()
    assert int(read_newest(broken / "checkpoints")["step"]) == 8

    killed_at("open", broken / ".unfinished-metrics", place, "--steps=8")
    assert LoadedModel(model).metadata["step"] == 8
    assert not (broken / "metrics.json").exists()

    # The old model has given way, the new one is not in its place yet.
    killed_at("os.rename", broken / ".unfinished-saved_model", place, "--steps=12")
    assert not model.exists()
    assert (broken / ".outgoing-saved_model" / "saved_model.pb").is_file()

    code, _, stderr = call("train", *FLAGS, place, "--steps=12")
    assert code == 0
    assert "is of step 8, not 12; it is written anew from step_0000012" in stderr
    assert call("train", *FLAGS, f"--run_dir={whole}", "--steps=12")[0] == 0
    assert not [*broken.rglob(".*")]
    for name in ("metrics.csv", "metrics.json"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()
    one, other = (read_newest(path / "checkpoints") for path in (broken, whole))
    for name in one.keys() - {"seconds"}:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    latents = np.ones([3, 32])
    ours, theirs = (LoadedModel(p / "saved_model") for p in (broken, whole))
    np.testing.assert_array_equal(ours.generate(latents), theirs.generate(latents))
