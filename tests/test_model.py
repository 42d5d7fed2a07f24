"""The flags that name a model, the same in each command that takes one."""

import dataclasses
import shutil

import numpy as np
import pytest

from tfgan_mnist import pretrained
from tfgan_mnist.model import ModelFlags
from tfgan_mnist.serving.reader import row_seeds
from tfgan_mnist.system.errors import UserError


def test_a_run_its_saved_model_and_a_packaged_model_are_the_same(trained, monkeypatch):
    """The package's is float16, which moves a grey level by a fraction."""
    from tfgan_mnist.training.transfer import read_weights

    folder = trained / "saved_model"
    monkeypatch.setattr(pretrained, "FOLDER", trained.parent)
    metadata = ModelFlags(saved_model=str(folder)).load().metadata
    weights = read_weights(folder)
    pretrained.write(trained.parent / "tiny.npz", weights, {}, metadata)

    seeds = row_seeds(1, 5)
    sources = {"saved_model": folder, "run_dir": trained, "pretrained": "tiny"}
    found = {}
    for name, value in sources.items():
        flags = ModelFlags(**{name: str(value)})
        assert flags.imitates() == ("mnist5k", 0)
        assert flags.source == str(value)
        model = flags.load()
        assert model.metadata == metadata
        assert set(model.signatures) >= {"sample", "discriminate", "serving_default"}
        found[name] = model.sample(seeds)
    np.testing.assert_array_equal(found["run_dir"], found["saved_model"])
    difference = abs(found["pretrained"] - found["saved_model"]).max()
    assert 0 < difference < 1 / 255


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "which model.* --run_dir, --saved_model and --pretrained"),
        ({"run_dir": "a", "saved_model": "b"}, "--run_dir and --saved_model are both"),
        ({"saved_model": "a", "best": True}, "--best=true: is for a --run_dir"),
    ],
)
def test_one_model_is_named(given, message):
    with pytest.raises(UserError, match=message):
        ModelFlags(**given)


def test_an_error_line_names_what_was_given(trained, tmp_path):
    """And not the temporary folder that it was read from."""
    shutil.copytree(trained, tmp_path / "run")
    index = tmp_path / "run" / "saved_model" / "variables" / "variables.index"
    index.write_bytes(b"garbage")
    flags = ModelFlags(run_dir=str(tmp_path / "run"))
    with pytest.raises(UserError, match=f"^--run_dir={tmp_path / 'run'}: cannot be"):
        flags.load()


def test_a_packaged_model_whose_weights_do_not_fit_is_named(trained, monkeypatch):
    monkeypatch.setattr(pretrained, "FOLDER", trained.parent)
    metadata = ModelFlags(saved_model=str(trained / "saved_model")).load().metadata
    pretrained.write(trained.parent / "empty.npz", {}, {}, metadata)
    flags = dataclasses.replace(ModelFlags(pretrained="empty"))
    with pytest.raises(UserError, match="--pretrained=empty: its weights do not fit"):
        flags.load()
