import json
import shutil
from pathlib import Path

import pytest

from tfgan_mnist.serving.saved_model import (
    METADATA,
    check_outside,
    check_own_model,
    check_saved_model,
    classes_of,
    flag_value,
    read_metadata,
)
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.records import DamagedError


@pytest.fixture
def model(trained, tmp_path) -> Path:
    """A copy of a run's model, to damage."""
    return shutil.copytree(trained / "saved_model", tmp_path / "model")


def flip(path: Path) -> None:
    """Changes a bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_model_that_is_whole_says_what_made_it(model):
    check_saved_model(model)
    metadata = check_own_model(model)
    assert (
        metadata == read_metadata(model) == json.loads((model / METADATA).read_text())
    )
    assert (metadata["recipe"], metadata["step"]) == ("dcgan_cpu", 12)
    assert flag_value(metadata, "base_channels") == "4"
    assert flag_value(metadata, "no_such_flag") == ""
    assert classes_of(metadata) == 0


def test_a_model_that_says_nothing_has_no_flags_and_no_classes(conditional, model):
    assert classes_of(read_metadata(conditional)) == 10
    (model / METADATA).unlink()
    check_saved_model(model)  # as one of somebody else's
    metadata = read_metadata(model)
    assert metadata == {}
    assert (flag_value(metadata, "steps"), classes_of(metadata)) == ("", 0)


def test_what_is_no_model_is_said_with_where_one_may_be(trained, tmp_path):
    (tmp_path / "config.flags").touch()
    for path, words in (
        (tmp_path / "none", r"--saved_model=.*none: there is no such folder$"),
        (tmp_path / "saved_model", "the run in .* has not come to its end"),
        (tmp_path, r"is no SavedModel \(no saved_model.pb\)$"),
        (trained, r"did you mean .*saved_model\?"),
        (Path("x" * 300), "--saved_model=x+: File name too long"),
    ):
        with pytest.raises(UserError, match=words):
            check_saved_model(path)
    with pytest.raises(UserError, match=r"^--init_from=a: there is no such folder"):
        check_saved_model(tmp_path / "none", "--init_from=a")


def test_a_damaged_file_is_named(model):
    flip(model / "saved_model.pb")
    words = "is damaged .saved_model.pb is not what was written"
    with pytest.raises(UserError, match=words):
        check_saved_model(model)
    with pytest.raises(DamagedError, match=r"^saved_model.pb is not what was written"):
        check_own_model(model)
    shutil.rmtree(model / "variables")
    with pytest.raises(UserError, match="the SavedModel lacks its variables"):
        check_saved_model(model)
    with pytest.raises(DamagedError, match=r"^is no whole SavedModel"):
        check_own_model(model)


@pytest.mark.parametrize(
    "text",
    ["[]", "", "{", "null", '{"step": -1}', "[" * 100_000, '{"classes": ""}'],
)
def test_damaged_metadata_is_named(text, model):
    (model / METADATA).write_text(text)
    for read in (read_metadata, check_saved_model):
        with pytest.raises(UserError, match=r"tfgan_mnist.json is damaged \(.+\)"):
            read(model)
    with pytest.raises(UserError, match=r"^--pretrained=a: assets.extra"):
        read_metadata(model, "--pretrained=a")
    with pytest.raises(DamagedError):
        check_own_model(model)


def test_a_run_s_own_model_says_all_that_the_run_asks_for(model):
    metadata = json.loads((model / METADATA).read_text())
    for name in ("step", "seconds", "dataset", "classes"):
        less = {key: value for key, value in metadata.items() if key != name}
        (model / METADATA).write_text(json.dumps(less))
        assert read_metadata(model) == less  # which others need not say
        with pytest.raises(DamagedError, match=f"^{name}: field required"):
            check_own_model(model)
    (model / METADATA).unlink()
    with pytest.raises(DamagedError, match=r"^lacks assets.extra/tfgan_mnist.json"):
        check_own_model(model)
    shutil.rmtree(model)
    with pytest.raises(DamagedError, match=r"^is missing"):
        check_own_model(model)


def test_what_is_written_lies_in_no_model(model):
    (model.parent / "link").symlink_to(model / "variables")
    for path in (model, model / "a" / "b.png", model.parent / "link" / "b.png"):
        with pytest.raises(UserError, match=rf"^--output=x: lies in the model {model}"):
            check_outside(path, "--output=x")
    for path in (model.parent, model.parent / "models" / "a.png"):
        check_outside(path, "--output=x")
