import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from skimage import morphology, transform

from tfgan_mnist.data import captions
from tfgan_mnist.data.captions import FACETS, HELD_OUT, levels, measure, say, wrong_for
from tfgan_mnist.data.examples import Examples
from tfgan_mnist.data.grammar import DIGITS, MOST_WORDS, PROPERTIES, WORDS
from tfgan_mnist.data.grammar import split as words_of
from tfgan_mnist.data.mnist import mnist5k

SEED = tf.constant([3, 4], tf.int32)


def stroke(thickness: float, slant: float, height: int = 20) -> np.ndarray:
    """A straight stroke [28, 28, 1] in [0, 1], so thick in its rows, with soft edges.

    Slant is in degrees from the vertical, above 0 to the right.
    """
    fine = (np.arange(28 * 16) + 0.5) / 16
    y, x = np.arange(28)[:, np.newaxis], fine[np.newaxis]
    middle = 14.0 - (y + 0.5 - 14.0) * np.tan(np.radians(slant))
    inside = (abs(x - middle) <= thickness / 2) & (abs(y + 0.5 - 14) <= height / 2)
    return inside.reshape(28, 28, 16).mean(axis=2)[..., np.newaxis].astype(np.float32)


@pytest.mark.parametrize("slant", [-40.0, -15.0, 0.0, 8.0, 30.0])
@pytest.mark.parametrize("thickness", [2.0, 3.5])
def test_a_stroke_of_known_slant_and_thickness(slant, thickness):
    found = measure(stroke(thickness, slant)[np.newaxis])
    assert found["slant"][0] == pytest.approx(slant, abs=0.5)
    # Moved back by its slant it is upright, and as wide as thick; pixels that its edge
    # goes through are counted to their ends.
    assert -0.1 < found["width"][0] - thickness < 1.1
    assert found["height"][0] == pytest.approx(0.98 * 20, abs=0.05)
    # Across the stroke; its ends and central differences count a little.
    across = thickness * np.cos(np.radians(slant))
    assert found["thickness"][0] == pytest.approx(across, rel=0.2)


def test_thicker_strokes_are_found_thicker_and_others_unchanged():
    strokes = np.stack([stroke(t, 20.0) for t in (1.5, 2.0, 2.5, 3.0, 4.0)])
    found = measure(strokes)
    assert (np.diff(found["thickness"]) > 0.2).all()
    np.testing.assert_allclose(found["slant"], 20.0, atol=0.5)


def test_a_frame_s_width_and_height():
    image = np.zeros([1, 28, 28, 1], np.uint8)
    image[0, 8:22, 4:24] = 255
    image[0, 10:20, 6:22] = 0
    found = measure(image)
    assert found["slant"][0] == 0.0
    # A hundredth of the ink at either end is not counted: of its 120 pixels 1.2.
    assert found["width"][0] == pytest.approx(20 - 2 * 1.2 / 14, abs=0.1)
    assert found["height"][0] == pytest.approx(14 - 2 * 1.2 / 20, abs=0.1)


def test_without_ink_nothing_is_measured():
    found = measure(np.zeros([2, 28, 28, 1], np.float32))
    assert all((values == 0.0).all() for values in found.values())


def test_thickness_ranks_digits_as_their_skeletons_do():
    """Morpho-MNIST's: twice the mean distance from a skeleton's pixels to the edge."""
    images, _ = mnist5k()
    images = images[::50]

    def along_skeleton(image):
        large = transform.pyramid_expand(image / 255.0, upscale=4, order=3)
        skeleton, distance = morphology.medial_axis(
            large >= large.max() / 2, return_distance=True
        )
        return 2.0 * distance[skeleton].mean() / 4

    expected = [along_skeleton(image[..., 0]) for image in images]
    assert stats.spearmanr(measure(images)["thickness"], expected)[0] > 0.95


@pytest.fixture(scope="module")
def digits():
    """Images and their levels."""
    images, labels = mnist5k()
    return images, levels(measure(images), labels)


def test_levels_part_the_digits_of_each_class(digits):
    _, some = digits
    assert some.shape == (5000, len(FACETS))
    np.testing.assert_array_equal(some[:, 0], mnist5k()[1])
    for column, facet in enumerate(FACETS[1:], 1):
        shares = np.bincount(some[:, column]) / len(some)
        assert len(shares) == len(PROPERTIES[facet])
        assert shares.min() > 0.1
    width = FACETS.index("width")
    for digit in range(10):  # a narrow zero is narrow for a zero
        shares = np.bincount(some[some[:, 0] == digit, width]) / 500
        np.testing.assert_allclose(shares, 1 / 3, atol=0.07)


def test_strokes_are_called_what_they_are():
    strokes = np.stack([stroke(1.8, -20.0), stroke(6.0, 0.0), stroke(3.6, 15.0, 16)])
    found = levels(measure(strokes), np.ones(3, int))
    names = [tuple(p) for p in PROPERTIES.values()]
    said = [[n[i] for n, i in zip(names, row[1:], strict=True)] for row in found]
    assert said == [
        ["thin", "left", "narrow", "tall"],
        ["bold", "upright", "wide", "tall"],
        ["bold", "right", "average", "short"],
    ]


