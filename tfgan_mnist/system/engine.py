"""Ray, which runs the workers of a run, or many runs, here or on a cluster.

It is an extra of the package (``[ray]``), and is imported only where it is asked for.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfgan_mnist.system import interrupts
from tfgan_mnist.system.errors import UserError, first_line
from tfgan_mnist.system.runtime import SETTINGS

_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # it would tell its makers
    "RAY_worker_niceness": "0",  # training here is what the user is waiting for
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what it warns of otherwise
}


def check_installed(flag: str) -> None:
    """Raises UserError if there is no Ray; imports nothing.

    Args:
      flag: that needs it, and its value.
    """
    # Ray Train needs them, and not all of them come with Ray alone.
    for name in ("ray", "pandas", "pyarrow"):
        if not importlib.util.find_spec(name):
            raise UserError(
                f"{flag}: needs Ray, which is not here (no module {name}); pip install "
                "'tfgan_mnist[ray]'"
            )


@contextlib.contextmanager
def connected(flag: str, address: str, slots: int) -> Iterator[Any]:
    """The module ``ray``, joined to its cluster, while the context lasts.

    Args:
      flag: that needs it, and its value.
      address: of the cluster; empty: one of this machine alone, which is started, and
        ends with the context.
      slots: how many processes it shall run at once, if it is started here.

    Raises:
      UserError: if there is no Ray, or no cluster at the address.
    """
    check_installed(flag)
    for name, value in (_SETTINGS | SETTINGS).items():
        os.environ.setdefault(name, value)
    if address:
        _check_answers(address)
        if _has_token():
            os.environ.setdefault("RAY_AUTH_MODE", "token")
    import ray

    if ray.is_initialized():  # by our caller, whose it stays
        yield ray
        return
    here = {} if address else {"num_cpus": slots, "include_dashboard": False}
    try:
        with interrupts.deferred():  # which puts back the handlers that Ray replaces
            ray.init(
                address=address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **here,
            )
    except (ConnectionError, TimeoutError, RuntimeError, ValueError) as error:
        if not address:
            raise
        raise UserError(
            f"--address={address}: there is no Ray cluster ({first_line(error)}); ray "
            "start --head starts one"
        ) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Raises UserError if nobody listens at an address; Ray would try for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if not (host and port.isdecimal() and int(port) < 2**16):
        return  # Ray will judge it
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise UserError(
            f"--address={address}: nobody answers there ({error.strerror or error}); "
            "ray start --head starts a cluster"
        ) from None


def _has_token() -> bool:
    """Whether there is one to show; what is made by ray start asks for it."""
    named = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys()
    return bool(named) or (Path.home() / ".ray" / "auth_token").is_file()


def of_each(ray: Any, processes: int, flag: str) -> dict[str, float]:
    """What each of some processes takes: a GPU where there are any, or else a core.

    Raises:
      UserError: if all there is is this machine, and it has too few GPUs.
    """
    gpus = ray.cluster_resources().get("GPU", 0)
    if gpus and gpus < processes and len(ray.nodes()) == 1:
        raise UserError(
            f"{flag}: each takes a GPU, of which there are {gpus:g} here; give as "
            "many, or hide them with CUDA_VISIBLE_DEVICES="
        )
    return {"GPU": 1} if gpus else {"CPU": 1}
