from typing import Annotated, Required

import pytest
from annotated_types import Ge
from typing_extensions import TypedDict

from tfgan_mnist.system.records import (
    DamagedError,
    check_files,
    checksums,
    read_json,
    read_table,
)


class Record(TypedDict, total=False):
    step: Required[Annotated[int, Ge(0)]]
    seconds: float
    flags: dict[str, int]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"\xff\xfe", "is no UTF-8 text"),
        (b"[" * 100_000, "is nested too deeply"),
        (b"null", "all of it: input should be a valid dictionary"),
        (b"{}", "step: field required"),
        (b'{"step": null}', "step: input should be a valid integer"),
        (b'{"step": -1}', "step: input should be greater than or equal to 0"),
        (b'{"step": "1"}', "step: input should be a valid integer"),
        (b'{"step": true}', "step: input should be a valid integer"),
        (b'{"step": 1, "flags": {"a": []}}', "flags.a: input should be a valid int"),
    ],
)
def test_a_damaged_record_says_what_is_wrong(tmp_path, text, words):
    path = tmp_path / "record.json"
    path.write_bytes(text)
    with pytest.raises(DamagedError, match=words):
        read_json(path, Record)


def test_a_record_that_fits_may_hold_more_or_not_be_there(tmp_path):
    path = tmp_path / "record.json"
    assert read_json(path, Record) is None
    path.write_text('{"step": 1, "seconds": 2, "more": [1]}')
    assert read_json(path, Record) == {"step": 1, "seconds": 2, "more": [1]}
    path.unlink()
    path.mkdir()
    with pytest.raises(DamagedError, match=r"^a folder where a file should be"):
        read_json(path, Record)
    path.rmdir()
    path.symlink_to("nowhere")
    with pytest.raises(DamagedError, match=r"a link that leads nowhere"):
        read_json(path, Record)


def test_a_table_keeps_the_rows_that_are_whole(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("step,a\n1,2\nx,3\n4,\n5,6\n7")
    table = read_table(path)
    assert table.rows == [["1", "2"], ["4", ""], ["5", "6"]]
    assert table.flaw.startswith("line 3: invalid literal")
    assert table.numbers()["step"] == [1, 4, 5]
    path.write_text("step,a\n1,2\n7")  # its writer was killed
    assert read_table(path).flaw == ""
    path.write_text("step,a\n")
    assert read_table(path).numbers() == {"step": [], "a": []}


def test_checksums_tell_damage_and_loss_from_additions(tmp_path):
    for name in ("a", "b/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    sums = checksums(tmp_path)
    assert sorted(sums) == ["a", "b/c"]
    (tmp_path / "more").write_text("")
    check_files(tmp_path, sums)
    (tmp_path / "a").write_text("b")
    with pytest.raises(DamagedError, match=r"^a is not what was written"):
        check_files(tmp_path, sums)
    (tmp_path / "b/c").unlink()
    with pytest.raises(DamagedError, match=r"^lacks b/c"):
        check_files(tmp_path, {"b/c": ""})
