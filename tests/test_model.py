"""The flags that name a model, the same in each command that takes one."""

import dataclasses
import json
import shutil

import imageio.v3 as imageio
import numpy as np
import pytest
from conftest import untrained

import tfgan_mnist
from tfgan_mnist import pretrained
from tfgan_mnist.model import ModelFlags, parse_model_flags, protocol_of_run
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


def test_what_is_wrong_with_a_record_is_said_once(trained, tmp_path, capsys):
    shutil.copytree(trained, tmp_path / "run")
    record = tmp_path / "run/config.flags"
    record.write_text(record.read_text().replace("--steps=12", "--steps=13"))
    flags = ModelFlags(run_dir=str(tmp_path / "run"))
    assert flags.draws() == ("mnist5k", 0)
    assert flags.labels_or_prompts(0, "", "") == []
    assert flags.game() == "unconditional"
    assert protocol_of_run(flags.run_dir) is None
    assert capsys.readouterr().err.count("is not what was written") == 1


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


def test_the_first_word_may_be_the_model(trained):
    model = str(trained / "saved_model")
    for word, name in [
        (str(trained), "run_dir"),
        (model, "saved_model"),
        ("dcgan_fast", "pretrained"),
    ]:
        given = parse_model_flags([word, "--nobest"], ModelFlags)
        assert ModelFlags(**given) == ModelFlags(**{name: word})
    assert parse_model_flags([f"--run_dir={trained}"], ModelFlags)["run_dir"]
    with pytest.raises(UserError, match="'again': belongs to no flag"):
        parse_model_flags([model, "again"], ModelFlags)


def test_what_a_model_is_told(conditional, trained):
    labelled = ModelFlags(saved_model=str(conditional))
    assert labelled.labels_or_prompts(10, "7-8, 0", "") == [7, 8, 0]
    with pytest.raises(UserError, match=r"--label=five: must be a class"):
        labelled.labels_or_prompts(10, "five", "")
    with pytest.raises(UserError, match=r"--label is missing: .* or --label=0-9"):
        labelled.labels_or_prompts(10, "", "")
    with pytest.raises(UserError, match=r"give a class from 0 to 9$"):
        labelled.labels_or_prompts(10, "", "", several=False)
    with pytest.raises(UserError, match=r"--label=five: give one class from 0 to 9"):
        labelled.labels_or_prompts(10, "five", "", several=False)
    unconditional = ModelFlags(saved_model=str(trained / "saved_model"))
    assert unconditional.labels_or_prompts(0, "", "") == []
    with pytest.raises(UserError, match=r"--prompt=a 7: .* takes no prompt"):
        unconditional.labels_or_prompts(0, "", "a 7")


def test_seeds_are_of_31_bits(trained):
    model = tfgan_mnist.load(trained)
    for seed in (-1, 2**31):
        with pytest.raises(UserError, match=f"--seed={seed}: must be from 0 to 2147"):
            model.sample(1, seed=seed)
    np.testing.assert_array_equal(model.sample(np.int64(2)), model.sample(2))


def test_a_class_is_named_or_numbered(conditional, tmp_path):
    shutil.copytree(conditional, tmp_path / "model")
    path = tmp_path / "model/assets.extra/tfgan_mnist.json"
    names = ["bag", "boot", "coat", "3d", *"456789"]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"class_names": names}))
    named = ModelFlags(saved_model=str(tmp_path / "model"))
    assert named.labels_or_prompts(10, "coat, bag,3d,8-9", "") == [2, 0, 3, 8, 9]
    assert named.labels_or_prompts(10, "boot", "", several=False) == [1]
    with pytest.raises(UserError, match=r"--label=bag,bot: 'bot' is no class; did you"):
        named.labels_or_prompts(10, "bag,bot", "")
    with pytest.raises(UserError, match=r"--label=bag,boot: give one class from 0 to"):
        named.labels_or_prompts(10, "bag,boot", "", several=False)
    model = tfgan_mnist.load(tmp_path / "model")
    expected = model.sample(4, labels=[2, 1], seed=3)
    np.testing.assert_array_equal(
        model.sample(4, labels=["coat", "boot"], seed=3), expected
    )
    with pytest.raises(UserError, match="'cap' is no class; did you mean 'coat'"):
        model.sample(1, labels="cap")


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
    assert model.sample(labels=[1, 2, 3]).shape[0] == 99
    with pytest.raises(UserError, match=r"--count=10: .* give at least 20"):
        model.walk(10)
    assert len(model.walk(labels=[1, 7]).frames) == 5 * 24
    assert len(model.walk(labels=[1, 7, 3]).frames) == 4 * 24
    walk = model.walk(4, labels=[1, 7])
    assert len(walk.frames) == 2 * 24
    walk.save(tmp_path / "walk.gif")
    frames = imageio.imread(tmp_path / "walk.gif", index=None)
    assert 2 <= len(frames) <= len(walk.frames)
    assert walk._repr_html_().startswith('<img src="data:image/gif;base64,R0lGOD')


def test_a_model_that_translates(tmp_path):
    there_and_back = tfgan_mnist.load(untrained("cyclegan_thickness", tmp_path / "a"))
    images = np.random.default_rng(1).integers(0, 256, [3, 28, 28], np.uint8)
    for direction, signature in (
        ("forward", "translate"),
        ("backward", "translate_back"),
    ):
        found = there_and_back.translate(images, direction=direction)
        assert found.shape == (3, 1, 28, 28, 1)
        floats = images[..., np.newaxis] / np.float32(255.0)
        expected = there_and_back.saved.translate(floats, row_seeds(1, 3), signature)
        np.testing.assert_array_equal(found[:, 0], expected)
    with pytest.raises(UserError, match="has no noise"):
        there_and_back.translate(images, count=2)
    with pytest.raises(UserError, match="--direction=up: give one of forward"):
        there_and_back.translate(images, direction="up")
    with pytest.raises(UserError, match="predicts no frames"):
        there_and_back.predict(images)

    frames = tfgan_mnist.load(untrained("frames", tmp_path / "b"))
    video = np.zeros([4, 64, 64], np.uint8)
    assert frames.predict(video, frames=2, count=3).shape == (2, 3, 64, 64, 1)
    np.testing.assert_array_equal(
        frames.predict(video, frames=1)[:, 0],
        frames.translate(np.zeros([1, 64, 64, 3]))[:, 0],
    )
    for wrong, words in (
        (lambda: frames.predict(video[:2]), "2 frames are too few"),
        (lambda: frames.predict(video[:, :32]), r"not of \(1, 32, 64, 3\)"),
        (lambda: frames.translate(images), "images: holds an array"),
        (
            lambda: frames.translate(np.full([1, 64, 64, 3], 7.0)),
            "give floats from 0 to 1",
        ),
        (lambda: frames.translate(np.zeros([0, 64, 64, 3])), "holds an array"),
        (
            lambda: frames.translate(images, direction="backward"),
            "translates forward only",
        ),
        (lambda: frames.translate(images, count=0), "--count=0"),
        (lambda: frames.predict(video, frames=0), "--frames=0"),
    ):
        with pytest.raises(UserError, match=words):
            wrong()
    with pytest.raises(UserError, match="translates no images"):
        tfgan_mnist.load("dcgan_fast").translate(images)
    with pytest.raises(UserError, match="--count=0: must be at least 1"):
        tfgan_mnist.load("dcgan_fast").sample(count=0)


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
