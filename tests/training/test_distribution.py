"""Two real processes train what one trains with the whole batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import free_addresses

from tfgan_mnist.training.distribution import Team

ROOT = Path(__file__).parents[2]
GAMES = [
    ["dcgan_cpu", {"networks": "dcgan_fast"}],  # batch normalisation, averages
    ["cdcgan_fast", {}],  # labels, clusters, mismatched ones, R1
    ["stacked", {}],  # clusters of each image of a stack
    ["wgan_gp", {"discriminator_updates": 2}],
    ["cyclegan_thickness", {}],  # two generators, pools of earlier fakes
    ["stylegan", {}],  # path lengths about their running mean, style mixing
    ["dcgan_tutorial", {"augmentation_target": 0.6}],  # dropout
]


def start(addresses: list[str], index: int) -> subprocess.Popen:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        "TF_NUM_INTRAOP_THREADS": "1",
    }
    if addresses:
        environment["TF_CONFIG"] = json.dumps(
            {
                "cluster": {"worker": addresses},
                "task": {"type": "worker", "index": index},
            }
        )
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("worker.py")), json.dumps(GAMES)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def trained() -> list:
    """What one process finds, and each of two."""
    addresses = free_addresses(2)
    processes = [start([], 0), *(start(addresses, i) for i in (0, 1))]
    found = []
    try:
        for process in processes:
            stdout, stderr = process.communicate(timeout=300)
            assert process.returncode == 0, stderr
            found.append(json.loads(stdout.splitlines()[-1]))
    finally:
        for process in processes:
            process.kill()
    return found


def test_two_workers_make_the_step_that_one_makes_of_the_whole_batch():
    """All games in one test, so that the processes start but once."""
    for (name, _), one, *two in zip(GAMES, *trained(), strict=True):
        assert two[0] == two[1], name  # both have the same weights, and say the same
        losses, of_two = np.array(one[0]), np.array(two[0][0])
        assert losses.shape[0] == 4
        assert len(np.unique(losses)) > 4
        np.testing.assert_allclose(of_two, losses, rtol=1e-4, atol=1e-5, err_msg=name)
        assert two[0][1] == pytest.approx(one[1], rel=1e-4), name


def test_alone_one_agrees_with_oneself():
    team = Team()
    assert team.is_chief
    assert team.replicas == 1
    assert team.agree(12.5, 15, 20) == (12.5, 15, 20)
