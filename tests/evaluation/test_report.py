import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from conftest import PREPARED_MNIST, needs_mnist, untrained

from tfgan_mnist.data.mnist import mnist5k
from tfgan_mnist.evaluation import report
from tfgan_mnist.evaluation.protocols import protocol_of
from tfgan_mnist.serving.reader import LoadedModel, row_seeds
from tfgan_mnist.system.errors import UserError


def test_metrics_are_those_of_the_samples_of_each_seed(toy):
    model = LoadedModel(toy)
    found = report.measure(model, seeds=(4, 5))["metrics"]["near_arcs"]
    metrics = protocol_of("moons").metrics
    each = [
        metrics(model.sample(row_seeds(seed, 2_500)), None)["near_arcs"]
        for seed in (4, 5)
    ]
    assert found["mean"] == pytest.approx(np.mean(each))
    assert found["std"] == pytest.approx(np.std(each))


def test_a_conditional_model_is_asked_for_every_digit_as_often(conditional):
    model = LoadedModel(conditional)
    found = report.measure(model, seeds=(1,), quick=True)
    assert found["judge"] == "judge-1"
    assert found["samples"] == 1_000
    # Untrained: it does not know what it is asked for.
    assert found["metrics"]["digit_agreement_1k"]["mean"] < 0.3
    assert "judge-1" in report.table(found)


class Real:
    """A generator that answers each label with a real digit of it."""

    path, classes, kind = "real", 10, "images"
    metadata = {"dataset": "mnist"}  # noqa: RUF012
    takes_latents = False

    def __init__(self):
        self.images, digits = mnist5k()
        self.of_class = [np.flatnonzero(digits == label) for label in range(10)]

    def sample(self, seeds, temperature=1.0, labels=None):
        chosen = [self.of_class[x][i % 500] for i, x in enumerate(map(int, labels))]
        return self.images[chosen] / 255.0


def test_real_digits_that_were_asked_for():
    found = report.measure(Real(), seeds=(1,))["metrics"]
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
    found = report.measure(real, seeds=(1,), quick=True, data_dir=place)["metrics"]
    assert found["copies_1k"] == {"mean": 1.0, "std": 0.0, "real": 0.01}
    assert found["nearest_1k"]["mean"] < 0.1 < found["nearest_1k"]["real"]
    assert found["data_copying_1k"]["mean"] < -5.0
    assert found["data_copying_1k"]["real"] == 0.0
    assert found["accuracy_1k"]["mean"] == pytest.approx(
        found["accuracy_1k"]["real"], abs=0.04
    )
    assert found["accuracy_1k"]["real"] > 0.85


def test_a_copy_is_seen_beside_what_it_is_a_copy_of():
    training, labels = mnist5k()
    real = report.RealImages(training, labels, training[:50], labels[:50])
    others = np.random.default_rng(1).random([11, 28, 28, 1], np.float32)
    copy = training[4321:4322] / np.float32(255.0)
    sheet = real.beside(np.concatenate([others, copy]), count=3)
    assert sheet.shape == (10 * 29 + 1, 4 * 29 + 1)
    shown = [sheet[1:29, 1 + 29 * i : 29 + 29 * i] for i in range(4)]
    np.testing.assert_array_equal(shown[0], training[4321, ..., 0])
    np.testing.assert_array_equal(shown[1], shown[0])
    assert not np.array_equal(shown[2], shown[0])


class Straight:
    """Its images are a linear function of the latents, and a label shifts them."""

    classes, has_styles = 2, False

    def __init__(self):
        self.asked: list[int] = []

    def latents(self, seeds, temperature, labels):
        return np.random.default_rng(seeds).standard_normal([len(seeds), 3])

    def generate(self, latents, labels):
        self.asked += list(labels)
        assert len(latents) == len(labels)
        return (latents + 100.0 * labels[:, np.newaxis])[:, :, np.newaxis, np.newaxis]


def test_a_linear_model_s_walks_are_even_and_keep_to_a_label():
    model = Straight()
    found = report.latent_metrics(model, 1, lambda images: images[:, :, 0, 0])
    assert found.keys() == {"walk_jumps", "walk_peak", "path_length_1k"}
    assert found["walk_jumps"] == 0.0
    assert 1.0 < found["walk_peak"] < 1.5
    # Latents of length r at an angle a from each other: (r a)², r² = 3 on average.
    assert 3.0 < found["path_length_1k"] < 3.0 * np.pi**2
    assert sum(model.asked) == len(model.asked) / 2
    again = report.latent_metrics(Straight(), 1, lambda images: images[:, :, 0, 0])
    assert again == found


