import imageio.v3 as imageio
import numpy as np
import pytest
from conftest import call, run, tiny_config, untrained, write_model

from tfgan_mnist.build import build_gan
from tfgan_mnist.config import find_recipe
from tfgan_mnist.sample import WALK_FRAMES, main
from tfgan_mnist.serving.reader import LoadedModel, row_seeds
from tfgan_mnist.system.errors import UserError


@pytest.fixture(scope="module")
def draw(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")

    def draw(name: str, *flags: str):
        path = folder / name
        flags = (f"--saved_model={trained / 'saved_model'}", f"--output={path}", *flags)
        code, stdout, stderr = call("sample", *flags)
        assert code == 0, stderr
        assert stderr == ""
        assert str(path) in stdout
        return path

    return draw


def test_a_sheet_the_same_for_the_same_seed(draw):
    sheets = [
        draw(name, "--count=9", f"--seed={seed}").read_bytes()
        for name, seed in (("a.png", 3), ("b.png", 3), ("c.png", 4))
    ]
    assert sheets[0] == sheets[1] != sheets[2]
    assert imageio.imread(sheets[0], extension=".png").shape == (88, 88)


def test_one_image_alone_has_no_border(draw):
    assert imageio.imread(draw("one.png", "--count=1")).shape == (28, 28)


def test_an_array_in_0_to_1(draw):
    images = np.load(draw("a.npy", "--count=120", "--temperature=0.8"))
    assert images.shape == (120, 28, 28, 1)
    assert images.dtype == np.float32
    assert images.min() >= 0.0
    assert images.max() <= 1.0


def test_a_walk(draw):
    frames = imageio.imread(draw("a.gif", "--count=3"), index=None)
    # Frames of the same pixels are one frame shown for longer.
    assert 3 <= len(frames) <= 3 * WALK_FRAMES
    assert frames.shape[1:3] == (28 * 8, 28 * 8)


def test_seeds_draw_again_what_a_sheet_showed(draw):
    sheet = np.load(draw("sheet.npy", "--count=20", "--seed=3"))
    some = np.load(draw("some.npy", "--seeds=0-2,19,7", "--seed=3"))
    np.testing.assert_array_equal(some, sheet[[0, 1, 2, 19, 7]])


def test_one_class_a_row_in_every_format(conditional, tmp_path):
    flags = [f"--saved_model={conditional}", "--label=7,0-1", "--count=6", "--seed=4"]
    for name in ("a.npy", "a.gif"):
        code, _, stderr = call("sample", *flags, f"--output={name}", cwd=tmp_path)
        assert (code, stderr) == (0, "")
    model = LoadedModel(conditional)
    expected = model.sample(row_seeds(4, 6), labels=[7, 7, 0, 0, 1, 1])
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), expected)
    frames = imageio.imread(tmp_path / "a.gif", index=None)
    first = np.rint(expected[0, ..., 0] * 255)
    assert abs(frames[0, ::8, ::8, 0].astype(float) - first).max() <= 8  # GIF's palette


def test_a_sheet_with_a_class_in_each_row(conditional, tmp_path):
    flags = [f"--saved_model={conditional}", "--label=0-9", "--count=30"]
    code, stdout, stderr = run("sample", *flags, "--output=a.png", cwd=tmp_path)
    assert (code, stderr) == (0, "")
    assert stdout == "30 images in a.png\n"
    sheet = imageio.imread(tmp_path / "a.png")
    assert sheet.shape == (10 * 29 + 1, 3 * 29 + 1)


@pytest.mark.parametrize("name", ["a.npy", "a.csv", "a.png"])
def test_a_toy(toy, tmp_path, name):
    flags = [f"--saved_model={toy}", "--count=50", f"--output={name}"]
    code, stdout, stderr = call("sample", *flags, cwd=tmp_path)
    assert (code, stderr) == (0, "")
    assert stdout == f"50 points in {name}\n"
    path = tmp_path / name
    if name == "a.npy":
        assert np.load(path).shape == (50, 2)
    elif name == "a.csv":
        assert np.loadtxt(path, delimiter=",").shape == (50, 2)
    else:
        assert imageio.imread(path).shape == (400, 500, 3)


def test_stacks_keep_their_colours(tmp_path):
    write_model(build_gan(tiny_config("stacked")), tmp_path / "model")
    model = LoadedModel(tmp_path / "model")
    expected = model.sample(row_seeds(1, 2))
    assert expected.shape == (2, 28, 28, 3)
    flags = ["--saved_model=model", "--count=2", "--seed=1", "--output=a.gif"]
    code, _, stderr = call("sample", *flags, cwd=tmp_path)
    assert (code, stderr) == (0, "")
    frame = imageio.imread(tmp_path / "a.gif", index=0)[::8, ::8]
    first = np.rint(expected[0] * 255)
    own, red = (abs(frame - x).mean() for x in (first, first[..., :1]))
    assert own < 0.5 * red  # GIF's palette changes it a little


