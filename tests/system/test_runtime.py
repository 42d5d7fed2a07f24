import os
import signal
import subprocess
import sys
from pathlib import Path

import tensorflow as tf
from tensorflow.python.eager import context

from tfgan_mnist.system.runtime import without_noise

CODE = """
import warnings
from tfgan_mnist.system.runtime import load_tensorflow
load_tensorflow()
import tensorflow as tf

import os, sys
print(os.environ["TF_ENABLE_ONEDNN_OPTS"], float(tf.reduce_sum(tf.ones([2, 2]))))
"""


def python(code: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={k: v for k, v in os.environ.items() if k != "TF_ENABLE_ONEDNN_OPTS"}
        | environment,
    )


def test_tensorflow_starts_without_a_word_and_with_onednn():
    done = python(CODE)
    assert done.stdout == "1 4.0\n"
    assert done.stderr == ""


def test_the_user_s_own_setting_stands():
    assert python(CODE, TF_ENABLE_ONEDNN_OPTS="0").stdout == "0 4.0\n"


# Keras's data adapters know a table if pandas was there when Keras was imported.
KNOWN = """
import contextlib
from tfgan_mnist.system import runtime
with FIRST():
    runtime.load_tensorflow()
from keras.src.trainers.data_adapters import array_slicing
from keras.src.wrappers import sklearn_wrapper
import pandas, sklearn
print(array_slicing.pandas is pandas, sklearn_wrapper.sklearn is sklearn)
"""


def test_keras_does_without_other_libraries_in_a_command_alone():
    assert (
        python(KNOWN.replace("FIRST", "contextlib.nullcontext")).stdout == "True True\n"
    )
    command = KNOWN.replace("FIRST", "runtime.less_of_keras")
    assert python(command).stdout == "False False\n"


def test_importing_tensorflow_first_is_warned_of():
    done = python("import tensorflow" + CODE)
    assert "TensorFlow was imported before tfgan_mnist loaded it" in done.stderr
    assert "call tfgan_mnist.system.runtime.load_tensorflow() first" in done.stderr


def test_large_sums_are_not_made_in_whatever_order_their_terms_come():
    """Grappler has them made so in graphs that hold over 0.8 of 256 MiB at once."""

    @tf.function
    def add(x):
        return tf.reduce_sum(tf.add_n([tf.sin(x), tf.cos(x), tf.tanh(x)]))

    context.enable_run_metadata()
    add(tf.zeros([3000, 10_000]))
    found = context.export_run_metadata()
    context.disable_run_metadata()
    kinds = {node.op for graph in found.partition_graphs for node in graph.node}
    assert "AddN" in kinds
    assert "TemporaryVariable" not in kinds


def test_real_warnings_get_through(capfd):
    with without_noise():
        os.write(2, b"I0000 oneDNN custom operations are on. You may see\n")
        os.write(2, b"W0000 out of memory, really\n")
    assert capfd.readouterr().err == "W0000 out of memory, really\n"


def test_the_last_words_of_a_crash_are_heard():
    code = (
        "import os; from tfgan_mnist.system.runtime import without_noise\n"
        "with without_noise(): os.write(2, b'F0000 illegal\\n'); os.abort()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == -signal.SIGABRT
    assert "F0000 illegal" in done.stderr


def test_a_gpu_is_shared_unless_asked_otherwise():
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
