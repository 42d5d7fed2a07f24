import dataclasses
import json

import imageio.v3 as imageio
import numpy as np
import pytest
import tensorflow as tf
from conftest import PREPARED_MNIST, assert_one_line_error, needs_mnist, run

from tfgan_mnist.data.mnist import mnist5k
from tfgan_mnist.evaluation import protocols
from tfgan_mnist.evaluation import report as scores
from tfgan_mnist.serving import writer as saving
from tfgan_mnist.system.errors import UserError


def test_a_table_and_the_same_as_json(toy, tmp_path):
    flags = [f"--saved_model={toy}", "--output=scores.json"]
    code, stdout, stderr = run("evaluate", *flags, cwd=tmp_path)
    assert (code, stderr) == (0, "")
    found = json.loads((tmp_path / "scores.json").read_text())
    assert found["dataset"] == "moons"
    assert found["samples"] == 2_500
    assert set(found["scores"]) == {"near_arcs", "bins", "energy_distance"}
    assert found["scores"]["near_arcs"]["real"] == pytest.approx(0.997, abs=0.003)
    assert found["scores"]["bins"]["real"] == 20.0
    assert stdout.strip() == scores.table(found)


def test_scores_are_those_of_the_samples_of_each_seed(toy):
    model = saving.SavedGenerator(toy)
    found = scores.score(model, seeds=(4, 5))["scores"]["near_arcs"]
    figures = protocols.PROTOCOLS["moons"].figures
    each = [
        figures(model.sample(saving.row_seeds(seed, 2_500)), None)["near_arcs"]
        for seed in (4, 5)
    ]
    assert found["mean"] == pytest.approx(np.mean(each))
    assert found["deviation"] == pytest.approx(np.std(each))


def test_a_conditional_model_is_asked_for_every_digit_as_often(conditional):
    model = saving.SavedGenerator(conditional)
    found = scores.score(model, seeds=(1,), glance=True)
    assert found["judge"] == "judge-1"
    assert found["samples"] == 1_000
    # Untrained: it does not know what it is asked for.
    assert found["scores"]["digit_agreement_1k"]["mean"] < 0.3
    assert "judge-1" in scores.table(found)


def test_a_model_that_does_not_say_what_it_imitates(toy, tmp_path):
    import shutil

    shutil.copytree(toy, tmp_path / "model")
    (tmp_path / "model/assets.extra/tfgan_mnist.json").unlink()
    result = run("evaluate", f"--saved_model={tmp_path / 'model'}")
    assert_one_line_error(result, "does not say which data set")


class Real:
    """A generator that answers each label with a real digit of it."""

    path, classes, kind = "real", 10, "images"
    metadata = {"dataset": "mnist"}  # noqa: RUF012

    def __init__(self):
        self.images, digits = mnist5k()
        self.of_class = [np.flatnonzero(digits == label) for label in range(10)]

    def sample(self, seeds, temperature=1.0, labels=None):
        chosen = [self.of_class[x][i % 500] for i, x in enumerate(map(int, labels))]
        return self.images[chosen] / 255.0


def test_real_digits_that_were_asked_for():
    found = scores.score(Real(), seeds=(1,))["scores"]
    assert found["digit_agreement_10k"]["mean"] > 0.99
    assert found["classes_10k"]["mean"] == 10
    assert found["class_kl_10k"]["mean"] < 0.001
    assert found["digit_agreement_10k"]["real"] > 0.99
    assert found["precision_10k"]["mean"] > 0.95
    assert 0 <= found["fcd_10k"]["real"] < 0.05
    assert found["fcd_10k"]["mean"] < 1.0


@needs_mnist
def test_with_real_images_copies_are_found_out_and_labels_learned_from():
    real, place = Real(), str(PREPARED_MNIST)
    found = scores.score(real, seeds=(1,), glance=True, data_dir=place)["scores"]
    assert found["copies_1k"] == {"mean": 1.0, "deviation": 0.0, "real": 0.01}
    assert found["nearest_1k"]["mean"] < 0.1 < found["nearest_1k"]["real"]
    assert found["accuracy_1k"]["mean"] == pytest.approx(
        found["accuracy_1k"]["real"], abs=0.04
    )
    assert found["accuracy_1k"]["real"] > 0.85


def test_a_toy_is_compared_with_no_images(toy, tmp_path):
    info = tmp_path / "mnist/3.0.1/dataset_info.json"
    info.parent.mkdir(parents=True)
    info.write_text("{}")
    flags = [f"--saved_model={toy}", f"--data_dir={tmp_path}"]
    assert_one_line_error(run("evaluate", *flags), "makes no images to compare")


