from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seqforge_tasks.translation.parallel.grammar import LARGEST, english_number, french_number

PUBLISHED: dict[str, list[str]] = json.loads(
    Path(__file__).with_name("number_words.json").read_text(encoding="utf-8")
)["words"]

ENGLISH_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
)
FRENCH_NUMBERS = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
    "vingt trente quarante cinquante soixante"
)
VALUES = dict(zip(ENGLISH_NUMBERS.split(), [*range(20), *range(20, 100, 10)], strict=True)) | dict(
    zip(FRENCH_NUMBERS.split(), [*range(17), *range(20, 70, 10)], strict=True)
)


def value(words: str) -> int:
    """What number words of either language say, word for word."""
    thousands = rest = 0
    for word in words.replace("-", " ").split():
        if word in ("and", "et"):
            continue
        if word in ("thousand", "mille"):
            thousands, rest = rest or 1, 0
        elif word in ("hundred", "cent", "cents"):
            rest = 100 * (rest or 1)
        elif word in ("vingt", "vingts") and rest % 100 == 4:
            rest += 80 - 4
        else:
            rest += VALUES[{"une": "un", "vingts": "?"}.get(word, word)]
    return 1000 * thousands + rest


def test_another_library_has_the_same_words() -> None:
    words = {
        number: [english_number(int(number)), french_number(int(number))] for number in PUBLISHED
    }

    assert len(words) > 300
    assert words == {
        number: [english.replace(",", ""), french]
        for number, (english, french) in PUBLISHED.items()
    }


@given(number=st.integers(0, LARGEST))
@example(number=LARGEST)
@settings(max_examples=500, deadline=None)
def test_the_words_say_the_number(number: int) -> None:
    assert value(english_number(number)) == number
    assert value(french_number(number)) == number
    assert value(french_number(number, feminine=True)) == number


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "une"),
        (11, "onze"),
        (21, "vingt et une"),
        (71, "soixante et onze"),
        (80, "quatre-vingts"),
        (81, "quatre-vingt-une"),
        (101, "cent une"),
        (201, "deux cent une"),
        (1_001, "mille une"),
        (21_000, "vingt et un mille"),
        (21_021, "vingt et un mille vingt et une"),
    ],
)
def test_the_last_one_agrees(number: int, words: str) -> None:
    assert french_number(number, feminine=True) == words


@pytest.mark.parametrize("number", [-1, LARGEST + 1])
def test_other_numbers_have_no_words(number: int) -> None:
    for words in (english_number, french_number):
        with pytest.raises(ValueError, match=f"no words for {number}: .* from 0 to 999,999"):
            words(number)
