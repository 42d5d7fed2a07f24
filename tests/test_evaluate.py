import json
import shutil

import imageio.v3 as imageio
import numpy as np
import pytest
from conftest import assert_one_line_error, run
from PIL import Image

from tfgan_mnist import evaluate
from tfgan_mnist.data.mnist import mnist5k
from tfgan_mnist.evaluation import report
from tfgan_mnist.system.errors import UserError


def test_a_table_and_the_same_as_json(toy, tmp_path):
    flags = [f"--saved_model={toy}", "--output=metrics.json"]
    code, stdout, stderr = run("evaluate", *flags, cwd=tmp_path)
    assert (code, stderr) == (0, "")
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["dataset"] == "moons"
    assert found["samples"] == 2_500
    assert set(found["metrics"]) == {"near_arcs", "bins", "energy_distance"}
    assert found["metrics"]["near_arcs"]["real"] == pytest.approx(0.997, abs=0.003)
    assert found["metrics"]["bins"]["real"] == 20.0
    assert stdout.strip() == report.table(found)


def test_a_model_that_does_not_say_what_it_imitates(toy, tmp_path):
    shutil.copytree(toy, tmp_path / "model")
    (tmp_path / "model/assets.extra/tfgan_mnist.json").unlink()
    result = run("evaluate", f"--saved_model={tmp_path / 'model'}")
    assert_one_line_error(result, "does not say which data set")


def test_a_toy_is_compared_with_no_images(toy, tmp_path):
    info = tmp_path / "mnist/3.0.1/dataset_info.json"
    info.parent.mkdir(parents=True)
    info.write_text("{}")
    flags = [f"--saved_model={toy}", f"--data_dir={tmp_path}"]
    assert_one_line_error(run("evaluate", *flags), "makes no images to compare")


def test_images_of_anyone(tmp_path):
    """The same metrics from a folder of pictures as from an array."""
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
    assert found[0]["metrics"] == found[1]["metrics"]
    assert found[0]["metrics"]["classes_250"]["mean"] == 10
    assert found[0]["metrics"]["precision_250"]["mean"] > 0.8
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
        ([], "which model?"),
        (["--saved_model=a", "--images=b"], "are both given"),
        (["--images=missing"], "--images=missing: there is no such file"),
        (["--images=few.npy"], "--images=few.npy: 5 are too few"),
        (["--images=few.npy", "--data_dir=here"], "--data_dir=here: holds no mnist"),
        (["--images=few.npy", "--output=a.txt"], "--output=a.txt: must end in .json"),
        (["--images=few.npy", "--neighbours=a.png"], "needs training images; give"),
    ],
)
def test_wrong_words(flags, words, tmp_path):
    np.save(tmp_path / "few.npy", np.zeros([5, 28, 28]))
    assert_one_line_error(run("evaluate", *flags, cwd=tmp_path), words)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"targets": "there", "images": "here", "judge": "mnist"}, "--judge=mnist: pi"),
        ({"targets": "there", "images": "here", "data_dir": "d"}, "--data_dir=d: pict"),
        ({"targets": "there", "images": "here", "neighbours": "a.png"}, "--neighbours"),
        ({"pretrained": "dcgan_fast", "judge": "mnist", "data_dir": "d"}, "leave one"),
    ],
)
def test_flags_without_effect_are_refused(flags, words):
    with pytest.raises(UserError, match=words):
        evaluate.Flags(**flags)


def test_pictures_beside_their_targets(tmp_path, capsys):
    for folder, value in (("images", 100), ("targets", 151)):
        (tmp_path / folder).mkdir()
        for name in ("a", "b"):
            pixels = np.full([28, 28], value, np.uint8)
            Image.fromarray(pixels).save(tmp_path / folder / f"{name}.png")
    words = [f"--{name}={tmp_path / name}" for name in ("images", "targets")]
    evaluate.main([*words, f"--output={tmp_path / 'a.json'}"])
    assert "psnr_2" in capsys.readouterr().out
    metrics = json.loads((tmp_path / "a.json").read_text())["metrics"]
    assert metrics["l1_2"]["mean"] == pytest.approx(0.2, abs=1e-5)
    assert metrics["psnr_2"]["mean"] == pytest.approx(-20 * np.log10(0.2), abs=1e-3)
    (tmp_path / "images/b.png").unlink()
    with pytest.raises(UserError, match="lacks a picture named b"):
        evaluate.main(words)
    with pytest.raises(UserError, match=r"--targets=.*: give the pictures"):
        evaluate.main(["--pretrained=dcgan_fast", words[1]])
