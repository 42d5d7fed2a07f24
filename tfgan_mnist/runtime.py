"""Loads TensorFlow: fast on every processor, and without its start-up noise."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator

# Lines that every start prints and nobody can act on. Anything else gets through.
_NOISE = re.compile(
    r"All log messages before absl::InitializeLog"
    r"|oneDNN custom operations are on"
    r"|Could not find cuda drivers"
    r"|This TensorFlow binary is optimized to use"
    r"|To enable the following instructions:"
    r"|failed call to cuInit"
    r"|Unable to register cu\w+ factory"
    r"|XLA service 0x\w+ initialized for platform Host"
    r"|StreamExecutor (device )?\S+: Host"
    r"|Compiled cluster using XLA!"
    r"|MLIR V1 optimization pass is not enabled"
    r"|disabling MLIR crash reproducer"
)


def load_tensorflow():
    """Imports TensorFlow with oneDNN on, starts it, and returns it.

    TensorFlow leaves its oneDNN kernels off on processors without AVX-512, where they
    make training two to four times as fast. They can be chosen before the first import
    only; ``TF_ENABLE_ONEDNN_OPTS=0`` in the environment still turns them off.
    """
    if "tensorflow" in sys.modules and "TF_ENABLE_ONEDNN_OPTS" not in os.environ:
        warnings.warn(
            "TensorFlow was imported before tfgan_mnist.runtime.load_tensorflow(): "
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

    What else is written meanwhile appears at the end, warnings and errors included.
    """
    try:
        sys.stderr.flush()
        original = os.dup(2)
    except (AttributeError, OSError):  # no stderr to speak of
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            for line in held.read().decode(errors="replace").splitlines():
                if line.strip() and not _NOISE.search(line):
                    print(line, file=sys.stderr)
