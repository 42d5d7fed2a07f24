import numpy as np
import pytest

from tfgan_mnist.config import Config
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.training.run_directory import RunDirectory


def config(**flags) -> Config:
    return Config(**{"steps": 10} | flags)


@pytest.fixture
def directory(tmp_path) -> RunDirectory:
    return RunDirectory(tmp_path / "runs" / "a")


def test_config_flags_are_written_and_the_same_run_may_go_on(directory):
    with directory.open(config()) as removed:
        assert removed == []
    assert "--steps=10\n" in directory.config.read_text()
    with directory.open(config(steps=20)):
        pass
    assert "--steps=20\n" in directory.config.read_text()


def test_another_configuration_is_refused_with_the_flags(directory):
    with directory.open(config()):
        pass
    with pytest.raises(UserError, match=r"--seed=2 \(there: 1\)"):
        directory.check(config(seed=2))
    assert "--seed=1\n" in directory.config.read_text()


def test_without_resume_a_run_is_left_alone(directory):
    with directory.open(config()):
        pass
    with pytest.raises(UserError, match="holds a run"):
        directory.check(config(resume=False))


def test_overwrite_removes_what_a_run_leaves_and_nothing_else(directory):
    with directory.open(config()):
        pass
    for name in ("checkpoints", "samples", "saved_model"):
        (directory.path / name).mkdir()
    (directory.checkpoints / "step_0000010.npz").write_text("")
    (directory.samples / "step_0000010.png").write_text("")
    (directory.samples / "notes.txt").write_text("mine")
    (directory.path / "notes.txt").write_text("mine")
    directory.metrics.write_text("step,loss\n1,2\n")
    with directory.open(config(seed=5, overwrite=True)) as removed:
        assert removed == [
            "checkpoints/*step_*",
            "samples/*step_*.png",
            "metrics.csv",
            "saved_model",
        ]
    assert sorted(
        str(path.relative_to(directory.path)) for path in directory.path.rglob("*")
    ) == ["config.flags", "notes.txt", "samples", "samples/notes.txt"]


def test_a_folder_of_something_else_is_never_touched(directory):
    directory.path.mkdir(parents=True)
    (directory.path / "thesis.tex").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(UserError, match=r"holds no run \(no config.flags\)"):
            directory.check(config(overwrite=overwrite))


def test_a_damaged_record_is_named(directory):
    directory.path.mkdir(parents=True)
    directory.config.write_text("--seeds=1\n")
    with pytest.raises(UserError, match=r"config.flags: cannot be read \(unknown"):
        directory.check(config())


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file; choose another folder"):
        RunDirectory(tmp_path / "file" / "run").check(config())


def test_two_processes_cannot_train_in_one_folder(directory):
    with (
        directory.open(config()),
        pytest.raises(UserError, match="another process is training there"),
        RunDirectory(directory.path).open(config()),
    ):
        pass
    with directory.open(config()):
        pass


def test_metrics_are_appended_read_and_cut_back(directory):
    directory.path.mkdir(parents=True)
    for step in (10, 20, 30):
        directory.append_metrics(step, {"d": step / 3, "g": -1.0})
    with directory.metrics.open("a") as file:
        file.write("40,1.0")  # torn
    directory.truncate_metrics(20)
    assert (
        directory.metrics.read_text()
        == "step,d,g\n10,3.33333333,-1\n20,6.66666667,-1\n"
    )
    assert directory.read_metrics() == {
        "step": [10, 20],
        "d": [3.33333333, 6.66666667],
        "g": [-1, -1],
    }


@pytest.mark.parametrize("torn", ["", "step,d", "step,d,g"])
def test_metrics_without_a_whole_header_start_anew(directory, torn):
    directory.path.mkdir(parents=True)
    directory.metrics.write_text(torn)
    directory.truncate_metrics(0)
    directory.append_metrics(10, {"d": 1.0, "g": 2.0})
    assert directory.read_metrics() == {"step": [10], "d": [1], "g": [2]}


def test_new_names_become_columns_that_are_empty_before(directory):
    directory.path.mkdir(parents=True)
    directory.append_metrics(10, {"d": 1.0})
    directory.append_metrics(20, {"d": 2.0, "mean": 4.0})
    directory.append_metrics(30, {"d": 3.0})
    assert directory.metrics.read_text() == "step,d,mean\n10,1,\n20,2,4\n30,3,\n"
    mean = directory.read_metrics()["mean"]
    np.testing.assert_array_equal(mean, [np.nan, 4.0, np.nan])


def test_a_name_that_no_system_takes_is_one_line():
    with pytest.raises(UserError, match=r"--run_dir=x+: File name too long"):
        RunDirectory("x" * 300).check(config())


def test_no_metrics_yet(directory):
    directory.truncate_metrics(5)
    assert directory.read_metrics() == {}


def test_montages_of_a_longer_earlier_try_are_left_out(directory):
    directory.samples.mkdir(parents=True)
    for step in (1, 2, 10, 3):
        directory.sample_path(step).write_text("")
    names = [path.name for path in directory.sample_paths(3)]
    assert names == ["step_0000001.png", "step_0000002.png", "step_0000003.png"]
