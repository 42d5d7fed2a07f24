import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from conftest import assert_one_line_error, call, run
from tensorflow_serving.apis import prediction_log_pb2

from tfgan_mnist.export import next_version
from tfgan_mnist.system.errors import UserError


@pytest.fixture(scope="module")
def version(trained, tmp_path_factory) -> Path:
    serving = tmp_path_factory.mktemp("serving") / "dcgan"
    flags = (f"--run_dir={trained}", f"--serving_dir={serving}")
    code, stdout, stderr = run("export", *flags)
    assert (code, stderr) == (0, "")
    assert stdout == f"version 1, of step 12, is in {serving / '1'}\n"
    return serving / "1"


def saved_model_cli(*words: str) -> str:
    program = "from tensorflow.python.tools.saved_model_cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_export_is_the_next_version_and_nothing_else_is_there(version, trained):
    serving = version.parent
    assert [path.name for path in serving.iterdir()] == ["1"]
    assert call("export", f"--run_dir={trained}", f"--serving_dir={serving}")[0] == 0
    assert sorted(path.name for path in serving.iterdir()) == ["1", "2"]


def test_versions_are_counted_on_from_the_largest(tmp_path):
    assert next_version(tmp_path / "none") == 1
    for name in ("1", "9", "10", ".unfinished-11", "notes"):
        (tmp_path / name).mkdir()
    assert next_version(tmp_path) == 11


def test_what_is_no_version_is_not_counted(tmp_path):
    for name in ("٣", "-4", "1" * 20):
        (tmp_path / name).mkdir()
    assert next_version(tmp_path) == 1
    (tmp_path / str(2**63 - 1)).mkdir()
    with pytest.raises(UserError, match="is the last there can be"):
        next_version(tmp_path)


def test_a_serving_folder_is_not_part_of_what_is_replaced(trained, version):
    """At the next save everything in a run's model is removed."""
    for inside in (trained / "saved_model" / "s", trained / "saved_model_best" / "s"):
        result = call("export", f"--run_dir={trained}", f"--serving_dir={inside}")
        assert_one_line_error(result, "--serving_dir=", "lies in the")
    result = call("export", f"--run_dir={trained}", f"--serving_dir={version / 's'}")
    assert_one_line_error(result, "lies in the model")


def test_warm_up_requests_run_on_every_signature(version):
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    signatures = tf.saved_model.load(str(version)).signatures
    called = []
    for record in tf.data.TFRecordDataset(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        assert request.model_spec.name == "dcgan"
        inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
        name = request.model_spec.signature_name
        outputs = signatures[name](**{k: tf.constant(v) for k, v in inputs.items()})
        assert all(len(value) == 1 for value in outputs.values())
        called.append(name)
    assert sorted(called) == sorted(signatures)


def test_saved_model_cli_shows_it(version):
    shown = saved_model_cli("show", "--dir", str(version), "--all")
    for words in ("'sample'", "'sample_png'", "'discriminate'", "'serving_default'"):
        assert f"signature_def[{words}]" in shown
    assert "inputs['temperature']" in shown


def test_saved_model_cli_runs_it(version, tmp_path):
    saved_model_cli(
        "run",
        "--dir",
        str(version),
        "--tag_set=serve",
        "--signature_def=sample",
        "--input_exprs=seed=[1, 2];temperature=[1.0, 0.5]",
        "--outdir",
        str(tmp_path),
    )
    images = np.load(tmp_path / "images.npy")
    assert images.shape == (2, 28, 28, 1)
    assert 0 <= images.min() < images.max() <= 1


def test_a_damaged_model_is_one_line_and_what_is_whole_is_exported(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    index = tmp_path / "run" / "saved_model" / "variables" / "variables.index"
    index.write_bytes(b"garbage")
    serving = tmp_path / "serving"
    result = call("export", f"--run_dir={tmp_path / 'run'}", f"--serving_dir={serving}")
    code, _, stderr = result  # the checkpoint serves as well
    assert code == 0
    (warning,) = stderr.splitlines()
    assert "variables.index is not what was written; the checkpoint is read" in warning
    assert (serving / "1" / "saved_model.pb").is_file()
    (*_, newest) = sorted((tmp_path / "run" / "checkpoints").iterdir())
    newest.write_bytes(b"garbage")
    result = call("export", f"--run_dir={tmp_path / 'run'}", f"--serving_dir={serving}")
    code, _, stderr = result
    assert code == 0
    assert "step_0000012.npz is damaged" in stderr
    for path in (tmp_path / "run" / "checkpoints").iterdir():
        path.write_bytes(b"garbage")
    result = call("export", f"--run_dir={tmp_path / 'run'}", f"--serving_dir={serving}")
    assert_one_line_error(result, "--run_dir=", "no checkpoint that is whole")
    assert sorted(path.name for path in serving.iterdir()) == ["1", "2"]
