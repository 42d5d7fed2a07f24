import dataclasses

import imageio.v3 as imageio
import numpy as np
import pytest
from conftest import tiny_config, write_model
from PIL import Image

from tfgan_mnist import invert, translate
from tfgan_mnist.build import build_gan
from tfgan_mnist.runner import metadata
from tfgan_mnist.system import command
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.training.checkpoint import State


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, str]:
    """Tiny models of both games, untrained, by recipe."""
    found = {}
    for recipe in ("inpaint", "cyclegan_thickness"):
        config = tiny_config(recipe)
        path = tmp_path_factory.mktemp(recipe) / "saved_model"
        write_model(build_gan(config), path, metadata(config, State({})))
        found[recipe] = f"--saved_model={path}"
    return found


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


def test_one_picture_both_ways(models, pictures, tmp_path):
    found = []
    for direction in translate.SIGNATURES:
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
            ["--direction=backward", "one way"],
        ),
        (
            ["{inpaint}", "--images={pictures}", "--direction=up"],
            ["--direction=up", "forward"],
        ),
        (
            ["{cyclegan_thickness}", "--images={pictures}", "--count=2"],
            ["--count=2", "no noise"],
        ),
        (["{inpaint}", "--images={pictures}", "--output=a.gif"], ["a.gif", ".npy"]),
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
    ):
        with pytest.raises(UserError, match=words):
            dataclasses.replace(config, **changes)
    with pytest.raises(UserError, match=r"--task=inpaint.* has no such flag"):
        tiny_config("dcgan_cpu", task="inpaint")
    with pytest.raises(UserError, match=r"--r1_weight.*cyclegan"):
        tiny_config("cyclegan_uci", r1_weight=1.0)