def facts_of(sentence: str) -> dict[str, int]:
    """What a sentence says, read word by word: levels by facet."""
    text = f" {' '.join(words_of(sentence))} "
    found = {}
    for digit, name in enumerate(DIGITS):
        if f" {name} " in text or f" {digit} " in text:
            found["digit"] = digit
    for facet, some in PROPERTIES.items():
        for level, wordings in enumerate(some.values()):
            for wording in wordings:
                if f" {' '.join(words_of(wording.replace('~', '')))} " in text:
                    assert found.get(facet, level) == level, sentence
                    found[facet] = level
    return found


@pytest.fixture(scope="module")
def spoken(digits):
    some = tf.constant(digits[1])
    sentences, said = say(some, SEED)
    return some.numpy(), [s.decode() for s in sentences.numpy()], said.numpy()


def test_a_caption_says_what_it_says_it_says_and_it_is_true(spoken):
    for row, sentence, said in zip(*spoken, strict=True):
        columns = np.flatnonzero(said)
        assert facts_of(sentence) == {FACETS[i]: row[i] for i in columns}, sentence


def test_what_is_left_out_does_not_depend_on_what_it_is(spoken):
    some, _, said = spoken
    for column in range(len(FACETS)):
        expected = captions.SAID if column else captions.DIGIT_SAID
        for level in range(some[:, column].max() + 1):
            share = said[some[:, column] == level, column].mean()
            assert share == pytest.approx(expected, abs=0.08)


def test_every_word_is_used_and_every_article_is_right(spoken):
    _, sentences, _ = spoken
    used = {word for sentence in sentences for word in words_of(sentence)}
    assert used == set(WORDS)
    with_vowels = ("eight", "8", "upright")
    for sentence in sentences:
        first, *rest = sentence.split()
        if first in ("a", "an"):
            assert (first == "an") == rest[0].startswith(with_vowels), sentence
    assert any(sentence.split()[0] not in ("a", "an") for sentence in sentences)


def test_a_caption_follows_from_the_seed_alone(digits):
    some = tf.constant(digits[1][::100])
    one, again, other = (say(some, s)[0].numpy() for s in (SEED, SEED, SEED + 1))
    assert (one == again).all()
    assert (one != other).mean() > 0.5


def test_a_wrong_caption_is_wrong_and_often_nearly_right(digits):
    order = np.random.default_rng(1).permutation(5000)
    false = []
    for first in range(0, 640, 32):
        some = tf.constant(digits[1][order[first : first + 32]])
        _, said = say(some, SEED)
        chosen = wrong_for(some, said, SEED).numpy()
        other = some.numpy() != some.numpy()[chosen]
        false += list((other & said.numpy()[chosen]).sum(axis=1))
    assert min(false) > 0
    assert np.mean(np.array(false) == 1) > 0.9


def test_where_nothing_is_false_the_wrong_caption_is_still_another_s():
    some, said = tf.zeros([4, len(FACETS)], tf.int32), tf.ones([4, len(FACETS)], bool)
    chosen = wrong_for(some, said, SEED).numpy()
    assert (chosen != np.arange(4)).all()


def test_the_combination_that_is_held_out(digits):
    _, some = digits
    assert HELD_OUT == {"digit": "seven", "thickness": "bold", "slant": "left"}
    found = captions.held_out(some)
    assert 20 < found.sum() < 60  # of 500 sevens
    assert (some[found][:, :3] == [7, 2, 0]).all()
    assert not (some[~found][:, :3] == [7, 2, 0]).all(axis=1).any()


def test_words_have_the_numbers_of_the_vocabulary():
    vectorize = captions.vectorizer()
    sentences = ["A left-leaning, 7!", "a purple seven", "", "a " * 30]
    rows = vectorize(tf.constant(sentences)).numpy()
    assert rows.shape == (4, MOST_WORDS + 1)
    known = ["", "?", *WORDS]
    assert vectorize.get_vocabulary()[2:] == [*WORDS]
    for sentence, row in zip(sentences[:2], rows, strict=False):
        words = [known[i] for i in row if i]
        assert words == [w if w in WORDS else "?" for w in words_of(sentence)]
    assert not rows[2].any()


def test_batches_are_a_function_of_step_and_draw(digits):
    images, some = digits
    vectorize = captions.vectorizer()
    batches = captions.Captioned(Examples(images, some, 8, SEED, 2), vectorize, SEED)
    one = batches.batch(tf.constant(5), 1)
    shape = (8, MOST_WORDS + 1)
    assert one["captions"].shape == one["wrong_captions"].shape == shape
    assert one["samples"].shape == (8, 28, 28, 1)
    for step, draw, same in ((5, 1, True), (5, 0, False), (6, 1, False)):
        other = batches.batch(tf.constant(step), draw)
        for name in ("samples", "captions", "wrong_captions"):
            assert np.array_equal(one[name], other[name]) == same
    # Each caption is of its own image.
    rows = batches.examples.indices(tf.constant(5), 1).numpy()
    np.testing.assert_array_equal(one["labels"], some[rows, 0])
    known = ["", "?", *WORDS]
    for row, caption in zip(rows, one["captions"].numpy(), strict=True):
        said = facts_of(" ".join(known[i] for i in caption))
        assert all(some[row, FACETS.index(f)] == level for f, level in said.items())
