import numpy as np
import pytest
import tensorflow as tf

from tfgan_mnist.data.examples import Examples, Stacked
from tfgan_mnist.system.seeds import DATA, run_seed


def numbered(count: int, batch_size: int, seed: int = 1, **options) -> Examples:
    """Images of 2×2 pixels whose label is their number."""
    pixels = np.broadcast_to(
        np.arange(count, dtype=np.uint8)[:, None, None, None], [count, 2, 2, 1]
    )
    labels = np.arange(count)
    return Examples(pixels, labels, batch_size, run_seed(seed, DATA), **options)


def drawn(data: Examples, batches: int) -> np.ndarray:
    return np.concatenate(
        [data.batch(tf.constant(i))["labels"].numpy() for i in range(batches)]
    )


@pytest.mark.parametrize("batch_size", [1, 7, 50, 100])
def test_every_image_once_an_epoch_in_a_new_order(batch_size):
    labels = drawn(numbered(100, batch_size), -(-300 // batch_size))[:300]
    epochs = labels.reshape(3, 100)
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), np.arange(100))
    assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[1], epochs[2])
    assert not np.array_equal(epochs[0], np.arange(100))


def test_a_batch_follows_from_seed_and_step():
    one, same, other = numbered(100, 10), numbered(100, 10), numbered(100, 10, seed=2)
    np.testing.assert_array_equal(drawn(one, 5), drawn(same, 5))
    assert not np.array_equal(drawn(one, 5), drawn(other, 5))
    compiled = tf.function(one.batch)
    np.testing.assert_array_equal(
        compiled(tf.constant(3))["labels"], one.batch(tf.constant(3))["labels"]
    )


def test_steps_of_long_runs_do_not_overflow():
    labels = numbered(100, 100).batch(tf.constant(2**31 - 2))["labels"].numpy()
    np.testing.assert_array_equal(np.sort(labels), np.arange(100))


def test_bytes_become_minus_one_to_one_beside_their_labels():
    data = numbered(256, 256)
    batch = data.batch(tf.constant(0))
    assert batch["samples"].shape == [256, 2, 2, 1]
    expected = batch["labels"].numpy() / 127.5 - 1.0
    np.testing.assert_allclose(
        batch["samples"].numpy()[:, 0, 0, 0], expected, atol=1e-6
    )
    assert batch["samples"].numpy().min() == -1.0
    assert batch["samples"].numpy().max() == 1.0


def test_resizing_keeps_bytes_and_brightness():
    data = numbered(100, 5, image_size=(4, 4))
    assert data.samples.shape == [100, 4, 4, 1]
    assert data.samples.dtype == tf.uint8
    np.testing.assert_array_equal(data.samples.numpy()[:, 1, 2, 0], np.arange(100))


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(ValueError, match="a batch of 11 from 10"):
        numbered(10, 11)


def test_points_stay_as_they_are_and_need_no_labels():
    points = np.array([[0.5, -7.0], [2.0, 3.0], [4.0, 1e3]], np.float32)
    data = Examples(points, None, 3, run_seed(1, DATA))
    batch = data.batch(tf.constant(0))
    assert batch.keys() == {"samples"}
    np.testing.assert_array_equal(np.sort(batch["samples"], axis=0)[:, 0], [0.5, 2, 4])


def test_each_colour_of_a_stack_goes_through_the_images_by_itself():
    pixels = np.arange(20, dtype=np.uint8).reshape(20, 1, 1, 1)
    data = Stacked(pixels, 5, run_seed(1, DATA))
    batches = [data.batch(tf.constant(i))["samples"].numpy() for i in range(4)]
    assert batches[0].shape == (5, 1, 1, 3)
    numbers = np.rint((np.concatenate(batches) + 1.0) * 127.5)[:, 0, 0]
    for colour in numbers.T:
        np.testing.assert_array_equal(np.sort(colour), np.arange(20))
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert not np.array_equal(numbers[:, one], numbers[:, other])
    again = Stacked(pixels, 5, run_seed(1, DATA)).batch(tf.constant(3))["samples"]
    np.testing.assert_array_equal(again, batches[3])
