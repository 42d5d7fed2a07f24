import dataclasses

import imageio.v3 as imageio
import numpy as np
import pytest
from conftest import tiny_config, untrained
from PIL import Image, ImageSequence

from tfgan_mnist import invert, load, translate
from tfgan_mnist.model import DIRECTIONS
from tfgan_mnist.serving.reader import LoadedModel, row_seeds
from tfgan_mnist.system import command
from tfgan_mnist.system.errors import UserError


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, str]:
    """Tiny models, untrained, by recipe: of both games, and of a video's frames."""
    return {
        recipe: f"--saved_model={untrained(recipe, tmp_path_factory.mktemp(recipe))}"
        for recipe in ("inpaint", "cyclegan_thickness", "frames")
    }


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    random = np.random.default_rng(1)
    for name, size in (
        ("a.png", (28, 28)),
        ("b.jpg", (40, 60)),
        ("more/a.png", (9, 9)),
    ):
        pixels = random.integers(0, 256, [*size, 3], np.uint8)
        Image.fromarray(pixels).save(folder / name)
    return folder


def run(*words: str) -> None:
    translate.main(words)


def test_a_sheet_an_array_and_a_folder_hold_the_same(
    models, pictures, tmp_path, capsys
):
    model = models["inpaint"]
    words = [model, f"--images={pictures}", "--count=2", "--seed=3"]
    sheet, array, folder = (tmp_path / name for name in ("a.png", "a.npy", "all"))
    for output in (sheet, array, folder):
        run(*words, f"--output={output}")
    assert "3 images translated, 2 each" in capsys.readouterr().out
    found = np.load(array)
    assert found.shape == (3, 2, 28, 28, 1)
    assert found.min() >= 0.0
    assert found.max() <= 1.0
    assert not np.array_equal(found[:, 0], found[:, 1])
    names = ["a_1.png", "a_2.png", "b_1.png", "b_2.png", "more-a_1.png", "more-a_2.png"]
    assert sorted(path.name for path in folder.iterdir()) == names
    pixels = np.rint(found * 255)
    np.testing.assert_array_equal(
        imageio.imread(folder / "b_2.png"), pixels[1, 1, ..., 0]
    )
    drawn = imageio.imread(sheet)
    assert drawn.shape == (3 * 29 + 1, 3 * 29 + 1, 3)  # a row for each picture
    source = imageio.imread(pictures / "a.png")
    np.testing.assert_array_equal(drawn[1:29, 1:29], source)
    np.testing.assert_array_equal(drawn[1:29, 30:58, 0], pixels[0, 0, ..., 0])


def test_an_array_is_translated_as_it_is(models, tmp_path):
    images = np.random.default_rng(1).uniform(size=[3, 28, 28, 3]).astype(np.float32)
    np.save(tmp_path / "given.npy", images)
    words = [models["inpaint"], f"--images={tmp_path / 'given.npy'}"]
    run(*words, f"--output={tmp_path / 'found.npy'}", "--seed=5")
    run(*words, f"--output={tmp_path / 'found'}", "--seed=5")
    found = np.load(tmp_path / "found.npy")
    model = load(models["inpaint"].partition("=")[2])
    np.testing.assert_array_equal(found, model.translate(images, seed=5))
    pixels = imageio.imread(tmp_path / "found" / "3.png")
    np.testing.assert_array_equal(pixels, np.rint(found[2, 0, ..., 0] * 255))


def test_a_video_goes_on(models, tmp_path, capsys):
    video = np.random.default_rng(2).integers(0, 256, [4, 64, 64], np.uint8)
    np.save(tmp_path / "video.npy", video)
    words = [models["frames"], f"--images={tmp_path / 'video.npy'}", "--frames=4"]
    outputs = {name: tmp_path / name for name in ("a.npy", "a.png", "a.gif", "all")}
    for output in outputs.values():
        run(*words, "--count=2", f"--output={output}")
    assert "4 frames predicted, 2 each" in capsys.readouterr().out
    found = np.load(outputs["a.npy"])
    assert found.shape == (4, 2, 64, 64, 1)
    assert not np.array_equal(found[:, 0], found[:, 1])  # by dropout
    # Each frame by hand, from the last three.
    saved = LoadedModel(models["frames"].partition("=")[2])
    told = np.moveaxis(video[1:] / np.float32(255.0), 0, -1)[np.newaxis]
    for frame in found[:, 1]:
        following = saved.translate(told, row_seeds(1, 2)[1:])
        np.testing.assert_allclose(following[0], frame, atol=1e-5)
        told = np.concatenate([told[..., 1:], following], axis=-1)

    pixels = np.rint(found[..., 0] * 255)
    names = [f"{i}_{j}.png" for i in range(1, 5) for j in (1, 2)]
    assert sorted(path.name for path in outputs["all"].iterdir()) == names
    np.testing.assert_array_equal(
        imageio.imread(outputs["all"] / "3_2.png"), pixels[2, 1]
    )
    sheet = imageio.imread(outputs["a.png"])
    assert sheet.shape == (2 * 65 + 1, 7 * 65 + 1)  # three frames told, four found
    np.testing.assert_array_equal(sheet[66:130, 131:195], video[3])
    np.testing.assert_array_equal(sheet[66:130, 196:260], pixels[0, 1])
    with Image.open(outputs["a.gif"]) as animation:
        frames = [np.asarray(x.convert("L")) for x in ImageSequence.Iterator(animation)]
    assert np.shape(frames) == (7, 66, 131)
    assert abs(frames[2][1:65, 1:65].astype(int) - video[3]).max() <= 8


