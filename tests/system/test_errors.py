import errno
import os
import shutil
from pathlib import Path

import pytest

from tfgan_mnist.system.errors import (
    RunStopped,
    UserError,
    WorkerLost,
    first_line,
    nearest,
    os_error,
    path_errors,
)


@pytest.mark.parametrize(
    ("number", "words", "remedy"),
    [
        (errno.ENOSPC, "no space is left on the disk", "make room"),
        (errno.EDQUOT, "the disk quota is used up", "make room"),
        (errno.EROFS, "the disk is read-only", "choose another disk"),
        (errno.EIO, "the disk is damaged", "check the disk"),
        (errno.ENOENT, "is not there, or not any more", "do not delete"),
        (errno.EISDIR, "a folder where a file should be", "move it away"),
        (errno.ENAMETOOLONG, "File name too long", ""),
    ],
)
def test_each_error_of_the_system_says_what_it_is(number, words, remedy):
    error = OSError(number, os.strerror(number), "a/.unfinished-b.txt")
    what, help_ = os_error(error)
    assert what.startswith(f"a/b.txt: {words}")
    assert help_.startswith(remedy)
    with (
        pytest.raises(UserError, match=rf"^--x=a/b.txt: {words}"),
        path_errors("--x=a/b.txt"),
    ):
        raise error


def test_the_last_of_many_files_that_were_not_copied_says_why(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a").write_text("1")
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "a").symlink_to(tmp_path / "nowhere" / "a")
    with pytest.raises(shutil.Error) as failed:
        shutil.copytree(source, tmp_path / "to", dirs_exist_ok=True)
    said, remedy = os_error(failed.value)
    assert said == f"{tmp_path / 'to' / 'a'}: is not there, or not any more"
    assert remedy == "do not delete or move a folder in use"


def test_links_that_lead_nowhere_and_nul_are_named(tmp_path):
    path = tmp_path / "link"
    path.symlink_to(tmp_path / "nowhere")
    with (
        pytest.raises(UserError, match="link: a link that leads nowhere; move"),
        path_errors(f"--x={path}"),
    ):
        path.mkdir()
    with pytest.raises(UserError, match="holds a NUL"), path_errors("--x=a\0b"):
        Path("a\0b").mkdir()


def test_of_a_file_and_the_name_it_was_to_get_the_user_s_is_named(tmp_path):
    """And without a name there is only what happened."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as error:
        os.replace(tmp_path / "file", tmp_path / "folder")
    what, remedy = os_error(error.value)
    assert what == f"{tmp_path / 'folder'}: a folder where a file should be"
    assert remedy == "move it away"
    assert os_error(OSError("no device")) == ("no device", "see to it")


def test_other_errors_than_of_a_path_are_let_through():
    with pytest.raises(ValueError, match=r"^not a number$"), path_errors("--x=a"):
        raise ValueError("not a number")
    with pytest.raises(UserError, match=r"^mine$"), path_errors("--x=a"):
        raise UserError("mine")


def test_the_path_of_a_flag_is_said_once(tmp_path):
    path = tmp_path / "none"
    with pytest.raises(UserError) as error, path_errors(f"--x={path}"):
        path.read_text()
    assert str(error.value).count(str(path)) == 1


def test_the_first_line_of_an_exception_fits_into_another():
    assert first_line(ValueError("\n one\ntwo")) == "one"
    assert first_line(KeyError()) == "KeyError"
    assert first_line("x" * 300) == "x" * 200


def test_a_name_that_is_nearly_right_is_offered_or_else_all_of_them():
    known = ["moons", "dcgan", "dcgan_fast"]
    assert nearest("dcgam", known) == "did you mean 'dcgan' or 'dcgan_fast'?"
    assert nearest("moon", known) == "did you mean 'moons'?"
    assert nearest("xyz", known) == "there are: dcgan, dcgan_fast, moons"


def test_a_stopped_run_has_its_exit_code():
    assert RunStopped("why").exit_code == 1
    lost = WorkerLost("gone", exit_code=143)
    assert (str(lost), lost.exit_code) == ("gone", 143)
