import io
import json

import imageio.v3 as imageio
import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config
from PIL import Image

from tfgan_mnist.build import build_training
from tfgan_mnist.serving.reader import LoadedModel, row_seeds
from tfgan_mnist.train import train
from tfgan_mnist.training.run_directory import RunDirectory


def advance(training, first: int, count: int) -> np.ndarray:
    return training.step(tf.constant(first), tf.constant(count)).numpy()


@pytest.fixture(scope="module")
def training():
    return build_training(tiny_config("inpaint"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The directory of a tiny run."""
    run_dir = tmp_path_factory.mktemp("pix2pix") / "run"
    small = {"steps": 4, "evaluate_every": 4, "log_every": 4, "sample_count": 6}
    train(tiny_config("inpaint", run_dir=str(run_dir), **small), echo=[].append)
    return run_dir


@pytest.fixture(scope="module")
def model(run) -> LoadedModel:
    return LoadedModel(run / "saved_model")


def test_a_run_draws_and_measures_what_it_has_not_seen(run):
    picture = imageio.imread(run / "samples" / "step_0000004.png")
    # Source, sample and target side by side; two rows of three of them.
    assert picture.shape == (3 * 29 + 1, 6 * 29 + 1, 3)
    target = picture[1:29, 2 * 29 + 1 : 3 * 29]
    assert (target == target[..., :1]).all()
    assert (target > 200).any()
    found = json.loads((run / "metrics.json").read_text())
    assert found["samples"] == 500
    names = {"l1_500", "psnr_500", "ssim_500", "digit_kept_500", "fcd_500"}
    assert set(found["metrics"]) == names
    assert found["metrics"]["digit_kept_500"]["real"] > 0.99
    assert "real" not in found["metrics"]["psnr_500"]  # infinite
    columns = RunDirectory(run).read_metrics()
    for name in names:
        mean = found["metrics"][name]["mean"]
        assert mean == pytest.approx(columns[name][-1], rel=1e-2)


def test_losses_by_hand(training):
    gan = training.gan
    batch = training.step.batch(tf.constant(0), 0)
    fakes = gan.generate(batch, tf.constant([1, 2]), tf.constant(0))
    assert fakes["samples"].shape == batch["samples"].shape == (8, 28, 28, 1)
    found = gan.losses(batch, fakes, ["discriminator", "generator"])
    real, fake = (
        gan.discriminator([x["samples"], batch["sources"]], training=True)
        for x in (batch, fakes)
    )
    assert real.shape == (8, 14, 14, 1)  # patches
    expected = {
        "real": tf.reduce_mean(tf.nn.softplus(-real)),
        "fake": tf.reduce_mean(tf.nn.softplus(fake)),
    }
    for name, value in expected.items():
        term = found["discriminator"][name]
        np.testing.assert_allclose(term, value, rtol=1e-4)
    error = abs(batch["samples"].numpy() - fakes["samples"].numpy()).mean()
    l1 = gan.options.l1_weight * error
    np.testing.assert_allclose(found["generator"]["l1"], l1, rtol=1e-5)
    cheat = tf.reduce_mean(tf.nn.softplus(-fake))
    np.testing.assert_allclose(found["generator"]["fake"], cheat, rtol=1e-4)


def test_d_is_asked_about_pairs(training):
    """The same sample beside another source is another question."""
    batch = training.step.batch(tf.constant(0), 0)
    other = {**batch, "sources": tf.reverse(batch["sources"], [0])}
    gan = training.gan
    one, two = (gan.logits(x, training=False).numpy() for x in (batch, other))
    assert not np.allclose(one, two, atol=1e-6)


def test_without_the_adversary_there_is_no_d():
    training = build_training(tiny_config("inpaint", adversarial_weight=0.0))
    before = training.gan.discriminator.get_weights()
    losses = advance(training, 0, 8)
    assert training.step.names == ("generator",)
    assert advance(training, 8, 8).mean() < losses[:2].mean()
    for old, new in zip(before, training.gan.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_row_depends_on_its_own_image_and_seed_alone(model):
    images = np.random.default_rng(1).uniform(size=[3, 28, 28, 3]).astype(np.float32)
    images = images[[0, 1, 0, 0]]
    seeds = np.array([5, 5, 5, 6])
    together = model.translate(images, seeds)
    assert together.shape == (4, 28, 28, 1)
    assert together.min() >= 0.0
    assert together.max() <= 1.0
    np.testing.assert_array_equal(together[0], together[2])
    assert not np.array_equal(together[0], together[1])
    assert not np.array_equal(together[0], together[3])  # dropout is its noise
    for i in range(4):
        alone = model.signatures["translate"](
            images=tf.constant(images[i : i + 1]), seed=tf.constant(seeds[i : i + 1])
        )["images"]
        np.testing.assert_allclose(alone[0], together[i], atol=1e-5)


def png(pixels: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, **options)
    return file.getvalue()


def test_files_of_any_size_are_translated(model):
    pixels = np.random.default_rng(2).integers(0, 256, [28, 28, 3], np.uint8)
    files = [
        png(pixels, format="PNG"),
        png(pixels.repeat(2, 0).repeat(2, 1), format="PNG"),  # reduced again
        png(pixels[:7, :5, 0], format="JPEG"),
    ]
    seeds = tf.constant([1, 1, 1], tf.int64)
    answer = model.signatures["translate_png"](
        image_bytes=tf.constant(files), seed=seeds
    )
    decoded = [
        np.asarray(Image.open(io.BytesIO(x))) for x in answer["image_bytes"].numpy()
    ]
    assert [x.shape for x in decoded] == [(28, 28)] * 3
    expected = model.translate(pixels[np.newaxis] / 255.0, [1])[0, ..., 0]
    np.testing.assert_allclose(decoded[0] / 255.0, expected, atol=0.5 / 255 + 1e-4)


def test_the_model_says_what_it_takes(model):
    assert model.metadata["translates"] == [[28, 28, 3]]
    assert set(model.signatures) == {"serving_default", "translate", "translate_png"}
    seeds = row_seeds(1, 2)
    images = np.zeros([2, 28, 28, 3], np.float32)
    default = model.signatures["serving_default"](
        images=tf.constant(images), seed=tf.constant(seeds)
    )
    np.testing.assert_allclose(
        default["images"], model.translate(images, seeds), atol=1e-5
    )
