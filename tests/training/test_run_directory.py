import os

import numpy as np
import pytest

from tfgan_mnist.config import Config
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.training.run_directory import RunDirectory


def config(**flags) -> Config:
    return Config(**{"steps": 10} | flags)


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def directory(tmp_path, warnings) -> RunDirectory:
    return RunDirectory(tmp_path / "runs" / "a", warnings.append)


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
    mine = ["notes.txt", "sheet_final.png", "checkpoints/best_step_0000010.npz"]
    mine += ["checkpoints/step_0000010.npz.bak", "checkpoints/step_5_mine.txt"]
    mine += ["samples/step_1.png", "samples/step_0000010_favourite.png"]
    (directory.checkpoints / "step_0000005.damaged").write_text("")
    for name in mine:
        (directory.path / name).write_text("mine")
    directory.metrics.write_text("step,loss\n1,2\n")
    with directory.open(config(seed=5, overwrite=True)) as removed:
        assert removed == [
            "checkpoints/step_*",
            "samples/step_*.png",
            "metrics.csv",
            "saved_model",
        ]
    left = [str(p.relative_to(directory.path)) for p in directory.path.rglob("*")]
    folders = ["checkpoints", "samples"]
    assert sorted(left) == sorted(
        ["config.flags", "samples/notes.txt", *mine, *folders]
    )


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
    directory.recover_metrics(20, 10, ["d"])
    assert (
        directory.metrics.read_text()
        == "step,d,g\n10,3.33333333,-1\n20,6.66666667,-1\n"
    )
    assert directory.read_metrics() == {
        "step": [10, 20],
        "d": [3.33333333, 6.66666667],
        "g": [-1, -1],
    }


ROWS = "step,d,g\n10,1,2\n20,3,4\n30,5,6\n"


@pytest.mark.parametrize(
    ("damaged", "flaw", "lost"),
    [
        ("", "has no header", "3 rows up to step 30"),
        ("step,d", "has no header", "3 rows up to step 30"),
        ("\n" + ROWS, "has no header", "3 rows up to step 30"),
        (ROWS.replace("step", "pets"), "another header", "3 rows up to step 30"),
        (ROWS.replace(",d", ",g"), "another header", "3 rows up to step 30"),
        (ROWS.replace(",d", ",e"), "another header, without d", "3 rows up to"),
        (ROWS.replace("3,4", "3,4,5"), "line 3: 4 cells, not 3", "1 rows up to step"),
        (ROWS.replace("3,4", "3,x"), "line 3: could not convert", "1 rows up to step"),
        (ROWS.replace("20,3,4\n", "\n20,3,4\n"), "line 3: 1 cells, not 3", "no row"),
        (ROWS.replace("20,", "-20,"), "line 3: step -20 after step 10", "1 rows up"),
        (ROWS.replace("30,", "10,"), "line 4: step 10 after step 20", "1 rows up to"),
        (ROWS.replace("20,3,4\n", ""), "not as it was written", "1 rows up to step 20"),
        (ROWS[:-4], "not as it was written", "1 rows up to step 30"),
        (ROWS.encode("utf-16"), "is no UTF-8 text", "3 rows up to step 30"),
        (None, "is missing", "3 rows up to step 30"),
    ],
)
def test_damaged_metrics_are_named_with_the_loss(
    directory, warnings, damaged, flaw, lost
):
    directory.path.mkdir(parents=True)
    if damaged is not None:
        some = damaged if isinstance(damaged, bytes) else damaged.encode()
        directory.metrics.write_bytes(some)
    directory.recover_metrics(30, 10, ["d", "g"])
    (warning,) = warnings
    assert warning.startswith(f"{directory.metrics}: ")
    assert flaw in warning
    assert lost in warning
    directory.append_metrics(40, {"d": 7.0, "g": 8.0})
    columns = directory.read_metrics()
    assert columns["step"][-1] == 40
    assert len(columns["step"]) == 4 - int(lost[0].replace("n", "0"))
    assert len(warnings) == 1
    set_aside = directory.path / "metrics.csv.damaged"
    assert set_aside.exists() == (flaw[:3] not in ("not", "is ") or "UTF" in flaw)


def test_metrics_that_are_whole_are_left_alone(directory, warnings):
    directory.path.mkdir(parents=True)
    directory.metrics.write_text(ROWS)
    before = directory.metrics.stat().st_mtime_ns
    directory.recover_metrics(30, 10, ["d", "g"])
    directory.recover_metrics(35, 10, ["d"])
    assert directory.metrics.stat().st_mtime_ns == before
    directory.metrics.write_text(ROWS.replace("\n", "\r\n"))  # as editors may leave it
    directory.recover_metrics(30, 10, ["d"])
    assert directory.read_metrics()["g"] == [2, 4, 6]
    assert warnings == []


