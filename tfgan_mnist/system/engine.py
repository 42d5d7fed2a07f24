"""Ray, for the workers of a run or for many runs, on this machine or on a cluster.

It is an extra of the package (``[ray]``), and is imported only where it is asked for.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfgan_mnist.system import interrupts
from tfgan_mnist.system.errors import RunStopped, UserError, first_line
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
                "'.[ray]'"
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
      UserError: if there is no Ray, no cluster at the address, or the caller has
        initialized Ray for another one.
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
        there = ray.get_runtime_context().gcs_address
        mine = ray.util.get_node_ip_address()
        if address and _resolved(address, mine) != _resolved(there, mine):
            raise UserError(
                f"--address={address}: Ray is initialized for {there} already; leave "
                "--address out, or call ray.shutdown() first"
            )
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


def _resolved(address: str, mine: str) -> str:
    """An address by number; this machine's own, ``mine``, as that of the loopback."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    with contextlib.suppress(OSError):
        host = socket.gethostbyname(host)
    return f"{'127.0.0.1' if host == mine else host}:{port}"


def _has_token() -> bool:
    """Whether there is one to show; what is made by ray start asks for it."""
    named = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys()
    return bool(named) or (Path.home() / ".ray" / "auth_token").is_file()


def each(
    function: Callable[[Any], Any],
    jobs: Sequence[Any],
    flag: str,
    at_once: int = 0,
    address: str = "",
) -> Iterator[tuple[int, Any]]:
    """What a function makes of each of some jobs: its place and the answer, when done.

    Without a number and an address one job comes after the other, in this process and
    without Ray. Ray gives each a process, and a core or a GPU; a job whose process or
    machine is lost begins anew. Whoever leaves off has the jobs that are at work end.

    Args:
      function: in a module, so that Ray's processes find it.
      jobs: what it is given, which is copied to them.
      flag: that asks for Ray, and its value.
      at_once: how many at most; 0: all that a cluster has room for.
      address: as for ``connected``.

    Raises:
      Exception: what the function raises.
    """
    if not (at_once or address):
        for place, job in enumerate(jobs):
            yield place, function(job)
        return
    with connected(flag, address, at_once) as ray:
        work = ray.remote(function).options(
            **_as_options(of_each(ray, at_once, flag)),
            max_retries=RESTARTS,
            runtime_env={"env_vars": settings(0 if address else at_once)},
        )
        waiting, places = list(enumerate(jobs)), {}
        try:
            while waiting or places:
                while waiting and (not at_once or len(places) < at_once):
                    place, job = waiting.pop(0)
                    places[work.remote(job)] = place
                done, _ = ray.wait([*places], timeout=1.0)
                for one in done:
                    yield places.pop(one), _answer(ray, one)
        finally:
            for one in places:
                ray.cancel(one)
            if places:
                ray.wait([*places], num_returns=len(places), timeout=GRACE)


RESTARTS = 100
GRACE = 60  # seconds that jobs have to end, when nobody waits for them any more


def _as_options(each: Mapping[str, float]) -> dict[str, float]:
    """Of a cluster's resources, as Ray's functions and objects take them."""
    return {f"num_{name.lower()}s": count for name, count in each.items()}


def _answer(ray: Any, one: Any) -> Any:
    """What a job answered, or raised: that itself, without Ray's words around it."""
    try:
        return ray.get(one)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:  # its process died, again and again
        raise RunStopped(f"a job was lost: {first_line(error)}") from None


def settings(processes: int) -> dict[str, str]:
    """What the environment of a process has for TensorFlow.

    Args:
      processes: how many share this machine's cores; 0: they run elsewhere.
    """
    wanted = dict(SETTINGS)
    if processes:
        threads = max(1, (os.cpu_count() or 1) // processes)
        wanted["TF_NUM_INTRAOP_THREADS"] = str(threads)
    return {name: os.environ.get(name, value) for name, value in wanted.items()}


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