@pytest.mark.parametrize(
    ("networks", "words", "said"),
    [
        ("dcgan_cpu", ["--truncation=0.5"], "--truncation=0.5: {} takes none"),
        ("biggan", ["--truncation_psi=0.5"], "--truncation_psi=0.5: {} takes none"),
        ("biggan", ["--truncation=0.01"], "--truncation=0.01: must be at least 0.02"),
        ("stylegan", ["--truncation_psi=9"], "--truncation_psi=9.0: must be at most 2"),
        ("biggan", ["--sheet=noise"], "--sheet=noise: {} has none"),
        (
            "stylegan",
            ["--sheet=noise", "--count=10"],
            "--count=10: a sheet has",
        ),
    ],
)
def test_what_a_model_cannot_be_told_is_one_line(networks, words, said, tmp_path):
    """Known from the run alone, without TensorFlow."""
    run_dir = tmp_path / "run"
    (run_dir / "checkpoints").mkdir(parents=True)
    (run_dir / "config.flags").write_text(f"--flagfile={find_recipe(networks)}\n")
    with pytest.raises(UserError) as error:
        main([f"--run_dir={run_dir}", "--label=0-9", *words])
    assert str(error.value).startswith(said.format(run_dir))


@pytest.fixture(scope="module")
def prompted(tmp_path_factory):
    """A tiny model that draws what a sentence says, untrained."""
    return untrained("stackgan_1", tmp_path_factory.mktemp("prompted"))


def test_what_a_sentence_says_in_every_format(prompted, tmp_path):
    flags = [f"--saved_model={prompted}", "--count=4", "--seed=4"]
    flags.append("--prompt=A thin five, leaning left; bold 7")
    for name in ("a.npy", "a.gif", "a.png"):
        code, _, stderr = call("sample", *flags, f"--output={name}", cwd=tmp_path)
        assert (code, stderr) == (0, "")
    model = LoadedModel(prompted)
    prompts = ["a thin five leaning left", "bold 7"]
    expected = model.sample(row_seeds(4, 4), labels=np.repeat(prompts, 2))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), expected)
    assert imageio.imread(tmp_path / "a.png").shape == (2 * 15 + 1, 2 * 15 + 1)
    others = model.sample(row_seeds(4, 4), labels=np.repeat(prompts[::-1], 2))
    assert not np.allclose(expected, others)


def test_a_class_is_asked_for_by_its_number(prompted):
    """So that what measures labelled models measures these too."""
    model = LoadedModel(prompted)
    assert model.classes == 10
    found = model.sample(row_seeds(1, 2), labels=[3, 1])
    expected = model.sample(row_seeds(1, 2), labels=np.array(["3", "1"]))
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(UserError, match=r"failed \(prompt: has words that are not"):
        model.sample(row_seeds(1, 1), labels=np.array(["a purple seven"]))


@pytest.mark.parametrize(
    ("networks", "words", "said"),
    [
        (
            "dcgan_cpu",
            ["--prompt=a 7"],
            "--prompt=a 7: {} takes no prompt; models",
        ),
        (
            "cdcgan_fast",
            ["--prompt=a 7", "--label=7"],
            "--prompt=a 7: {} takes no prompt",
        ),
        ("stackgan_1", [], "--prompt is missing: {} draws what a sentence says"),
        ("stackgan_1", ["--label=7"], "--label=7: {} takes a --prompt"),
        (
            "stackgan_1",
            ["--prompt=a purple, bald 7"],
            "--prompt=a purple, bald 7: unknown words: purple, bald; ",
        ),
        (
            "stackgan_1",
            ["--prompt=a bald 7"],
            "--prompt=a bald 7: unknown words: bald; did you mean 'bold' or",
        ),
        ("stackgan_1", ["--prompt=a 7;"], "--prompt=a 7;: '' has 0 words; give from 1"),
        (
            "stackgan_1",
            ["--prompt=a 7; a 5", "--count=3"],
            "--count=3: must be a multiple of the 2 prompts of --prompt=a 7; a 5",
        ),
    ],
)
def test_a_prompt_that_does_not_fit_is_one_line(networks, words, said, tmp_path):
    """Known from the run alone, without TensorFlow."""
    run_dir = tmp_path / "run"
    (run_dir / "checkpoints").mkdir(parents=True)
    (run_dir / "config.flags").write_text(f"--flagfile={find_recipe(networks)}\n")
    with pytest.raises(UserError) as error:
        main([f"--run_dir={run_dir}", *words])
    assert str(error.value).startswith(said.format(run_dir))


def test_a_saved_model_knows_its_words_without_tensorflow(prompted, conditional):
    for model, words in ((prompted, ["--prompt=a bald 7"]), (conditional, [])):
        code, _, stderr = run("sample", f"--saved_model={model}", *words)
        assert code == 2
        known = "unknown words: bald" if words else "--label is missing"
        assert known in stderr
