import shutil

import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config
from PIL import Image

from tfgan_mnist.build import build_picture, build_training
from tfgan_mnist.data import own_pairs, pictures
from tfgan_mnist.system.errors import UserError

COUNT = 12


def save(path, value: int, size=(32, 32), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, (value, 0, 255) if mode == "RGB" else value).save(path)


@pytest.fixture
def folder(tmp_path):
    """Pairs whose red says which they are: 10 i in a, 10 i + 5 in b."""
    for i in range(COUNT):
        for kind, more in (("a", 0), ("b", 5)):
            save(tmp_path / kind / f"{i:02d}.png", 10 * i + more)
    return tmp_path


def test_pairs_lie_in_two_folders_or_side_by_side(folder, tmp_path_factory):
    together = tmp_path_factory.mktemp("together")
    for i in range(COUNT):
        both = Image.new("RGB", (64, 32), (10 * i, 0, 255))
        both.paste((10 * i + 5, 0, 255), (32, 0, 64, 32))
        both.save(together / f"{i:02d}.png")
    for place in (folder, together):
        facts = own_pairs.describe_pairs(str(place))
        assert facts == {"count": COUNT, "image_size": 32, "channels": 3}
        images, labels = own_pairs.load_pairs(str(place), "", 28, 3)
        assert images.shape == (COUNT, 28, 28, 6)
        assert labels is None
        np.testing.assert_array_equal(images[:, 5, 5, 0], 10 * np.arange(COUNT))
        np.testing.assert_array_equal(images[:, 5, 5, 3], 10 * np.arange(COUNT) + 5)


@pytest.mark.parametrize("limit", [2**31, 1000])
def test_they_train_in_memory_or_read_when_needed(folder, monkeypatch, limit):
    """Each source beside its own target; mirrored together."""
    monkeypatch.setattr(own_pairs, "IN_MEMORY", limit)
    config = tiny_config("superres", dataset=f"pairs:{folder}", task="", flip=True)
    assert config.task == "pairs"
    assert config.shapes == ((32, 32, 3), (32, 32, 3))
    training = build_training(config)
    batch = training.step.batch(tf.constant(0), 0)
    red = [
        np.rint(batch[k].numpy()[:, 5, 5, 0] * 127.5 + 127.5)
        for k in ("sources", "samples")
    ]
    np.testing.assert_array_equal(red[0] + 5, red[1])
    assert len(set(red[0])) == len(red[0])
    if limit == 1000:
        assert isinstance(training.batches.examples.ahead.files, pictures.Files)
        return
    assert np.isfinite(training.step(tf.constant(0), tf.constant(2)).numpy()).all()
    assert build_picture(config, training)(0).shape == (34, 100, 3)  # one is held out


def test_two_unrelated_folders(folder):
    for i in range(12, 30):
        save(folder / "b" / f"{i:02d}.png", i, mode="L")
    name = f"unpaired:{folder}"
    config = tiny_config("cyclegan_uci", dataset=name, task="", evaluate_every=0)
    assert config.shapes == ((32, 32, 3), (32, 32, 3))
    training = build_training(config)
    batch = training.step.batch(tf.constant(0), 0)
    assert batch["sources"].shape == batch["samples"].shape == (8, 32, 32, 3)
    with pytest.raises(UserError, match="nothing is measured"):
        tiny_config("cyclegan_uci", dataset=name, task="", evaluate_every=5)


def test_what_is_wrong_is_named_before_training(folder):
    def refused(kind="pairs", recipe="superres"):
        with pytest.raises(UserError) as error:
            tiny_config(recipe, dataset=f"{kind}:{folder}", task="", evaluate_every=0)
        return str(error.value)

    with pytest.raises(UserError, match="--networks=dcgan: learns nothing"):
        tiny_config("dcgan_cpu", dataset=f"pairs:{folder}")
    with pytest.raises(UserError, match=r"--task=superres: .* give --task=pairs"):
        tiny_config("superres", dataset=f"pairs:{folder}")
    for name in ("pairs:", "unpaired:", "folder:"):
        with pytest.raises(UserError, match=f"--dataset={name}: names no folder"):
            tiny_config("dcgan_cpu", dataset=name)
    assert "these can: cyclegan" in refused("unpaired")
    (folder / "a/05.png").rename(folder / "c.png")
    assert "lacks a picture named 05" in refused()
    save(folder / "a/05.png", 1, (20, 32))
    assert "a/05.png: has 20×32 pixels, others 32×32" in refused()
    (folder / "a/05.png").write_bytes(b"nothing")
    assert "a/05.png: cannot be read" in refused()
    for path in (folder / "b").iterdir():
        path.unlink()
    assert "holds no pictures" in refused("unpaired", "cyclegan_uci")
    (folder / "b").rmdir()
    assert "has a folder a, and lacks its counterpart b" in refused()
    shutil.rmtree(folder / "a")
    assert "c.png: has 32×32 pixels; give folders a and b" in refused()
