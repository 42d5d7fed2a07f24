import json
import shutil

import imageio.v3 as imageio
import numpy as np
import pytest
from conftest import assert_one_line_error, call, run
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
    result = call("evaluate", f"--saved_model={tmp_path / 'model'}")
    assert_one_line_error(result, "does not say which data set")


def test_a_toy_is_compared_with_no_images(toy, tmp_path):
    info = tmp_path / "mnist/3.0.1/dataset_info.json"
    info.parent.mkdir(parents=True)
    info.write_text("{}")
    flags = [f"--saved_model={toy}", f"--data_dir={tmp_path}"]
    assert_one_line_error(call("evaluate", *flags), "makes no images to compare")


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
        code, stdout, stderr = call("evaluate", *flags, cwd=tmp_path)
        assert (code, stderr) == (0, "")
        assert "250 samples, judge-1" in stdout
        found.append(json.loads((tmp_path / f"{name}.json").read_text()))
    assert found[0]["metrics"] == found[1]["metrics"]
    assert found[0]["metrics"]["classes_250"]["mean"] == 10
    assert found[0]["metrics"]["precision_250"]["mean"] > 0.8
    assert found[0]["images"] == "array.npy"


def test_black_digits_on_white_are_measured_with_a_warning(tmp_path):
    np.save(tmp_path / "inverse.npy", 255 - mnist5k()[0][::40])
    code, stdout, stderr = call("evaluate", "--images=inverse.npy", cwd=tmp_path)
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
        (["few.npy"], "--images=few.npy: 5 are too few"),
        (["."], "--images=.: "),
        (["digitz.npy"], "digitz.npy: there is no such file or folder, nor a pre"),
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
        ({"images": "here", "masks": "m"}, "--masks=m: is for --targets; give both"),
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


def save_pictures(folder, images):
    folder.mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i:03d}.png")


def test_pairs_by_a_judge_and_inside_masks(tmp_path):
    """Digits that are blue, and every tenth another, whose upper half is black."""
    digits = mnist5k()[0][::40, ..., 0]
    blue = np.stack([0 * digits, 0 * digits, digits], axis=-1)
    save_pictures(tmp_path / "targets", blue)
    changed = blue.copy()
    changed[::10] = np.roll(blue, 60, axis=0)[::10]  # five classes further
    changed[:, :14] = 0
    save_pictures(tmp_path / "images", changed)
    masks = np.zeros([len(digits), 28, 28], np.uint8)
    masks[1, :14] = 255
    save_pictures(tmp_path / "masks", masks)
    words = [f"--{n}={tmp_path / n}" for n in ("images", "targets", "masks")]
    found = {}
    for name, more in (("changed", []), ("same", [f"--images={tmp_path / 'targets'}"])):
        output = tmp_path / f"{name}.json"
        evaluate.main([*words, *more, "--judge=mnist", f"--output={output}"])
        report = json.loads(output.read_text())
        assert report["judge"] == "judge-1"
        found[name] = {n: x["mean"] for n, x in report["metrics"].items()}
    assert found["same"]["digit_kept_125"] == 1.0
    assert found["same"]["fcd_125"] == pytest.approx(0.0, abs=1e-2)
    assert found["same"]["l1_masked_125"] == 0.0
    assert "psnr_125" not in found["same"]  # infinite, which JSON does not know
    assert "psnr_125" in found["changed"]
    assert found["changed"]["digit_kept_125"] < 0.7
    assert found["changed"]["fcd_125"] > 10.0
    expected = digits[1, :14].mean() / 255 / 3  # one of three channels is missing
    assert found["changed"]["l1_masked_125"] == pytest.approx(expected, rel=1e-5)


def test_few_pairs_and_wrong_ones(tmp_path):
    digits = mnist5k()[0][::1000, ..., 0]
    for name, images in (
        ("images", digits),
        ("targets", digits),
        ("masks", 0 * digits),
    ):
        save_pictures(tmp_path / name, images)
    words = [f"--{n}={tmp_path / n}" for n in ("images", "targets")]
    output = tmp_path / "few.json"
    evaluate.main([*words, "--judge=mnist", f"--output={output}"])
    metrics = json.loads(output.read_text())["metrics"]
    assert metrics["digit_kept_5"]["mean"] == 1.0
    assert "fcd_5" not in metrics
    masks = f"--masks={tmp_path / 'masks'}"
    with pytest.raises(UserError, match=r"masks: nothing in them is white"):
        evaluate.main([*words, masks])
    (tmp_path / "masks/003.png").unlink()
    with pytest.raises(UserError, match=r"masks: lacks a picture named 003"):
        evaluate.main([*words, masks])
    save_pictures(tmp_path / "tiny", digits[:, :10, :10])
    with pytest.raises(UserError, match=r"tiny: .* 10 pixels; .* at least 11"):
        evaluate.main([words[0], f"--targets={tmp_path / 'tiny'}"])
    (tmp_path / "judge.npz").write_bytes(b"no judge")
    with pytest.raises(UserError, match=r"judge.npz: is no judge"):
        evaluate.main([*words, f"--judge={tmp_path / 'judge.npz'}"])
    (tmp_path / "targets/000.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"000.png: cannot be read"):
        evaluate.main(words)