def test_one_picture_both_ways(models, pictures, tmp_path):
    found = []
    for direction in DIRECTIONS:
        output = tmp_path / f"{direction}.npy"
        run(
            models["cyclegan_thickness"],
            f"--images={pictures / 'a.png'}",
            f"--direction={direction}",
            f"--output={output}",
        )
        found.append(np.load(output))
    assert found[0].shape == found[1].shape == (1, 1, 28, 28, 1)
    assert not np.array_equal(*found)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--images={pictures}"], ["which model?", "--saved_model"]),
        (["{inpaint}"], ["--images is missing"]),
        (["{inpaint}", "--images=nowhere"], ["--images=nowhere", "no such"]),
        (["{inpaint}", "--images={empty}"], ["holds no pictures"]),
        (["{inpaint}", "--images={broken}"], ["broken.png", "cannot be read"]),
        (
            ["{inpaint}", "--images={pictures}", "--direction=backward"],
            ["--direction=backward", "forward only"],
        ),
        (
            ["{inpaint}", "--images={pictures}", "--direction=up"],
            ["--direction=up", "forward"],
        ),
        (
            ["{cyclegan_thickness}", "--images={pictures}", "--count=2"],
            ["--count=2", "no noise"],
        ),
        (
            ["{inpaint}", "--images={pictures}", "--output={empty}.gif"],
            [".gif: --saved_model", "predicts no frames"],
        ),
        (["{inpaint}", "--images={pictures}", "--output=a.jpg"], ["a.jpg", ".npy"]),
        (
            ["{inpaint}", "--images={pictures}", "--frames=3"],
            ["--frames=3", "predicts no frames"],
        ),
        (["{inpaint}", "--images={array}"], ["holds images of 9×9", "28×28"]),
        (["{inpaint}", "--images={grey}"], ["[count, height, width, 3]"]),
        (["{inpaint}", "--images={text}"], ["text.npy: is no array"]),
        (["{inpaint}", "--images={animation}"], ["is animated"]),
        (["{frames}", "--images={array}"], ["frames of 9×9", "64×64"]),
        (["{frames}", "--images={pictures}/a.png"], ["1 frames are too few"]),
        (["{frames}", "--images={empty}"], ["holds no pictures"]),
        (
            ["{inpaint}", "--images={pictures}", "--output={empty}"],
            ["is there already"],
        ),
        (
            ["{inpaint}", "--images={pictures}", "--output={inside}/a.png"],
            ["a.png: lies in the model"],
        ),
        (["{latents}", "--images={pictures}"], ["translates no images", "sample"]),
        (["--saved_model={empty}", "--images={pictures}"], ["no saved_model.pb"]),
    ],
)
def test_bad_input(words, said, models, pictures, conditional, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "broken.png").write_bytes(b"no picture")
    places = {"pictures": pictures, "latents": f"--saved_model={conditional}", **models}
    places["inside"] = models["inpaint"].partition("=")[2]
    places |= {name: tmp_path / name for name in ("empty", "broken")}
    for name, array in (
        ("array", np.zeros([3, 9, 9, 1 if "{frames}" in words else 3], np.uint8)),
        ("grey", np.zeros([3, 28, 28], np.uint8)),
    ):
        places[name] = tmp_path / f"{name}.npy"
        np.save(places[name], array)
    places["text"] = tmp_path / "text.npy"
    places["text"].write_text("no array")
    places["animation"] = tmp_path / "animation.gif"
    frames = np.stack([np.eye(28), np.eye(28)[::-1]]).astype(np.uint8) * 255
    imageio.imwrite(places["animation"], frames, loop=0)
    code = command.run(translate.main, [word.format(**places) for word in words])
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("error: ")
    for word in said:
        assert word in line


def test_a_translation_is_not_inverted(models, pictures, tmp_path):
    output = f"--output={tmp_path / 'found.png'}"
    for model in models.values():
        with pytest.raises(UserError, match="turns images into others"):
            invert.main([model, f"--image={pictures / 'a.png'}", output])


def test_a_game_that_translates_needs_a_task_of_its_own():
    config = tiny_config("inpaint")
    for changes, words in (
        ({"task": ""}, "--task is missing"),
        ({"task": "uci"}, "give one of colour"),
        ({"latent_dim": 7}, "has no such flag"),
        ({"l1_weight": -1.0}, "at least 0"),
        ({"l1_weight": 0.0, "adversarial_weight": 0.0}, "nothing is learned"),
    ):
        with pytest.raises(UserError, match=words):
            dataclasses.replace(config, **changes)
    with pytest.raises(UserError, match=r"--task=inpaint.* has no such flag"):
        tiny_config("dcgan_cpu", task="inpaint")
    with pytest.raises(UserError, match=r"--r1_weight.*cyclegan"):
        tiny_config("cyclegan_uci", r1_weight=1.0)
