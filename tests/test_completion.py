"""The shell's own answer to a word that was begun."""

import subprocess

import pytest
from conftest import assert_one_line_error, run

from tfgan_mnist.completion import main, script
from tfgan_mnist.config import recipes


def complete(*words: str) -> list[str]:
    """What bash offers for the last of the words, which it breaks at "="."""
    given = " ".join(f"'{word}'" for word in words)
    code = (
        f"{script('bash')}\nCOMP_WORDS=({given}); COMP_CWORD={len(words) - 1}\n"
        '_tfgan_mnist 2>/dev/null; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ev"], ["evaluate"]),
        (["sample", "--temp"], ["--temperature="]),
        (["train", "dcgan_f"], ["dcgan_fast"]),
        (["train", "--dry"], ["--dry_run"]),
        (["train", "--loss", "=", "rel"], ["relativistic"]),
        (["train", "--loss=rel"], ["--loss=relativistic"]),
        (["train", "--flagfile", "=", "moons_s"], ["moons_slow"]),
        (["sample", "--pretrained", "=", "c"], ["cdcgan_fast"]),
        (["sample", "cd"], ["cdcgan_fast"]),
        (["completion", "z"], ["zsh"]),
        (["nonsense", "x"], []),
    ],
)
def test_words_are_completed(words, expected):
    assert complete("tfgan-mnist", *words) == expected


def test_every_value_is_offered_at_an_equals_sign():
    assert complete("tfgan-mnist", "train", "--flagfile", "=") == list(recipes())


def test_paths_are_completed_where_no_value_is_known(tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    assert complete("tfgan-mnist", "sample", "--run_dir", "=", "ru") == ["runs"]
    (tmp_path / "cat.txt").touch()
    for name in ("sample", "train"):  # whose first word may be a folder or a file
        assert complete("tfgan-mnist", name, "ru") == ["runs"]
    assert complete("tfgan-mnist", "sample", "c") == ["cdcgan_fast", "cat.txt"]
    assert complete("tfgan-mnist", "sample", "--pretrained=c") == [
        "--pretrained=cdcgan_fast"
    ]
    for words in (("sample", "dcgan_fast", "c"), ("judge", "c"), ("completion", "c")):
        assert complete("tfgan-mnist", *words) == []


def test_zsh_takes_the_same_through_its_bashcompinit(capsys):
    main(["zsh"])
    assert capsys.readouterr().out.endswith(script("bash"))


def test_another_shell_is_refused():
    assert_one_line_error(run("completion", "bsh"), "'bsh'", "did you mean 'bash'")
