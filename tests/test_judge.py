"""The command; what the judges that it makes know is in evaluation/test_judges.py."""

import shlex

import numpy as np
import pytest
from PIL import Image

from tfgan_mnist import judge
from tfgan_mnist.evaluation.judges import read_judge
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.flags import parse_flags


def pictures(folder, count: int, colour: int) -> None:
    """Noise, of which the last ``colour`` pictures are not grey."""
    random = np.random.default_rng(1)
    folder.mkdir()
    for i in range(count):
        size = [9, 9, 3] if i >= count - colour else [9, 9]
        pixels = random.integers(0, 256, size, np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:02d}.png")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "--dataset is missing"),
        (["--dataset=ring"], "holds no single images"),
        (["--dataset=mnist5k", "--output=judge.txt"], r"must end in \.npz"),
        (["--dataset=folder:nowhere"], "there is no such folder"),
        (["--dataset=mnist5k", "--epochs=0"], "--epochs=0: must be at least 1"),
        (["--dataset=mnist5k", "--output=no/judge.npz"], "no folder no"),
        (["--dataset=mnist5k", "--image_size=30"], "--image_size=30"),
        (["--dataest=mnist5k"], "Did you mean: dataset"),
    ],
)
def test_wrong_words_are_answered(words, says):
    with pytest.raises(UserError, match=says):
        judge.main(words)


def test_what_it_made_is_said_in_a_line(tmp_path, capsys):
    pictures(tmp_path / "photos", 100, colour=100)
    output = tmp_path / "judge.npz"
    judge.main([f"--dataset=folder:{tmp_path / 'photos'}", f"--output={output}"])
    own = read_judge(output)
    assert (own.about.classes, own.about.accuracy) == (0, None)
    assert own.judge.network.inputs[0].shape == (None, 28, 28, 3)
    assert capsys.readouterr().out == (
        f"{own.judge.version}, of 90 images: random features, as there are no labels; "
        f"in {output}\n"
    )


def test_pictures_of_both_kinds_are_asked_about(tmp_path):
    pictures(tmp_path / "photos", 4, colour=2)
    place = f"folder:{tmp_path / 'photos'}"
    with pytest.raises(UserError, match="both grey and colour images; give --channels"):
        judge.Flags(dataset=place).data()
    assert judge.Flags(dataset=place, channels=3).data().count == 4


def test_a_judge_is_not_written_into_a_model(toy):
    output = toy / "judge.npz"
    with pytest.raises(UserError, match=r"judge.npz: lies in the model"):
        judge.Flags(dataset="mnist5k", output=str(output))


def test_its_examples_can_be_typed(capsys):
    judge.main(["--help"])
    page = capsys.readouterr().out
    *making, measuring = judge.EXAMPLES
    for example in making:
        assert f"  {example}\n" in page
        program, command, *words = shlex.split(example)
        assert (program, command) == ("tfgan-mnist", "judge")
        judge.Flags(**parse_flags(words, judge.Flags))
    assert "--judge=" in measuring
