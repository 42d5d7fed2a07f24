"""The flags that name a model, the same in each command that takes one."""

import dataclasses

import imageio.v3 as imageio
import numpy as np
import pytest

import tfgan_mnist
from tfgan_mnist import pretrained
from tfgan_mnist.model import ModelFlags
from tfgan_mnist.serving.reader import row_seeds
from tfgan_mnist.system.errors import UserError


def made_by(model) -> dict:
    """What made a model, without the checksums of its files."""
    return {key: x for key, x in model.metadata.items() if key != "files"}


def test_a_run_its_saved_model_and_a_packaged_model_are_the_same(trained, monkeypatch):
    """The package's is float16, which moves a grey level by a fraction."""
    from tfgan_mnist.training.transfer import read_weights

    folder = trained / "saved_model"
    monkeypatch.setattr(pretrained, "FOLDER", trained.parent)
    metadata = made_by(ModelFlags(saved_model=str(folder)).load())
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
        assert made_by(model) == metadata
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


def test_a_packaged_model_whose_weights_do_not_fit_is_named(trained, monkeypatch):
    monkeypatch.setattr(pretrained, "FOLDER", trained.parent)
    metadata = made_by(ModelFlags(saved_model=str(trained / "saved_model")).load())
    pretrained.write(trained.parent / "empty.npz", {}, {}, metadata)
    flags = dataclasses.replace(ModelFlags(pretrained="empty"))
    with pytest.raises(UserError, match="--pretrained=empty: its weights do not fit"):
        flags.load()


def test_a_model_in_a_notebook(conditional, tmp_path):
    """The same samples as the command's; a class a row; a walk that is shown."""
    model = tfgan_mnist.load(conditional)
    assert "10 classes" in repr(model)
    seeds = row_seeds(3, 20)
    expected = model.saved.sample(seeds, labels=np.repeat([4, 2], 10))
    np.testing.assert_array_equal(model.sample(20, [4, 2], seed=3), expected)
    every = model.saved.sample(seeds, labels=np.repeat(np.arange(10), 2))
    np.testing.assert_array_equal(model.sample(20, seed=3), every)
    assert model.show(30).size == (3 * 29 + 1, 10 * 29 + 1)
    assert model.show(9, labels=5).size == (3 * 29 + 1, 3 * 29 + 1)
    with pytest.raises(UserError, match="multiple of the 10 labels"):
        model.sample(12)
    with pytest.raises(UserError, match="must be from 0 to 9"):
        model.sample(12, labels=10)
    walk = model.walk(4, labels=[1, 7])
    assert len(walk.frames) == 2 * 24
    walk.save(tmp_path / "walk.gif")
    frames = imageio.imread(tmp_path / "walk.gif", index=None)
    assert 2 <= len(frames) <= len(walk.frames)
    assert walk._repr_html_().startswith('<img src="data:image/gif;base64,R0lGOD')


def test_a_model_of_points_and_what_is_no_model(toy, trained, tmp_path):
    model = tfgan_mnist.load(toy)
    assert model.show(50).size == (500, 400)
    with pytest.raises(UserError, match="only images are animated"):
        model.walk()
    found = model.evaluate(quick=True)
    assert found["dataset"] == "moons"
    assert tfgan_mnist.load(trained).metadata["step"] == 12
    with pytest.raises(UserError, match="dcgan_fats: there is no such folder"):
        tfgan_mnist.load("dcgan_fats")
    with pytest.raises(UserError, match="is no SavedModel"):
        tfgan_mnist.load(tmp_path)
    with pytest.raises(UserError, match="--best=true"):
        tfgan_mnist.load(toy, best=True)
