import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_training
from tfgan_mnist.gans.cyclegan import POOL, Pool
from tfgan_mnist.training.checkpoint import Checkpoints, State


def advance(training, first: int, count: int) -> np.ndarray:
    return training.step(tf.constant(first), tf.constant(count)).numpy()


def numbered(first: int, count: int) -> tf.Tensor:
    """Images that are their number, from 1 on."""
    values = tf.range(first, first + count, dtype=tf.float32)
    return tf.reshape(values, [count, 1, 1, 1])


def numbers(images) -> list[int]:
    return np.asarray(images).ravel().astype(int).tolist()


def test_the_pool_shows_what_is_new_until_it_is_full():
    pool = Pool([1, 1, 1], "samples", size=6)
    for first in (1, 4):
        shown = pool.exchange(numbered(first, 3), tf.constant([first, 0]))
        assert numbers(shown) == list(range(first, first + 3))
    assert numbers(pool.images) == [1, 2, 3, 4, 5, 6]
    assert int(pool.filled) == 6


def test_a_batch_that_fills_the_pool_on_its_way_leaves_no_gap():
    pool = Pool([1, 1, 1], "samples", size=4)
    pool.exchange(numbered(1, 3), tf.constant([1, 0]))
    shown = pool.exchange(numbered(4, 3), tf.constant([2, 0]))
    assert 0 not in numbers(shown)
    assert 0 not in numbers(pool.images)
    assert set(numbers(pool.images)) | set(numbers(shown)) == {1, 2, 3, 4, 5, 6}


def test_a_full_pool_exchanges_half_and_forgets_nothing_else():
    pool = Pool([1, 1, 1], "samples", size=POOL)
    for first in range(1, POOL + 1, 10):
        pool.exchange(numbered(first, 10), tf.constant([first, 0]))
    earlier = 0
    for i in range(60):
        before = set(numbers(pool.images))
        new = set(range(1000 + 8 * i, 1008 + 8 * i))
        shown = numbers(pool.exchange(numbered(1000 + 8 * i, 8), tf.constant([i, 9])))
        after = set(numbers(pool.images))
        old = set(shown) - new
        assert old <= before
        assert len(set(shown)) == 8  # no two for the same
        # What was shown of the pool has left it, and what is new and was not has come.
        assert after == (before - old) | (new - set(shown))
        assert len(after) == POOL
        earlier += len(old)
    assert 0.4 < earlier / 480 < 0.6


def test_a_batch_larger_than_the_pool_is_exchanged_in_part():
    pool = Pool([1, 1, 1], "samples", size=4)
    pool.exchange(numbered(101, 7), tf.constant([0, 1]))  # fills it
    for i in range(20, 40):
        before = set(numbers(pool.images))
        new = set(range(10 * i + 1, 10 * i + 8))
        shown = numbers(pool.exchange(numbered(10 * i + 1, 7), tf.constant([i, 0])))
        assert len(set(shown)) == 7
        assert set(shown) <= before | new
        old = set(shown) & before
        assert set(numbers(pool.images)) == (before - old) | (new - set(shown))


def test_the_pool_lets_no_gradient_through():
    pool = Pool([1, 1, 1], "samples", size=4)
    fakes = numbered(1, 2)
    with tf.GradientTape() as tape:
        tape.watch(fakes)
        shown = tf.reduce_sum(pool.exchange(fakes, tf.constant([1, 0])))
    assert tape.gradient(shown, fakes) is None


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """A run of eight steps: what it is, its losses, and a checkpoint of the fourth."""
    training = build_training(tiny_config("cyclegan_uci", batch_size=4))
    losses = [advance(training, 0, 4)]
    checkpoints = Checkpoints(tmp_path_factory.mktemp("cyclegan"), keep=1)
    checkpoints.save(State(training.variables, step=4))
    losses.append(advance(training, 4, 4))
    return training, np.concatenate(losses), checkpoints


def test_a_killed_run_resumes_bit_for_bit(uninterrupted):
    """With its pools, which hold what was made before."""
    training, losses, checkpoints = uninterrupted
    after = {name: v.numpy() for name, v in training.variables.items()}
    assert after["pool_samples/filled"] == 32
    for variable in training.variables.values():  # as another process would begin
        variable.assign(tf.zeros_like(variable))
    checkpoints.restore(State(training.variables))
    assert int(training.variables["pool_samples/filled"]) == 16
    np.testing.assert_array_equal(advance(training, 4, 4), losses[4:])
    for name, variable in training.variables.items():
        np.testing.assert_array_equal(variable.numpy(), after[name], err_msg=name)


def test_sides_and_terms(uninterrupted):
    training, losses, _ = uninterrupted
    names = dict(zip(training.step.names, losses.T, strict=True))
    ways = ("", "_back")
    for side, terms in (
        ("discriminator", ("real", "fake")),
        ("generator", ("fake", "cycle", "identity")),
    ):
        parts = [names[f"{side}_{term}{way}"] for term in terms for way in ways]
        assert all((part > 0).all() for part in parts)
        np.testing.assert_allclose(names[side], np.sum(parts, axis=0), rtol=1e-4)
    assert (names["generator_cycle"] != names["generator_identity"]).all()


def test_cycle_and_identity_by_hand(uninterrupted):
    gan = uninterrupted[0].gan
    batch = uninterrupted[0].step.batch(tf.constant(0), 0)
    fakes = gan.generate(batch, tf.constant([1, 2]), tf.constant(0))
    there, back = gan.networks["generator"], gan.networks["generator_back"]
    np.testing.assert_allclose(fakes["samples"], there(batch["sources"]), atol=1e-5)
    np.testing.assert_allclose(fakes["sources"], back(batch["samples"]), atol=1e-5)
    found = gan.losses(batch, fakes, ["generator"])["generator"]
    expected = {
        "cycle": 10 * abs(there(fakes["sources"]) - batch["samples"]),
        "cycle_back": 10 * abs(back(fakes["samples"]) - batch["sources"]),
        "identity": 5 * abs(there(batch["samples"]) - batch["samples"]),
        "identity_back": 5 * abs(back(batch["sources"]) - batch["sources"]),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], tf.reduce_mean(values), rtol=1e-4)


def test_a_picture_shows_both_ways_and_back(uninterrupted):
    training, _, _ = uninterrupted
    inputs = training.gan.inputs(2, tf.constant([1, 2]), training.held_out)
    shown = training.gan.show(training.sampled, inputs)
    assert len(shown) == 6
    np.testing.assert_allclose(shown[0], inputs["sources"] * 0.5 + 0.5)
    np.testing.assert_allclose(shown[1], training.gan.sample(training.sampled, inputs))
    np.testing.assert_allclose(shown[3], inputs["samples"] * 0.5 + 0.5)
