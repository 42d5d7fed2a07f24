from __future__ import annotations

import dataclasses

import pytest

from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.flags import (
    check_flags,
    flag,
    flag_of,
    grouped_help,
    parse_flags,
    parse_numbers,
)


@dataclasses.dataclass(frozen=True)
class Tea:
    kind: str = flag("green", "Leaves", "which", choices=("green", "black"))
    grams: float = flag(2.0, "Leaves", "how much " * 20, above=0.0, high=9.0)
    cups: int = flag(1, "Water", "how many", low=1)
    share: float = flag(0.5, "Water", "of a cup that is filled", low=0.0, below=1.0)
    sugar: bool = flag(False, "Water", "whether it is sweet", same_run=False)
    pot: str = flag("", "Water", "in which pot")

    def __post_init__(self):
        check_flags(self)


RENAMED = {"strong": lambda strong: f"grams={4.0 if strong else 1.0}"}


def parse(*argv: str, switches=(), find=lambda path: path) -> dict:
    return parse_flags(argv, Tea, switches, find, RENAMED)


def test_every_field_is_a_flag_with_its_default():
    assert parse() == dataclasses.asdict(Tea())
    found = parse("--kind=black", "--grams", "3", "--cups=2", "--sugar")
    assert Tea(**found) == Tea("black", 3.0, 2, sugar=True)
    assert not parse("--sugar", "--nosugar")["sugar"]


def test_later_flags_win():
    assert parse("--cups=5", "--cups=7")["cups"] == 7


def test_switches_belong_to_the_command_and_are_off():
    assert parse(switches=["warm"])["warm"] is False
    assert parse("--warm", switches=["warm"])["warm"] is True
    with pytest.raises(UserError, match="unknown command line flag 'warm'"):
        parse("--warm")


@pytest.mark.parametrize("words", [["--flagfile=mine"], ["--flagfile", "mine"]])
def test_a_flagfile_is_found_by_its_name_and_flags_after_it_win(words, tmp_path):
    path = tmp_path / "tea.flags"
    path.write_text("# A comment.\n--cups=3\n--kind=black\n")
    found = parse(*words, "--cups=4", find=lambda name: {"mine": path}[name])
    assert (found["kind"], found["cups"]) == ("black", 4)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--cups=many"], "--cups=many: must be a whole number"),
        (["--grams=much"], "--grams=much: must be a number"),
        (["--sugar=perhaps"], "--sugar=perhaps: must be true or false"),
        (["--cpus=1"], "unknown command line flag 'cpus'. Did you mean: cups ?"),
        (["--nothing"], "unknown command line flag 'nothing'; --help shows what there"),
        (["stray"], "'stray': belongs to no flag; write --flag=value"),
        (["--flagfile=missing"], "missing"),
    ],
)
def test_words_that_cannot_be_read_get_one_line(argv, message):
    with pytest.raises(UserError) as error:
        parse(*argv)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_words_that_belong_to_no_flag_are_given_to_who_asks():
    words = []
    found = parse_flags(["one", "--cups=2", "two", "--sugar"], Tea, words=words)
    assert (words, found["cups"], found["sugar"]) == (["one", "two"], 2, True)


def test_numbers_of_a_flag():
    assert parse_numbers("5", "seeds", "a seed", 9) == [5]
    assert parse_numbers("0-2, 7,1", "seeds", "a seed", 9) == [0, 1, 2, 7, 1]
    for text in ("", "x", "3-1", "1,,2", "0-9"):
        with pytest.raises(UserError, match=f"--seeds={text}: "):
            parse_numbers(text, "seeds", "a seed", 9)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "blakc"}, "--kind=blakc: there is no such value; did you mean 'bla"),
        ({"grams": 0.0}, "--grams=0.0: must be above 0.0"),
        ({"grams": 10.0}, "--grams=10.0: must be at most 9.0"),
        ({"grams": float("nan")}, "--grams=nan: must be a finite number"),
        ({"cups": 0}, "--cups=0: must be at least 1"),
        ({"share": 1.0}, "--share=1.0: must be below 1.0"),
        ({"cups": "2"}, "--cups='2': must be a whole number"),
        ({"cups": 2.0}, "--cups=2.0: must be a whole number"),
        ({"cups": True}, "--cups=True: must be a whole number"),
        ({"grams": None}, "--grams=None: must be a number"),
        ({"sugar": 1}, "--sugar=1: must be true or false"),
        ({"pot": 3}, "--pot=3: must be a text"),
    ],
)
def test_types_and_ranges_are_checked(values, message):
    with pytest.raises(UserError) as error:
        Tea(**values)
    assert str(error.value).startswith(message)


def test_whole_numbers_do_for_numbers_and_paths_for_texts(tmp_path):
    tea = Tea(grams=3, pot=tmp_path)
    assert repr(tea.grams) == "3.0"
    assert tea.pot == str(tmp_path)


def test_a_mistake_in_a_flagfile_names_the_file(tmp_path):
    path = tmp_path / "tea.flags"
    path.write_text("--cups=3\n--cpus=1\n")
    with pytest.raises(UserError) as error:
        parse(f"--flagfile={path}")
    assert str(error.value).startswith(f"--flagfile={path}: unknown command line flag")
    path.write_text("--cups=3\n")
    with pytest.raises(UserError) as error:
        parse(f"--flagfile={path}", "--cpus=1")
    assert str(error.value).startswith("unknown command line flag")


def test_a_renamed_flag_counts_unless_today_s_is_there(tmp_path):
    assert parse("--strong")["grams"] == parse("--strong=true")["grams"] == 4.0
    assert parse("--nostrong")["grams"] == 1.0
    assert parse("--strong", "--grams=3")["grams"] == 3.0
    assert "strong" not in parse()
    path = tmp_path / "tea.flags"
    path.write_text("--strong=false\n--cups=2\n")
    found = parse(f"--flagfile={path}")
    assert (found["grams"], found["cups"]) == (1.0, 2)


def test_what_a_flag_says_of_itself():
    rules = {field.name: flag_of(field) for field in dataclasses.fields(Tea)}
    assert rules["kind"].choices == ("green", "black")
    assert (rules["cups"].same_run, rules["sugar"].same_run) == (True, False)


def test_help_shows_every_flag_under_its_heading():
    text = grouped_help(Tea)
    lines = text.splitlines()
    assert lines.index("Leaves:") < lines.index("Water:")
    for name in ("--kind", "--grams", "--cups", "--[no]sugar", "--pot"):
        assert any(line.split()[:1] == [name] for line in lines)
    assert "which [green]" in text
    assert "whether it is sweet [off]" in text
    assert "[]" not in text
    assert all(len(line) <= 88 for line in lines)


def test_a_heading_stands_once_though_its_flags_stand_apart():
    @dataclasses.dataclass(frozen=True)
    class Pot(Tea):
        lid: str = flag("", "Leaves", "what keeps them in")

    text = grouped_help(Pot)
    assert text.count("Leaves:") == text.count("Water:") == 1
    assert text.index("--lid") < text.index("Water:")
