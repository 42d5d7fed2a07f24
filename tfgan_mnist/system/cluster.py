"""The workers of a distributed run, as the environment names them. No TensorFlow."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket

from tfgan_mnist.system.errors import UserError

EXAMPLE = (
    '{"cluster": {"worker": ["localhost:2001", "localhost:2002"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """All workers of a run, and which of them this process is.

    Args:
      addresses: of the workers, "host:port", the chief's first.
      index: of this process among them.
    """

    addresses: tuple[str, ...]
    index: int

    @property
    def is_chief(self) -> bool:
        """Whether this process writes what the run leaves."""
        return self.index == 0


def read_cluster() -> Cluster:
    """The cluster that TF_CONFIG describes, as TensorFlow documents it.

    Its jobs are "worker" and, at most one, "chief".

    Raises:
      UserError: if it is missing or wrong, or this worker's port is taken.
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        raise UserError(
            "--distribute=multi_worker: TF_CONFIG is not set; each worker needs its "
            f"own, for instance {EXAMPLE}"
        )
    try:
        found = json.loads(text)
        jobs, task = found["cluster"], found["task"]
        chiefs, workers = (list(jobs.get(job, ())) for job in ("chief", "worker"))
        kind, index = task["type"], int(task["index"])
        size = len({"chief": chiefs, "worker": workers}[kind])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"TF_CONFIG: cannot be read ({type(error).__name__}: {error}); it looks "
            f"like {EXAMPLE}"
        ) from None
    if len(chiefs) > 1:
        raise UserError(f"TF_CONFIG: names {len(chiefs)} chiefs; there is at most one")
    if not 0 <= index < size:
        raise UserError(
            f"TF_CONFIG: task index {index}, but its cluster has {size} of type {kind}"
        )
    addresses = (*chiefs, *workers)
    for address in addresses:
        _check_address(address)
    if len(set(addresses)) < len(addresses):
        raise UserError(f"TF_CONFIG: names an address twice in {[*addresses]}")
    cluster = Cluster(addresses, index + (len(chiefs) if kind == "worker" else 0))
    _check_port(cluster)
    return cluster


def _check_address(address: object) -> None:
    host, _, port = str(address).rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 2**16):
        raise UserError(
            f"TF_CONFIG: {address!r} is no address; give host:port, with a port from 1 "
            "to 65535"
        )


def _check_port(cluster: Cluster) -> None:
    """Raises UserError if another program listens where this worker is to."""
    port = int(cluster.addresses[cluster.index].rpartition(":")[2])
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            raise UserError(
                f"TF_CONFIG: cannot listen at port {port} of worker {cluster.index} "
                f"({error.strerror}); choose another port, on all workers"
            ) from None