def test_what_takes_latents_is_measured_on_walks(conditional, toy, tmp_path):
    assert LoadedModel(conditional).takes_latents
    assert not foreign(tmp_path / "model", 1.0).takes_latents
    model = LoadedModel(conditional)
    found = report.measure(model, seeds=(1,))["metrics"]
    assert 0.0 <= found["walk_jumps"]["mean"] <= 1.0
    assert found["walk_peak"]["mean"] >= 1.0
    assert found["path_length_1k"]["mean"] > 0.0
    assert "walk_jumps" not in report.measure(LoadedModel(toy), (1,))["metrics"]


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


def foreign(path, scale: float, channels: int = 1) -> LoadedModel:
    module = Foreign(scale, channels)
    specs = [
        tf.TensorSpec([None], tf.int64, "seed"),
        tf.TensorSpec([None], tf.float32, "temperature"),
    ]
    signature = module.sample.get_concrete_function(*specs)
    tf.saved_model.save(module, str(path), signatures={"sample": signature})
    return LoadedModel(path)


def test_a_model_of_anyone_with_the_signature(tmp_path):
    found = report.measure(foreign(tmp_path / "model", 1.0), seeds=(1,), quick=True)
    assert (found["recipe"], found["dataset"]) == (None, "mnist")
    assert found["metrics"]["precision_1k"]["mean"] == 0


@pytest.mark.parametrize(
    ("scale", "channels", "words"),
    [
        (255.0, 1, "they must be from 0 to 1"),
        (1.0, 3, r"holds an array \[1000, 32, 32, 3\]"),
        (float("nan"), 1, "images that are not finite numbers"),
    ],
)
def test_a_model_of_something_else(scale, channels, words, tmp_path):
    model = foreign(tmp_path / "model", scale, channels)
    with pytest.raises(UserError, match=words):
        report.measure(model, seeds=(1,), quick=True)


def test_a_model_of_other_data(tmp_path):
    model = foreign(tmp_path / "model", 1.0)
    model.metadata = {"dataset": "fashion_mnist"}
    with pytest.raises(UserError, match="imitates 'fashion_mnist'; without a judge"):
        report.measure(model, seeds=(1,))


def test_more_images_than_are_judged_are_spread_evenly(monkeypatch):
    few = dataclasses.replace(protocol_of("mnist"), count=250)
    monkeypatch.setattr(report, "protocol_of", lambda dataset: few)
    images = mnist5k()[0] / np.float32(255.0)  # sorted by class
    found = report.measure_images(images)
    assert found["samples"] == 250
    assert found["metrics"]["classes_250"]["mean"] == 10


def test_an_infinite_signal_to_noise_ratio_is_left_out(tmp_path):
    """That of a translation which is its target; no record can hold it."""
    metrics = {"psnr": np.inf, "l1": 0.0}
    protocol = dataclasses.replace(protocol_of("mnist"), metrics=lambda x, y: metrics)
    model = LoadedModel(untrained("cyclegan_thickness", tmp_path))
    found = report.measure_translations(
        model, np.zeros([3, 28, 28, 1], np.float32), protocol
    )
    assert found["metrics"] == {"l1": {"mean": 0.0, "std": 0.0, "real": 0.0}}


@pytest.mark.parametrize(("parts", "looks"), [(1, 1), (2, 2), (3, 3)])
def test_real_samples_that_seeds_share_are_measured_once(parts, looks, toy):
    moons, looked = protocol_of("moons"), []

    def real(seed, count):
        return moons.real(min(seed, parts), count)

    def metrics(points, labels):
        looked.append(points)
        return moons.metrics(points, labels)

    protocol = dataclasses.replace(moons, metrics=metrics, real=real)
    found = report.measure(LoadedModel(toy), seeds=(1, 2, 3), protocol=protocol)
    each = [real(seed, 2_500)[0] for seed in (1, 2, 3)]
    mean = np.mean([moons.metrics(points)["near_arcs"] for points in each])
    assert found["metrics"]["near_arcs"]["real"] == pytest.approx(mean)
    assert sum(any(np.array_equal(x, y) for y in each) for x in looked) == looks
