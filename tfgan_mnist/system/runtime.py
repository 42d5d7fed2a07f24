"""Loads TensorFlow: fast on every processor, and without its start-up noise."""

from __future__ import annotations

import contextlib
import importlib.abc
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Lines that every start prints and nobody can act on. Anything else gets through.
_NOISE = (
    r"All log messages before absl::InitializeLog",
    r"oneDNN custom operations are on",
    r"Unable to register cu\w+ factory",
)
_NOISE_WITHOUT_GPU = (
    r"Could not find cuda drivers",
    r"failed call to cuInit",
)

# Runs in a process of its own, so that a crash's last words are heard. It ends at a
# mark, not at the end of the pipe, which another process may have inherited.
_FILTER = """
import re, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
noise, mark = re.compile(sys.argv[1].encode()), sys.argv[2].encode()
for line in sys.stdin.buffer:
    if line.strip() == mark:
        break
    if line.strip() and not noise.search(line):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
"""
_MARK = "end of the start-up"


class _LeftOut(importlib.abc.MetaPathFinder):
    """Finds none of the libraries that Keras imports where they are installed, for its
    plots, its wrappers for scikit-learn and tables of pandas: two fifths of the time
    that TensorFlow's import takes."""

    def find_spec(self, fullname, path, target=None):
        if fullname in ("matplotlib", "pandas", "sklearn"):
            raise ModuleNotFoundError(f"Keras needs no {fullname}", name=fullname)


_LEFT_OUT: list[_LeftOut] = []  # while a command runs


@contextlib.contextmanager
def less_of_keras() -> Iterator[None]:
    """In the block ``load_tensorflow`` leaves out of Keras what our commands never use.

    A process that others write code for is to have all of it.
    """
    _LEFT_OUT.append(_LeftOut())
    try:
        yield
    finally:
        _LEFT_OUT.pop()


SETTINGS = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "1",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
}
"""What the environment has for TensorFlow, unless it says something else."""


def load_tensorflow(prepare: Callable[[], Any] = lambda: None) -> Any:
    """Imports TensorFlow with oneDNN on, and starts it.

    TensorFlow leaves its oneDNN kernels off on processors without AVX-512, where they
    make training two to four times as fast. They can be chosen before the first import
    only; ``TF_ENABLE_ONEDNN_OPTS=0`` in the environment still turns them off. So does
    ``TF_CPP_MIN_LOG_LEVEL=0`` turn its information lines on, and
    ``TF_FORCE_GPU_ALLOW_GROWTH=false`` has it take all memory of a GPU at once.

    Args:
      prepare: called between the two, for what has to come before the start.

    Returns:
      what ``prepare`` did.
    """
    if "tensorflow" in sys.modules and "TF_ENABLE_ONEDNN_OPTS" not in os.environ:
        warnings.warn(
            "TensorFlow was imported before tfgan_mnist loaded it: "
            "training may be much slower without its oneDNN kernels; call "
            "tfgan_mnist.system.runtime.load_tensorflow() first, or set "
            "TF_ENABLE_ONEDNN_OPTS=1 in the environment",
            stacklevel=2,
        )
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    quiet = "tensorflow" not in sys.modules
    with without_noise() if quiet else contextlib.nullcontext():
        sys.meta_path[:0] = _LEFT_OUT
        try:
            import tensorflow as tf
        finally:
            sys.meta_path[:] = [x for x in sys.meta_path if x not in _LEFT_OUT]

        prepared = prepare()
        tf.constant(0) + 1  # devices are looked for at the first operation
        _keep_sums_in_order()
        # This rewriting of graphs gains nothing here (measured on each recipe), and
        # fails on convolution, bias and leaky ReLU with an error nobody can act on.
        tf.config.optimizer.set_experimental_options({"remapping": False})
    return prepared


def _keep_sums_in_order() -> None:
    """Turns off TensorFlow's memory optimizer of graphs, as no public option does.

    Of a graph that holds more than about 200 MB at once it has sums of three and more
    tensors made in whatever order these are ready, so that a run's last bits are others
    each time. (It takes a CPU to have 256 MiB.)
    """
    from tensorflow.core.protobuf.config_pb2 import ConfigProto
    from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
    from tensorflow.python.eager import context

    here, config = context.context(), ConfigProto()
    config.graph_options.rewrite_options.memory_optimization = RewriterConfig.NO_MEM_OPT
    here._config = config
    taken = here.config.graph_options.rewrite_options.memory_optimization
    if taken != RewriterConfig.NO_MEM_OPT:
        warnings.warn(
            "this TensorFlow makes large sums in any order: the last bits of two runs "
            "may differ",
            stacklevel=2,
        )


def gpus_without_bfloat16() -> list[str]:
    """Names of this machine's GPUs that cannot compute in bfloat16: NVIDIA's of a
    compute capability below 8.0."""
    import tensorflow as tf

    found = []
    for gpu in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        if details.get("compute_capability", (8, 0)) < (8, 0):
            found.append(details.get("device_name", gpu.name))
    return found


@contextlib.contextmanager
def without_noise() -> Iterator[None]:
    """Drops TensorFlow's first lines from stderr, which no log level keeps back.

    Whatever else is written meanwhile gets through, line by line.
    """
    noise = (
        _NOISE if Path("/proc/driver/nvidia").exists() else _NOISE + _NOISE_WITHOUT_GPU
    )
    try:
        sys.stderr.flush()
        original = os.dup(2)
    except (AttributeError, OSError):  # no stderr to speak of
        yield
        return
    reader = subprocess.Popen(
        [sys.executable, "-S", "-c", _FILTER, "|".join(noise), _MARK],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=original,
        start_new_session=True,
    )
    os.dup2(reader.stdin.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(original, 2)
        os.close(original)
        with contextlib.suppress(BrokenPipeError):
            reader.stdin.write(f"{_MARK}\n".encode())
            reader.stdin.close()
        reader.wait()
