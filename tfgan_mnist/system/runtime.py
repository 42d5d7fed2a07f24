"""Loads TensorFlow: fast on every processor, and without its start-up noise."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

# Lines that every start prints and nobody can act on. Anything else gets through.
_NOISE = (
    r"All log messages before absl::InitializeLog",
    r"oneDNN custom operations are on",
    r"This TensorFlow binary is optimized to use",
    r"To enable the following instructions:",
    r"Unable to register cu\w+ factory",
    r"XLA service 0x\w+ initialized for platform Host",
    r"StreamExecutor (device )?\S+: Host",
    r"Compiled cluster using XLA!",
    r"MLIR V1 optimization pass is not enabled",
    r"disabling MLIR crash reproducer",
    r"The default buffer size is \d+",
)
_NOISE_WITHOUT_GPU = (
    r"Could not find cuda drivers",
    r"failed call to cuInit",
)

# Runs in a process of its own, so that a crash's last words are heard.
_FILTER = """
import re, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
noise = re.compile(sys.argv[1].encode())
for line in sys.stdin.buffer:
    if line.strip() and not noise.search(line):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
"""


def load_tensorflow():
    """Imports TensorFlow with oneDNN on, starts it, and returns it.

    TensorFlow leaves its oneDNN kernels off on processors without AVX-512, where they
    make training two to four times as fast. They can be chosen before the first import
    only; ``TF_ENABLE_ONEDNN_OPTS=0`` in the environment still turns them off.
    """
    if "tensorflow" in sys.modules and "TF_ENABLE_ONEDNN_OPTS" not in os.environ:
        warnings.warn(
            "TensorFlow was imported before tfgan_mnist loaded it: "
            "training may be much slower without its oneDNN kernels; call that first, "
            "or set TF_ENABLE_ONEDNN_OPTS=1 in the environment",
            stacklevel=2,
        )
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with without_noise():
        import tensorflow as tf

        tf.constant(0) + 1  # devices are looked for at the first operation
        # This rewriting of graphs gains nothing here (measured on each recipe), and
        # fails on convolution, bias and leaky ReLU with an error nobody can act on.
        tf.config.optimizer.set_experimental_options({"remapping": False})
    return tf


@contextlib.contextmanager
def without_noise() -> Iterator[None]:
    """Drops TensorFlow's start-up lines from stderr, which C++ writes past Python.

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
        [sys.executable, "-S", "-c", _FILTER, "|".join(noise)],
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
        reader.communicate()
