"""The words that captions of digits are made of.

Parsing a prompt needs no TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from tfgan_mnist.system.errors import UserError, nearest

DIGITS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
)

ANY_DIGIT = ("digit", "number")
"""What stands for a digit that is not said."""

ARTICLES = ("a", "a", "")  # each as likely

Wordings = tuple[str, ...]

PROPERTIES: Mapping[str, Mapping[str, Wordings]] = {
    "thickness": {
        "thin": ("thin ~", "fine ~", "~ in thin strokes"),
        "medium": ("regular ~", "medium-weight ~", "~ of medium weight"),
        "bold": ("bold ~", "thick ~", "heavy ~", "~ in bold strokes"),
    },
    "slant": {
        "left": ("~ leaning left", "left-leaning ~", "~ slanted to the left"),
        "upright": ("upright ~", "~ standing upright"),
        "right": ("~ leaning right", "right-leaning ~", "~ slanted to the right"),
    },
    "width": {
        "narrow": ("narrow ~", "slim ~"),
        "average": ("~ of average width",),
        "wide": ("wide ~", "broad ~"),
    },
    "height": {
        "short": ("short ~", "squat ~"),
        "tall": ("tall ~", "~ of full height"),
    },
}
"""Levels of what is measured, from least to greatest, and how a caption says them.

``~`` stands for the rest of the caption, which begins with the digit.
"""

MOST_WORDS = 16
"""In a caption or a prompt."""

PROMPTS = (
    "a thin zero",
    "a bold one leaning right",
    "a wide two",
    "a narrow 3",
    "an upright four in thin strokes",
    "a thin five leaning left",
    "a heavy, broad 6",
    "a bold seven leaning left",
    "a short eight",
    "a slim nine slanted to the right",
)
"""What a run's pictures show, one of each digit."""


def split(text: str) -> list[str]:
    """The words of a caption or a prompt, without case and punctuation."""
    return re.findall(f"[{LETTERS}]+", text.lower())


LETTERS = "a-z0-9"
"""Of which words consist; all else stands between them."""


def _words() -> tuple[str, ...]:
    texts = [*DIGITS, *map(str, range(len(DIGITS))), *ANY_DIGIT, *ARTICLES, "an"]
    for levels in PROPERTIES.values():
        texts += [wording for some in levels.values() for wording in some]
    return tuple(sorted({word for text in texts for word in split(text)}))


WORDS = _words()
"""All words that there are."""

VOCABULARY = ("", "[UNK]", *WORDS)
"""By their numbers in a caption: nothing, an unknown word, and all others."""


def check_prompt(prompt: str, vocabulary: Collection[str], given: str) -> None:
    """Raises UserError if a prompt has unknown words, no words or too many.

    Args:
      prompt: a sentence.
      vocabulary: the words that the model knows.
      given: what the user gave, with which the error line begins.
    """
    words = split(prompt)
    if unknown := list(dict.fromkeys(w for w in words if w not in vocabulary)):
        known = filter(str.isalnum, vocabulary)
        raise UserError(
            f"{given}: unknown words: {', '.join(unknown)}; "
            f"{nearest(unknown[0], known)}"
        )
    if not 0 < len(words) <= MOST_WORDS:
        raise UserError(
            f"{given}: {prompt!r} has {len(words)} words; give from 1 to {MOST_WORDS}"
        )
