import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_training
from tfgan_mnist.system.errors import NotFiniteError, UserError
from tfgan_mnist.training.checkpoint import Checkpoints, State, read_newest, read_step


def state(step: int = 0, value: float = 0.0) -> State:
    variables = {
        "a": tf.Variable([value, 1.0]),
        "b/c": tf.Variable(step, dtype=tf.int64),
    }
    losses = np.full([3, 2], value, np.float32)
    return State(variables, step, seconds=step * 2.0, losses=losses)


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def checkpoints(tmp_path, warnings) -> Checkpoints:
    return Checkpoints(tmp_path / "checkpoints", keep=2, warn=warnings.append)


def test_everything_comes_back(checkpoints, warnings):
    checkpoints.save(state(7, 0.5))
    fresh = state()
    assert checkpoints.restore(fresh).name == "step_0000007.npz"
    assert (fresh.step, fresh.seconds) == (7, 14.0)
    np.testing.assert_array_equal(fresh.losses, np.full([3, 2], 0.5))
    np.testing.assert_array_equal(fresh.variables["a"], [0.5, 1.0])
    assert int(fresh.variables["b/c"]) == 7
    assert warnings == []


def test_optimizer_slots_come_back_in_a_fresh_training(checkpoints):
    config = tiny_config(ema_decay=0.9)
    trained, fresh = build_training(config), build_training(config)
    trained.step(tf.constant(0), tf.constant(2))
    checkpoints.save(State(trained.variables, 2))
    checkpoints.restore(State(fresh.variables))
    slots = [name for name in trained.variables if "momentum" in name]
    assert len(slots) == sum(len(player.variables) for player in trained.step.players)
    for name, variable in trained.variables.items():
        np.testing.assert_array_equal(variable, fresh.variables[name], err_msg=name)
    assert all(abs(trained.variables[name].numpy()).max() > 0 for name in slots)
    assert any(name.startswith("generator_average/") for name in trained.variables)


def test_only_the_newest_are_kept(checkpoints):
    for step in (1, 2, 3, 4):
        checkpoints.save(state(step))
    assert [path.name for path in checkpoints.paths()] == [
        "step_0000003.npz",
        "step_0000004.npz",
    ]


def test_nothing_there_is_a_fresh_start(checkpoints):
    assert checkpoints.restore(state()) is None


def torn(content: bytes) -> bytes:
    return content[: len(content) // 2]


def empty(content: bytes) -> bytes:
    return b""


def flipped(content: bytes) -> bytes:
    """One bit of the array "a" is another."""
    at = content.index(np.float32([4.0, 1.0]).tobytes())
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def garbage(content: bytes) -> bytes:
    return b"not an archive" * 20


@pytest.mark.parametrize("damage", [torn, empty, flipped, garbage])
def test_a_damaged_newest_falls_back_to_the_one_before(checkpoints, warnings, damage):
    checkpoints.save(state(3, 3.0))
    newest = checkpoints.save(state(4, 4.0))
    newest.write_bytes(damage(newest.read_bytes()))
    fresh = state()
    assert checkpoints.restore(fresh).name == "step_0000003.npz"
    assert fresh.step == 3
    np.testing.assert_array_equal(fresh.variables["a"], [3.0, 1.0])
    assert len(warnings) == 1
    assert "step_0000004.npz is damaged" in warnings[0]
    assert newest.with_suffix(".damaged").exists()
    # It does not push a good one out of those to keep.
    checkpoints.save(state(5))
    assert [path.name for path in checkpoints.paths()] == [
        "step_0000003.npz",
        "step_0000005.npz",
    ]


def test_weights_that_are_not_finite_are_not_saved(checkpoints):
    checkpoints.save(state(1))
    with pytest.raises(NotFiniteError, match="a is not finite after step 2"):
        checkpoints.save(state(2, float("nan")))
    assert [path.name for path in checkpoints.paths()] == ["step_0000001.npz"]


def test_no_flipped_bit_is_taken_for_a_good_checkpoint(tmp_path):
    """Nor does one end in an error: the one before is always found."""
    checkpoints = Checkpoints(tmp_path, keep=3, warn=lambda line: None)
    checkpoints.save(state(3, 3.0))
    newest = checkpoints.save(state(4, 4.0))
    content = newest.read_bytes()
    harmless = 0
    for at in range(0, len(content), 3):
        newest.write_bytes(content[:at] + bytes([content[at] ^ 8]) + content[at + 1 :])
        fresh = state()
        checkpoints.restore(fresh)
        # In the archive's dates and the like a flip changes nothing that is read.
        harmless += fresh.step == 4
        np.testing.assert_array_equal(fresh.variables["a"], [float(fresh.step), 1.0])
        newest.with_suffix(".damaged").unlink(missing_ok=True)
    assert harmless < len(content) / 3 / 2


def test_none_that_is_whole_is_said_and_nothing_is_renamed(checkpoints, warnings):
    paths = [checkpoints.save(state(step)) for step in (1, 2)]
    for path in paths:
        path.write_bytes(b"")
    with pytest.raises(
        UserError, match=r"step_0000002.npz: cannot be read .*overwrite"
    ):
        checkpoints.restore(state())
    assert checkpoints.paths() == paths
    assert warnings == []


def test_too_little_memory_is_no_damage(checkpoints, warnings, monkeypatch):
    paths = [checkpoints.save(state(step)) for step in (1, 2)]

    def load(*_):
        raise MemoryError("Unable to allocate 1.2 GiB")

    monkeypatch.setattr(np, "load", load)
    for read in (
        lambda: checkpoints.restore(state()),
        lambda: read_newest(checkpoints.folder),
        lambda: read_step(checkpoints.folder, 2),
    ):
        with pytest.raises(MemoryError):
            read()
    assert checkpoints.paths() == paths
    assert warnings == []


def test_another_network_s_checkpoint_is_refused(checkpoints):
    checkpoints.save(state(1))
    other = State({"a": tf.Variable([0.0])})
    with pytest.raises(UserError, match="other variables than this run's: variables/a"):
        checkpoints.restore(other)


def test_a_file_that_was_being_written_is_not_looked_at(checkpoints):
    checkpoints.save(state(1))
    (checkpoints.folder / ".unfinished-step_0000002.npz").write_bytes(b"half")
    fresh = state()
    assert checkpoints.restore(fresh).name == "step_0000001.npz"
