import contextlib
import json
import socket

import pytest

from tfgan_mnist.system.cluster import EXAMPLE, Cluster, read_cluster
from tfgan_mnist.system.errors import UserError


def config(cluster, kind="worker", index=0) -> str:
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def test_workers_in_order(monkeypatch):
    addresses = [f"localhost:{free_port()}", f"localhost:{free_port()}"]
    monkeypatch.setenv("TF_CONFIG", config({"worker": addresses}, index=1))
    cluster = read_cluster()
    assert cluster == Cluster(tuple(addresses), 1)
    assert not cluster.is_chief


def test_a_chief_comes_first(monkeypatch):
    one, two = f"localhost:{free_port()}", f"localhost:{free_port()}"
    jobs = {"chief": [one], "worker": [two]}
    monkeypatch.setenv("TF_CONFIG", config(jobs, "chief"))
    assert read_cluster().is_chief
    monkeypatch.setenv("TF_CONFIG", config(jobs, "worker"))
    assert read_cluster() == Cluster((one, two), 1)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "TF_CONFIG is not set"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"cluster": {}}', "cannot be read"),
        (config({"worker": ["a:1"]}, "ps"), "cannot be read"),
        (config({"worker": ["a:1"]}, index=1), "task index 1"),
        (config({"worker": []}), "task index 0"),
        (config({"chief": ["a:1", "b:1"]}, "chief"), "2 chiefs"),
        (config({"worker": ["a:1", "b"]}), "'b' is no address"),
        (config({"worker": ["a:1", "b:65536"]}), "'b:65536' is no address"),
        (config({"worker": ["a:1", "a:1"]}), "twice"),
    ],
)
def test_what_is_wrong_is_one_line(monkeypatch, text, word):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match=word) as error:
        read_cluster()
    assert "\n" not in str(error.value)


def test_a_port_that_is_taken(monkeypatch):
    with contextlib.closing(socket.socket()) as other:
        other.bind(("", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("TF_CONFIG", config({"worker": [f"localhost:{port}"]}))
        with pytest.raises(UserError, match=f"cannot listen at port {port}"):
            read_cluster()


def test_the_example_is_one(monkeypatch):
    assert json.loads(EXAMPLE)["task"]["index"] == 0
