import imageio.v3 as imageio
import numpy as np
import pytest
import tensorflow as tf
from conftest import untrained

from tfgan_mnist import invert, judge
from tfgan_mnist.system.errors import UserError


@pytest.fixture
def digit(tmp_path):
    path = tmp_path / "digit.png"
    imageio.imwrite(path, np.zeros([28, 28], np.uint8))
    return path


@pytest.fixture(scope="module")
def prompted(tmp_path_factory):
    """A tiny model that draws what a sentence says, untrained."""
    return untrained("stackgan_1", tmp_path_factory.mktemp("prompted"))


def test_what_an_image_was_made_of_is_written(trained, digit, tmp_path, capsys):
    words = [f"--saved_model={trained / 'saved_model'}", f"--image={digit}"]
    output = tmp_path / "found.png"
    invert.main([*words, "--steps=3", "--starts=2", f"--output={output}"])
    assert imageio.imread(output).ndim == 3
    assert np.load(tmp_path / "found.npy").shape == (100,)
    assert "mean squared error" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--image=small.png"], "which model?"),
        ([], "--image is missing"),
        (["--image=nowhere.png"], "--image=nowhere.png: there is no such file"),
        (["--image=text.png"], "is no picture"),
        (["--image=small.png"], "is 14×14; the model makes 28×28"),
        (["--image=small.png", "--label=3"], "is not conditional; it takes no label"),
        (
            ["--image=small.png", "--prompt=a 3"],
            "takes no prompt; models of",
        ),
        (["--image=small.png", "--output=a.gif"], "--output=a.gif: must end in .png"),
    ],
)
def test_bad_input_is_one_line(trained, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    imageio.imwrite("small.png", np.zeros([14, 14], np.uint8))
    model = [f"--saved_model={trained / 'saved_model'}"]
    given = [] if "which" in said else model
    with pytest.raises(UserError) as error:
        invert.main([*given, *words])
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_model_that_does_not_sample_or_makes_points_is_named(digit, tmp_path):
    for kind in ("points", "images"):
        module = tf.Module()
        module.double = tf.function(
            lambda x, kind=kind: {kind: x}, input_signature=[tf.TensorSpec([None, 2])]
        )
        signatures = {"sample" if kind == "points" else "other": module.double}
        tf.saved_model.save(module, str(tmp_path / kind), signatures)
    words = ["--steps=1", f"--image={digit}"]
    with pytest.raises(UserError, match="makes points, and no images to compare"):
        invert.main([*words, f"--saved_model={tmp_path / 'points'}"])
    with pytest.raises(UserError, match="has no signature 'sample', but other"):
        invert.main([*words, f"--saved_model={tmp_path / 'images'}"])


def test_nothing_is_written_into_a_model(trained, digit):
    model = trained / "saved_model"
    with pytest.raises(UserError, match=r"found\.png: lies in the model"):
        invert.main(
            [
                f"--saved_model={model}",
                f"--image={digit}",
                f"--output={model / 'found.png'}",
            ]
        )
    with pytest.raises(UserError, match=r"judge\.npz: lies in the model"):
        judge.Flags(dataset="mnist", output=str(model / "judge.npz"))


def test_a_conditional_model_wants_a_label(conditional, digit):
    words = [f"--saved_model={conditional}", f"--image={digit}"]
    with pytest.raises(UserError, match=r"--label is missing: .* is conditional; give"):
        invert.main(words)
    with pytest.raises(UserError, match=r"--label=10: .* knows the classes 0 to 9"):
        invert.main([*words, "--label=10"])
    with pytest.raises(UserError, match=r"--label=1,2: give one class from 0 to 9"):
        invert.main([*words, "--label=1,2"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--prompt is missing: .* draws what a sentence says"),
        (["--prompt=a bold cat"], "--prompt=a bold cat: unknown words: cat"),
        (["--label=3"], "--label=3: .* takes a --prompt instead"),
        (["--prompt=a 3;a 4"], "--prompt=a 3;a 4: give one sentence"),
    ],
)
def test_a_model_of_sentences_wants_one(prompted, digit, words, said):
    with pytest.raises(UserError, match=said):
        invert.main([f"--saved_model={prompted}", f"--image={digit}", *words])


def test_what_a_sentence_and_latents_make_is_found(prompted, tmp_path, capsys):
    imageio.imwrite(tmp_path / "small.png", np.zeros([14, 14], np.uint8))
    words = [f"--saved_model={prompted}", f"--image={tmp_path / 'small.png'}"]
    words += ["--prompt=A bold 3!", "--steps=2", "--starts=2"]
    invert.main([*words, f"--output={tmp_path / 'found.png'}"])
    assert np.load(tmp_path / "found.npy").shape == (64,)
    assert "mean squared error" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pixel", "expected"),
    [
        ([0, 255], [0.0]),  # grey and how opaque
        ([255, 0], [0.0]),
        ([51, 255], [0.2]),
        ([255, 255, 255, 0], [0.0, 0.0, 0.0]),
        ([51, 102, 255, 255], [0.2, 0.4, 1.0]),
        ([51, 102, 255], [0.2, 0.4, 1.0]),
        ([51], [0.2]),
    ],
)
def test_what_is_transparent_is_black(tmp_path, pixel, expected):
    pixels = np.tile(np.array(pixel, np.uint8), (5, 4, 1))
    imageio.imwrite(tmp_path / "a.png", pixels if len(pixel) > 1 else pixels[..., 0])
    found = invert.read_image(str(tmp_path / "a.png"))
    assert (found.shape, found.dtype) == ((5, 4, len(expected)), np.float32)
    np.testing.assert_allclose(found[2, 1], expected, atol=1e-6)
