"""What is too long is cut at good places, and nothing is lost."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge_tasks.translation.parts import split_text


def at_most(size: int, text: str) -> list[str]:
    return split_text(text, lambda part: len(part) <= size)


@pytest.mark.parametrize(
    ("size", "text", "expected"),
    [
        (20, "It fits.", ["It fits."]),
        (13, "One is. Two is. Three!", ["One is.", "Two is.", "Three!"]),
        (15, "One is. Two is. Three!", ["One is. Two is.", "Three!"]),
        (12, "the cat, the dog; a bird", ["the cat,", "the dog;", "a bird"]),
        (7, "the cat saw me", ["the cat", "saw me"]),
        (4, "abcdefgh ij", ["abcd", "efgh", "ij"]),
        (9, "Un chat\u00a0! Et toi\u00a0?", ["Un chat\u00a0!", "Et toi\u00a0?"]),
        (4, "你好。再見。好", ["你好。", "再見。好"]),
        (7, "a  b. c\td", ["a  b.", "c\td"]),
        (3, "  ", []),
        (0, "x", ["x"]),
    ],
)
def test_places(size: int, text: str, expected: list[str]) -> None:
    assert at_most(size, text) == expected


@given(
    st.text(st.sampled_from("ab .,!?;\u00a0\n。，é"), max_size=60),
    st.integers(1, 12),
)
def test_nothing_is_lost_but_white_space_at_cuts(text: str, size: int) -> None:
    parts = at_most(size, text)

    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)
    assert all(0 < len(part) <= size for part in parts)
    place = 0
    for part in parts:  # each is found in the text, behind the one before
        place = text.index(part, place) + len(part)


@given(st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=20))
def test_words_make_as_few_parts_as_can_be(words: list[str]) -> None:
    parts = at_most(8, " ".join(words))

    for one, other in pairwise(parts):
        assert len(f"{one} {other.split(' ')[0]}") > 8
