import dataclasses

import numpy as np
import pytest
from conftest import assert_one_line_error, run, tiny_config

from tfgan_mnist.build import build_training
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.training.transfer import read_weights, start_from


def values(training) -> dict[str, np.ndarray]:
    return {name: np.asarray(v) for name, v in training.variables.items()}


@pytest.mark.parametrize("source", ["", "saved_model"])
def test_the_same_networks_take_everything(trained, source):
    """Of a SavedModel the averages, which are all of G that it holds."""
    weights = read_weights(trained / source)
    training = build_training(tiny_config("dcgan_cpu", seed=9))
    before = values(training)
    sentence = start_from(trained / source, training.variables)
    for name, now in values(training).items():
        if "_optimizer/" in name:
            np.testing.assert_array_equal(now, before[name])
        elif name in weights:
            np.testing.assert_array_equal(now, weights[name])
    kept = [n for n in before if "_optimizer/" not in n]
    count = len([n for n in kept if n in weights])
    assert f"took {count} of {len(kept)} variables" in sentence
    assert any(
        not np.array_equal(before[n], values(training)[n])
        for n in kept
        if n.startswith("generator/")
    )


def test_what_does_not_fit_is_named_and_left_alone(trained):
    config = tiny_config("dcgan_cpu", latent_dim=7, seed=9)
    training = build_training(config)
    before = values(training)["generator/00_kernel"]
    sentence = start_from(trained, training.variables)
    assert "not generator/00_kernel ([100, 288] there, [7, 288] here)" in sentence
    np.testing.assert_array_equal(values(training)["generator/00_kernel"], before)


def test_nothing_that_fits_is_an_error(trained):
    training = build_training(tiny_config("ring_relativistic", base_channels=6))
    with pytest.raises(UserError, match="none of its weights fits"):
        start_from(trained, training.variables)


def test_a_run_starts_from_another_and_resumes_as_itself(trained, tmp_path):
    flags = [f"--flagfile={trained / 'config.flags'}", f"--init_from={trained}"]
    flags += ["--steps=2", "--dataset=mnist5k", f"--run_dir={tmp_path / 'second'}"]
    code, stdout, stderr = run("train", *flags)
    assert code == 0, stderr
    assert f"started from {trained}: took" in stdout
    assert "; not " not in stdout.splitlines()[1]
    code, stdout, _ = run("train", *flags, "--steps=3")
    assert code == 0
    assert "started from" not in stdout
    assert "resuming at step 2" in stdout


@pytest.mark.parametrize("content", [None, "empty"])
def test_what_holds_no_weights_is_one_line(tmp_path, content):
    source = tmp_path / "source"
    if content:
        source.mkdir()
    flags = ["--flagfile=dcgan_cpu.flags", f"--init_from={source}"]
    result = run("train", *flags, f"--run_dir={tmp_path / 'run'}")
    assert_one_line_error(result, "--init_from", str(source))
    assert not (tmp_path / "run").exists()


def test_metadata_does_not_say_where_the_weights_were(tmp_path):
    from tfgan_mnist.runner import metadata
    from tfgan_mnist.training.checkpoint import State

    config = dataclasses.replace(tiny_config(), init_from="/somewhere/else")
    assert "/somewhere" not in str(metadata(config, State({})))