@pytest.mark.parametrize("what", ["folder", "pipe", "link"])
def test_something_else_in_the_place_of_metrics(directory, warnings, what):
    directory.path.mkdir(parents=True)
    if what == "folder":
        directory.metrics.mkdir()
    elif what == "pipe":
        os.mkfifo(directory.metrics)
    else:
        directory.metrics.symlink_to("nowhere")
    directory.recover_metrics(20, 10, ["d"])
    (warning,) = warnings
    assert "2 rows up to step 20 are lost" in warning
    directory.append_metrics(30, {"d": 1.0})
    assert directory.read_metrics() == {"step": [30], "d": [1]}


def test_new_names_become_columns_that_are_empty_before(directory):
    directory.path.mkdir(parents=True)
    directory.append_metrics(10, {"d": 1.0})
    directory.append_metrics(20, {"d": 2.0, "mean": 4.0})
    directory.append_metrics(30, {"d": 3.0})
    assert directory.metrics.read_text() == "step,d,mean\n10,1,\n20,2,4\n30,3,\n"
    mean = directory.read_metrics()["mean"]
    np.testing.assert_array_equal(mean, [np.nan, 4.0, np.nan])


def test_a_record_that_was_changed_is_named_and_written_anew(directory, warnings):
    with directory.open(config()):
        pass
    assert directory.read_config() == config()
    text = directory.config.read_text()
    directory.config.write_text(text.replace("--steps=10\n", "--steps=11\n"))
    assert directory.read_config().steps == 11
    (warning,) = warnings
    assert "config.flags: is not what was written" in warning
    with directory.open(config()):
        pass
    assert directory.config.read_text() == text
    directory.config.write_text("--steps=10\n")  # of an earlier version
    assert directory.read_config() == config()
    assert len(warnings) == 1


def test_a_record_says_what_images_of_one_s_own_are(directory, warnings, tmp_path):
    """Or else the data is looked at; a record that is damaged there is no obstacle."""
    arrays = tmp_path / "some.npz"
    images = np.zeros([50, 40, 36, 3], np.uint8)
    np.savez(arrays, images=images, labels=np.arange(50) % 5)
    mine = config(dataset=str(arrays), networks="dcgan_fast", batch_size=10)
    with directory.open(mine):
        pass
    text = directory.config.read_text()
    arrays.unlink()
    found = directory.read_config()
    assert found == mine
    assert found.data == mine.data
    assert (found.image_shape, found.data.classes) == ((32, 3), 5)
    assert not warnings
    directory.config.write_text(text.replace('"count": 50', '"count": "many"'))
    with pytest.raises(UserError, match="there is no such file"):
        directory.read_config()
    np.savez(arrays, images=images, labels=np.arange(50) % 5)
    assert directory.read_config().data == mine.data


def test_what_a_killed_process_left_is_tidied(directory):
    with directory.open(config()):
        pass
    for name in (".unfinished-a", "checkpoints/.unfinished-b", "samples/.unfinished-c"):
        path = directory.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    (directory.path / ".outgoing-saved_model").mkdir()
    (directory.path / ".outgoing-saved_model" / "saved_model.pb").write_text("")
    with directory.open(config()):
        pass
    assert not [*directory.path.rglob(".unfinished*")]
    assert (directory.saved_model / "saved_model.pb").is_file()


@pytest.mark.parametrize("trace", ["metrics", "model"])
def test_a_run_does_not_start_again_because_its_checkpoints_are_gone(directory, trace):
    with directory.open(config()):
        pass
    if trace == "model":
        directory.saved_model.mkdir()
    else:
        directory.metrics.write_text("step,d\n1000,1\n")
        directory.check(config())  # it may have been killed before it saved
        directory.metrics.write_text("step,d\n1000,1\n1001,1\n")
    with pytest.raises(UserError, match="checkpoints: is without the checkpoints"):
        directory.check(config())
    directory.check(config(overwrite=True))


def test_a_run_does_not_lie_in_a_model(tmp_path):
    (tmp_path / "saved_model.pb").write_text("")
    with pytest.raises(UserError, match="lies in the model"):
        RunDirectory(tmp_path / "a" / "b").check(config())


def test_a_name_that_no_system_takes_is_one_line():
    with pytest.raises(UserError, match=r"--run_dir=x+: File name too long"):
        RunDirectory("x" * 300).check(config())


def test_no_metrics_yet(directory):
    directory.recover_metrics(5, 10, ["d"])
    assert directory.read_metrics() == {}


def test_montages_of_a_longer_earlier_try_are_left_out(directory):
    directory.samples.mkdir(parents=True)
    for step in (1, 2, 10, 3):
        directory.sample_path(step).write_text("")
    for foreign in ("step_x.png", "step_1.png", "step_٠٠٠٠٠٠١.png", "me.png", "a.txt"):
        (directory.samples / foreign).write_text("")
    foreign = ["step_1.png", "step_x.png", "step_٠٠٠٠٠٠١.png"]
    assert directory.foreign_samples() == foreign
    names = [path.name for path in directory.sample_paths(3)]
    assert names == ["step_0000001.png", "step_0000002.png", "step_0000003.png"]