def test_images_of_anyone(tmp_path):
    """The same scores from a folder of pictures as from an array."""
    images = mnist5k()[0][::20]
    np.save(tmp_path / "array.npy", images[..., 0])
    (tmp_path / "folder").mkdir()
    for i, image in enumerate(images):
        imageio.imwrite(tmp_path / f"folder/{i:03d}.png", image[..., 0])
    found = []
    for name in ("array.npy", "folder"):
        flags = [f"--images={name}", f"--output={name}.json"]
        code, stdout, stderr = run("evaluate", *flags, cwd=tmp_path)
        assert (code, stderr) == (0, "")
        assert "250 samples, judge-1" in stdout
        found.append(json.loads((tmp_path / f"{name}.json").read_text()))
    assert found[0]["scores"] == found[1]["scores"]
    assert found[0]["scores"]["classes_250"]["mean"] == 10
    assert found[0]["scores"]["precision_250"]["mean"] > 0.8
    assert found[0]["images"] == "array.npy"


def test_black_digits_on_white_are_measured_with_a_warning(tmp_path):
    np.save(tmp_path / "inverse.npy", 255 - mnist5k()[0][::40])
    code, stdout, stderr = run("evaluate", "--images=inverse.npy", cwd=tmp_path)
    assert code == 0
    assert "125 samples" in stdout
    assert stderr == (
        "warning: --images=inverse.npy: mostly white; real digits are white on black\n"
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "--saved_model and --images are missing"),
        (["--saved_model=a", "--images=b"], "are both given"),
        (["--images=missing"], "--images=missing: there is no such file"),
        (["--images=few.npy"], "--images=few.npy: 5 are too few"),
        (["--images=few.npy", "--data_dir=here"], "--data_dir=here: holds no mnist"),
        (["--images=few.npy", "--output=a.txt"], "--output=a.txt: must end in .json"),
    ],
)
def test_wrong_words(flags, words, tmp_path):
    np.save(tmp_path / "few.npy", np.zeros([5, 28, 28]))
    assert_one_line_error(run("evaluate", *flags, cwd=tmp_path), words)


class Foreign(tf.Module):
    """Anyone's generator with the signature, and no word of where it is from."""

    def __init__(self, scale: float, channels: int):
        super().__init__()
        self.scale, self.channels = scale, channels

    @tf.function
    def sample(self, seed, temperature):
        shift = tf.cast(seed % 7, tf.float32)[:, None, None, None] / 7.0
        images = tf.ones([tf.size(seed), 32, 32, self.channels])
        return {"images": self.scale * images * shift}


def foreign(path, scale: float, channels: int = 1) -> saving.SavedGenerator:
    module = Foreign(scale, channels)
    specs = [
        tf.TensorSpec([None], tf.int64, "seed"),
        tf.TensorSpec([None], tf.float32, "temperature"),
    ]
    signature = module.sample.get_concrete_function(*specs)
    tf.saved_model.save(module, str(path), signatures={"sample": signature})
    return saving.SavedGenerator(path)


def test_a_model_of_anyone_with_the_signature(tmp_path):
    found = scores.score(foreign(tmp_path / "model", 1.0), seeds=(1,), glance=True)
    assert (found["recipe"], found["dataset"]) == (None, "mnist")
    assert found["scores"]["precision_1k"]["mean"] == 0


@pytest.mark.parametrize(
    ("scale", "channels", "words"),
    [
        (255.0, 1, "give floats from 0 to 1"),
        (1.0, 3, r"holds an array \[1000, 32, 32, 3\]"),
        (float("nan"), 1, "its samples are not finite numbers"),
    ],
)
def test_a_model_of_something_else(scale, channels, words, tmp_path):
    model = foreign(tmp_path / "model", scale, channels)
    with pytest.raises(UserError, match=words):
        scores.score(model, seeds=(1,), glance=True)


def test_a_model_of_other_data(tmp_path):
    model = foreign(tmp_path / "model", 1.0)
    model.metadata = {"dataset": "fashion_mnist"}
    with pytest.raises(UserError, match="imitates 'fashion_mnist'; there are scores"):
        scores.score(model, seeds=(1,))


def test_more_images_than_are_judged_are_spread_evenly(monkeypatch):
    monkeypatch.setitem(
        scores.PROTOCOLS,
        "mnist",
        dataclasses.replace(scores.PROTOCOLS["mnist"], count=250),
    )
    images = mnist5k()[0] / np.float32(255.0)  # sorted by class
    found = scores.score_images(images)
    assert found["samples"] == 250
    assert found["scores"]["classes_250"]["mean"] == 10
