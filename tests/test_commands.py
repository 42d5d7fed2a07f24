"""Bad input through the real command line: one line, exit code 2, nothing touched."""

import ctypes
import importlib
import os
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
import tensorflow as tf
from conftest import ROOT, TINY, assert_one_line_error, call, run, start

from tfgan_mnist.config import recipes


def tree(folder: Path) -> dict[str, tuple[int, float]]:
    """Every path below a folder with its size and time of change."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime)
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], ["give a recipe", "--list_recipes"]),
        (["dcgam"], ["error: dcgam: neither", "did you mean 'dcgan'"]),
        (["--recipe=dcgan_fast"], ["--recipe=dcgan_fast: only", "first word"]),
        (["--recipe=dcgan_fast", "--networks=dcgan"], ["--recipe=dcgan_fast: only"]),
        (["--steps=3", "dcgan"], ["'dcgan'", "--flag=value"]),
        (["dcgan", "fast"], ["'fast'", "--flag=value"]),
        (["dcgan", "--init_from=dcgan_fats"], ["=dcgan_fats", "no such folder"]),
        (["--flagfile=dcgam.flags"], ["dcgam.flags", "did you mean 'dcgan'"]),
        (["--flagfile="], ["error: --flagfile=: neither a file nor a recipe"]),
        (["--flagfile=dcgan", "--stepz=1"], ["stepz", "Did you mean: steps"]),
        (["--flagfile=dcgan", "--networks=dcgna"], ["--networks=dcgna", "'dcgan'"]),
        (["--flagfile=dcgan", "--dataset=minst"], ["--dataset=minst", "'mnist'"]),
        (["--flagfile=dcgan", "--steps=x"], ["--steps=x", "whole number"]),
        (["--flagfile=dcgan", "--batch_size=60001"], ["--batch_size=60001", "60000"]),
        (["--flagfile=dcgan", "--generator_updates=0"], ["at least 1"]),
        (["--flagfile=dcgan", "--discriminator_updates=-2"], ["at least 1"]),
        (["--flagfile=dcgan", "--generator_learning_rate=-1e-3"], ["above 0"]),
        (["--flagfile=dcgan", "--ema_decay=1"], ["below 1"]),
        (["--flagfile=dcgan", "--steps=-1"], ["at least 0"]),
        (["--flagfile=dcgan", "--run_dir=taken/run"], ["taken is a file"]),
        (["--flagfile=dcgan", "--run_dir=theirs"], ["holds no run"]),
        (["--flagfile=dcgan", "--run_dir=theirs", "--overwrite"], ["holds no run"]),
        (["--flagfile=dcgan", "--dataset=moons"], ["--networks=dcgan", "points"]),
        (["--flagfile=moons", "--dataset=mnist"], ["--networks=moons", "dcgan"]),
        (["--flagfile=gaussian", "--networks=moons"], ["values", "gaussian_raw"]),
        (["--flagfile=gaussian", "--batch_size=150"], ["multiple of 100"]),
        (["--flagfile=gaussian", "--epochs=3"], ["no end"]),
        (
            ["--flagfile=moons", "--stop_on_collapse", "--evaluate_every=0"],
            ["--stop_on_collapse=true", "--evaluate_every"],
        ),
        (["--flagfile=dcgan", "--loss=hinged"], ["--loss=hinged"]),
        (["--flagfile=dcgan", "--r1_weight=-1"], ["--r1_weight=-1.0", "at least 0"]),
        (["--flagfile=binary"], ["--flagfile"]),
        (["--flagfile=dcgan", "--data_dir=nowhere"], ["=nowhere", "no such folder"]),
        (["--flagfile=dcgan", "--data_dir=taken", "--dry_run"], ["=taken", "no fold"]),
    ],
)
def test_train(flags, words, tmp_path):
    (tmp_path / "taken").write_text("")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "notes.txt").write_text("mine")
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    before = tree(tmp_path)
    assert_one_line_error(run("train", *flags, cwd=tmp_path), *words)
    assert tree(tmp_path) == before


def test_train_on_data_that_cannot_be_had(tmp_path):
    (tmp_path / "mnist" / "3.0.1").mkdir(parents=True)
    (tmp_path / "mnist" / "3.0.1" / "dataset_info.json").write_text("{")
    before = tree(tmp_path)
    flags = ["--flagfile=dcgan", f"--data_dir={tmp_path}", "--run_dir=r"]
    assert_one_line_error(call("train", *flags, cwd=tmp_path), "--data_dir=", "mnist5k")
    assert tree(tmp_path) == before


def test_train_on_another_run_s_directory(trained):
    before = tree(trained)
    result = run("train", *TINY, "--steps=12", "--seed=2", f"--run_dir={trained}")
    assert_one_line_error(result, "--seed=2 (there: 1)", "--log_every=100 (there: 5)")
    result = run("train", *TINY, "--noresume", f"--run_dir={trained}")
    assert_one_line_error(result, "holds a run")
    assert tree(trained) == before


def as_anybody() -> None:
    """Takes from a process that root starts the right to write anywhere."""
    if os.geteuid() == 0:
        drop_from_bounding_set, override_permissions = 24, 1
        ctypes.CDLL(None).prctl(drop_from_bounding_set, override_permissions, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_unwritable_folders(tmp_path, trained):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    result = run(
        "train",
        "--flagfile=dcgan",
        f"--run_dir={locked / 'run'}",
        preexec_fn=as_anybody,
    )
    assert_one_line_error(result, "no permission")
    model = f"--saved_model={trained / 'saved_model'}"
    result = run("sample", model, f"--output={locked / 'a.png'}", preexec_fn=as_anybody)
    assert_one_line_error(result, "no permission")
    serving = f"--serving_dir={locked / 'a'}"
    result = run("export", f"--run_dir={trained}", serving, preexec_fn=as_anybody)
    assert_one_line_error(result, "no permission")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], ["which model?", "--run_dir, --saved_model and --pretrained"]),
        (["--saved_model=MODEL", "--run_dir=RUN"], ["--saved_model are both given"]),
        (["--pretrained=dcgan"], ["--pretrained=dcgan: ", "'dcgan_fast'"]),
        (["dcgan"], ["dcgan: there is no such folder, nor a pret", "'dcgan_fast'"]),
        (["dcgan_fast", "--run_dir=RUN"], ["--run_dir and --pretrained are both"]),
        (["--saved_model=MODEL", "--seeds=3-1"], ["--seeds=3-1: 3-1", "no range"]),
        (["--saved_model=MODEL", "--seeds=x"], ["--seeds=x", "0-9 or 3,1,4"]),
        (["--saved_model=MODEL", "--seeds=1", "--count=9"], ["are both given"]),
        (["--saved_model=MODEL", "--seeds=0-100", "--output=a.gif"], ["101", "100"]),
        (["--saved_model=MODEL", "--best"], ["--best=true: is for a --run_dir"]),
        (["--run_dir=none"], ["--run_dir=none: there is no such folder; train first"]),
        (["--run_dir=begun"], ["--run_dir=begun: has no checkpoint yet"]),
        (["--run_dir=RUN", "--best"], ["has no saved_model_best", "--evaluate_every"]),
        (["--run_dir=RUN", "--label=5"], ["--label=5", "not conditional"]),
        (["--saved_model=none"], ["--saved_model=none: there is no such folder"]),
        (["--saved_model=empty"], ["is no SavedModel"]),
        (["--saved_model=begun/saved_model"], ["run in begun has not come to its end"]),
        (["--saved_model=RUN"], ["is no SavedModel", "did you mean", "saved_model"]),
        (["--saved_model=half"], ["lacks its variables"]),
        (["--saved_model=MODEL", "--count=0"], ["--count=0", "at least 1"]),
        (["--saved_model=MODEL", "--count=10001"], ["--count=10001", "at most 10,000"]),
        (["--saved_model=MODEL", "--temperature=0"], ["--temperature=0.0", "above 0"]),
        (["--saved_model=MODEL", "--temperature=-1"], ["above 0"]),
        (["--saved_model=MODEL", "--temperature=inf"], ["finite"]),
        (["--saved_model=MODEL", "--seed=-1"], ["--seed=-1", "at least 0"]),
        (["--saved_model=MODEL", "--output=a.jpg"], ["--output=a.jpg", ".png"]),
        (["--saved_model=MODEL", "--output=no/a.png"], ["no folder no"]),
        (["--saved_model=MODEL", "--label=5"], ["--label=5", "not conditional"]),
        (["--saved_modl=MODEL"], ["Did you mean: saved_model"]),
    ],
)
def test_sample(flags, words, tmp_path, trained):
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "config.flags").write_text("--steps=1\n")
    (tmp_path / "empty").mkdir()
    shutil.copytree(
        trained / "saved_model", tmp_path / "half", ignore=lambda *_: ["variables"]
    )
    before = tree(tmp_path)
    names = {"RUN": str(trained), "MODEL": str(trained / "saved_model")}
    for name, path in names.items():
        flags = [flag.replace(f"={name}", f"={path}") for flag in flags]
    assert_one_line_error(run("sample", *flags, cwd=tmp_path), *words)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("kind", "flags", "words"),
    [
        ("conditional", [], ["--label is missing", "--label=0-9"]),
        ("conditional", ["--label=10"], ["--label=10", "classes 0 to 9"]),
        ("conditional", ["--label=5-12"], ["--label=5-12", "classes 0 to 9"]),
        ("conditional", ["--label=-1"], ["--label=-1", "0-9 or 3,1,4"]),
        ("conditional", ["--label=seven"], ["--label=seven"]),
        ("conditional", ["--label=1,2,3"], ["--count=100", "3 labels"]),
        ("conditional", ["--label=5", "--output=a.csv"], [".png, .npy or .gif"]),
        ("toy", ["--label=5"], ["not conditional"]),
        ("toy", ["--output=a.gif"], ["makes points", ".png, .npy or .csv"]),
    ],
)
def test_sample_with_labels_and_of_toys(kind, flags, words, tmp_path, conditional, toy):
    model = {"conditional": conditional, "toy": toy}[kind]
    before = tree(tmp_path)
    result = run("sample", f"--saved_model={model}", *flags, cwd=tmp_path)
    assert_one_line_error(result, *words)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], ["which model?", "--pretrained and --images"]),
        (["--saved_model=none", "--images=none"], ["are both given"]),
        (["--run_dir=none"], ["--run_dir=none: there is no such folder"]),
        (["--saved_model=none"], ["--saved_model=none: there is no such folder"]),
        (["--saved_model=MODEL", "--output=a.txt"], ["must end in .json"]),
        (["--saved_model=MODEL", "--output=no/a.json"], ["no folder no"]),
        (["--saved_model=MODEL", "--outptu=a.json"], ["Did you mean: output"]),
    ],
)
def test_evaluate(flags, words, tmp_path, toy):
    flags = [flag.replace("=MODEL", f"={toy}") for flag in flags]
    before = tree(tmp_path)
    assert_one_line_error(run("evaluate", *flags, cwd=tmp_path), *words)
    assert tree(tmp_path) == before


def test_sample_of_a_model_without_the_signature(tmp_path):
    module = tf.Module()
    module.double = tf.function(
        lambda x: {"y": x * 2}, input_signature=[tf.TensorSpec([None], tf.float32)]
    )
    model = tmp_path / "model"
    tf.saved_model.save(module, str(model), {"serving_default": module.double})
    before = tree(tmp_path)
    result = call("sample", f"--saved_model={model}", f"--output={tmp_path / 'a.png'}")
    assert_one_line_error(result, "has no signature 'sample'", "serving_default")
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], ["which model?"]),
        (["--saved_model=none", "--serving_dir=s"], ["no such folder"]),
        (["--run_dir=RUN"], ["--serving_dir is missing"]),
        (["--run_dir=none", "--serving_dir=s"], ["there is no such folder"]),
        (["--run_dir=begun", "--serving_dir=s"], ["has no checkpoint yet"]),
        (["--run_dir=RUN", "--serving_dir=taken/s"], ["taken is a file"]),
    ],
)
def test_export(flags, words, tmp_path, trained):
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "config.flags").write_text("--steps=1\n")
    (tmp_path / "taken").write_text("")
    before = tree(tmp_path)
    flags = [flag.replace("=RUN", f"={trained}") for flag in flags]
    assert_one_line_error(run("export", *flags, cwd=tmp_path), *words)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [([], "train"), (["trian"], "did you mean 'train'"), (["--x"], "no command")],
)
def test_console_command(words, message):
    assert_one_line_error(run("__main__", *words), message)


def test_console_command_dispatches():
    for words in (["--help"], ["sample", "-h"], ["--version"]):
        code, stdout, stderr = run("__main__", *words)
        assert (code, stderr) == (0, "")
        assert stdout
    assert "--flagfile" in run("__main__", "train", "--help")[1]


@pytest.mark.parametrize(
    "name", ["train", "sample", "translate", "invert", "evaluate", "export"]
)
def test_a_page_of_help_begins_with_examples_that_can_be_typed(name, capsys):
    from tfgan_mnist.system.flags import parse_flags

    module = importlib.import_module(f"tfgan_mnist.{name}")
    assert len(module.EXAMPLES) >= 3
    module.main(["--help"])
    page = capsys.readouterr().out.partition("\n\nExamples:\n")[2].splitlines()
    shown = page[: len(module.EXAMPLES)]
    assert shown == [f"  {example}" for example in module.EXAMPLES]
    for example in module.EXAMPLES:
        program, command, *words = shlex.split(example)
        assert (program, command) == ("tfgan-mnist", name)
        if name != "train":
            module.Flags(**parse_flags(words, module.Flags))


def test_recipes_are_listed_with_their_first_lines():
    code, stdout, _ = run("train", "--list_recipes")
    assert code == 0
    lines = stdout.splitlines()
    assert [line.split()[0] for line in lines] == sorted(recipes())
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize("dry_run", ["--dry_run", "--dry_run=true"])
def test_dry_run_prints_the_plan_and_trains_nothing(tmp_path, dry_run):
    flags = ["--flagfile=dcgan", "--steps=1000", dry_run]
    code, stdout, stderr = call("train", *flags, cwd=tmp_path)
    assert (code, stderr) == (0, "")
    assert "--steps=1000\n" in stdout
    assert "generator: 4,771,137 parameters" in stdout
    assert "2×2×512" in stdout
    assert "1 × D, then 2 × G, all on one batch and one draw of latents" in stdout
    assert "1,000 steps (1.7 epochs)" in stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seconds", [0.7, 2.0, 3.5])
def test_interrupted_at_the_start(tmp_path, seconds):
    flags = ["--steps=999999", "--max_seconds=20", f"--run_dir={tmp_path / 'run'}"]
    process = start("train", *TINY, *flags)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert len(stderr.splitlines()) == 1
    assert "Traceback" not in stderr


def test_a_script_ends_as_the_command_that_it_runs(capfd, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts" / "experiments")
    run_command = importlib.import_module("common").run_command
    run_command("train", ["--list_recipes"])
    assert "dcgan_fast" in capfd.readouterr().out
    with pytest.raises(SystemExit) as end:
        run_command("train", ["--flagfile=dcgam"])
    assert end.value.code == 2
    assert "did you mean 'dcgan'" in capfd.readouterr().err
