"""Ray's workers and tasks are at work in tests/test_launch.py and test_sweep.py."""

import importlib.util
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import free_addresses

from tfgan_mnist.system import engine
from tfgan_mnist.system.errors import UserError


def test_where_nobody_has_installed_ray_it_says_how(monkeypatch):
    elsewhere = [path for path in sys.path if not (Path(path) / "ray").is_dir()]
    monkeypatch.setattr(sys, "path", elsewhere)
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    with pytest.raises(UserError, match=r"--workers=2: .*pip install '\.\[ray\]'"):
        engine.check_installed("--workers=2")


@pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="ray is not installed")
@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_an_address_where_nobody_answers_is_named_at_once(scheme, monkeypatch):
    monkeypatch.setattr(os, "environ", {**os.environ})  # it sets some of Ray's
    address = f"{scheme}{free_addresses(1)[0]}"
    with (
        pytest.raises(UserError, match=f"--address={address}: nobody answers there"),
        engine.connected("--at_once=2", address, 2),
    ):
        pass


def test_without_ray_one_job_comes_after_the_other():
    done = []

    def work(job):
        done.append(job)
        return job**2

    found = engine.each(work, [3, 1, 2], "--at_once=0")
    assert next(found) == (0, 9)
    assert done == [3]  # and whoever leaves off has no more of them begin
    assert list(found) == [(1, 1), (2, 4)]


def test_what_a_job_raises_comes_out_as_it_is():
    with pytest.raises(ZeroDivisionError):
        list(engine.each(lambda job: 1 / job, [1, 0], "--at_once=0"))


def test_processes_share_the_cores_of_a_machine(monkeypatch):
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert engine.settings(3)["TF_NUM_INTRAOP_THREADS"] == "2"
    assert engine.settings(20)["TF_NUM_INTRAOP_THREADS"] == "1"
    assert "TF_NUM_INTRAOP_THREADS" not in engine.settings(0)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "5")  # the user's own counts
    assert engine.settings(3)["TF_NUM_INTRAOP_THREADS"] == "5"


def cluster(gpus: int, machines: int = 1) -> SimpleNamespace:
    """What Ray says of a cluster with so many GPUs."""
    resources = {"CPU": 16.0} | ({"GPU": float(gpus)} if gpus else {})
    return SimpleNamespace(
        cluster_resources=lambda: resources, nodes=lambda: [{}] * machines
    )


def test_each_process_takes_a_gpu_where_there_are_any():
    assert engine.of_each(cluster(0), 4, "--workers=4") == {"CPU": 1}
    assert engine.of_each(cluster(4), 4, "--workers=4") == {"GPU": 1}
    with pytest.raises(UserError, match=r"--workers=4: .* of which there are 2 here"):
        engine.of_each(cluster(2), 4, "--workers=4")
    # To a cluster more machines may come.
    assert engine.of_each(cluster(2, machines=2), 4, "--workers=4") == {"GPU": 1}
