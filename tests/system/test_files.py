import pytest

from tfgan_mnist.system.files import whole_file, whole_folder


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    with whole_file(path) as unfinished:
        unfinished.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_file_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), whole_file(path) as unfinished:
        unfinished.write_text("half")
        raise OSError("disk full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "model"
    for content in ("old", "new"):
        with whole_folder(path) as unfinished:
            (unfinished / content).write_text(content)
    assert [file.name for file in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_folder_leaves_the_old_one(tmp_path):
    path = tmp_path / "model"
    with whole_folder(path) as unfinished:
        (unfinished / "old").write_text("old")
    with pytest.raises(OSError, match="full"), whole_folder(path) as unfinished:
        (unfinished / "half").write_text("half")
        raise OSError("disk full")
    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_was_being_exchanged_when_killed_comes_back(tmp_path):
    path = tmp_path / "model"
    (tmp_path / ".outgoing-model").mkdir()
    (tmp_path / ".outgoing-model" / "old").write_text("old")
    with pytest.raises(OSError, match="full"), whole_folder(path):
        raise OSError("disk full")
    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]
