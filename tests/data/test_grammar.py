import pytest

from tfgan_mnist.data.grammar import DIGITS, MOST_WORDS, PROMPTS, PROPERTIES, WORDS
from tfgan_mnist.data.grammar import split as words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a bold seven", ["a", "bold", "seven"]),
        ("  A left-leaning 7! ", ["a", "left", "leaning", "7"]),
        ("?", []),
        ("naïve", ["na", "ve"]),
    ],
)
def test_words_are_what_stands_between_all_else(text, words):
    assert words_of(text) == words


def test_what_a_run_shows_is_made_of_known_words_one_of_each_digit():
    for digit, prompt in enumerate(PROMPTS):
        words = words_of(prompt)
        assert set(words) <= set(WORDS)
        assert len({DIGITS[digit], str(digit)} & set(words)) == 1
    assert len(PROMPTS) == len(DIGITS)


def test_no_wording_is_of_two_levels():
    wordings = [w for p in PROPERTIES.values() for some in p.values() for w in some]
    assert len(set(wordings)) == len(wordings)
    assert all(wording.count("~") == 1 for wording in wordings)
    # The longest that a caption can be.
    most = sum(
        max(len(words_of(w)) for some in p.values() for w in some)
        for p in PROPERTIES.values()
    )
    assert 2 + most <= MOST_WORDS
