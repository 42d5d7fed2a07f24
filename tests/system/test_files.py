import errno
import os
import shutil

import pytest

from tfgan_mnist.system.errors import os_error
from tfgan_mnist.system.files import atomic_file, atomic_folder, read_file, tidy


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    with atomic_file(path) as unfinished:
        unfinished.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_file_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), atomic_file(path) as unfinished:
        unfinished.write_text("half")
        raise OSError("disk full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "model"
    for content in ("old", "new"):
        with atomic_folder(path) as unfinished:
            (unfinished / content).write_text(content)
    assert [file.name for file in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_folder_leaves_the_old_one(tmp_path):
    path = tmp_path / "model"
    with atomic_folder(path) as unfinished:
        (unfinished / "old").write_text("old")
    with pytest.raises(OSError, match="full"), atomic_folder(path) as unfinished:
        (unfinished / "half").write_text("half")
        raise OSError("disk full")
    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_was_being_exchanged_when_killed_comes_back(tmp_path):
    path = tmp_path / "model"
    (tmp_path / ".outgoing-model").mkdir()
    (tmp_path / ".outgoing-model" / "old").write_text("old")
    with pytest.raises(OSError, match="full"), atomic_folder(path):
        raise OSError("disk full")
    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_or_a_link_in_a_folder_s_place_is_named_and_stays(tmp_path):
    path = tmp_path / "model"
    path.write_text("mine")
    with pytest.raises(NotADirectoryError) as error, atomic_folder(path):
        pass
    assert os_error(error.value)[0] == f"{path}: a file where a folder should be"
    assert path.read_text() == "mine"
    path.unlink()
    (tmp_path / "elsewhere").mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    for _ in range(2):
        with atomic_folder(path) as unfinished:
            (unfinished / "new").write_text("")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["elsewhere", "model"]


def test_what_killed_processes_left_is_tidied(tmp_path):
    for name in (".unfinished-a", ".unfinished-b/c", ".outgoing-d/e", ".outgoing-f/g"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    (tmp_path / "f").mkdir()
    tidy(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d", "f"]
    assert (tmp_path / "d/e").is_file()
    assert not any((tmp_path / "f").iterdir())


def test_only_ordinary_files_are_read(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert read_file(tmp_path / "a") == b"abc"
    os.mkfifo(tmp_path / "pipe")
    for name in (".", "pipe", "none"):
        with pytest.raises(OSError):
            read_file(tmp_path / name)


def test_an_interrupt_while_the_old_folder_goes_leaves_nothing_behind(
    tmp_path, monkeypatch
):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").touch()
    remove = shutil.rmtree

    def interrupted(*words, **options):
        monkeypatch.setattr(shutil, "rmtree", remove)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), atomic_folder(path) as unfinished:
        (unfinished / "new").touch()
        monkeypatch.setattr(shutil, "rmtree", interrupted)
    assert [*tmp_path.rglob("*")] == [path, path / "new"]


def test_what_the_system_refuses_to_remove_once_is_removed(tmp_path, monkeypatch):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").touch()
    unlink = os.unlink

    def refused(*words, **options):
        monkeypatch.setattr(os, "unlink", unlink)
        raise PermissionError(errno.EACCES, "")

    with atomic_folder(path):
        monkeypatch.setattr(os, "unlink", refused)
    assert [*tmp_path.rglob("*")] == [path]
