"""Whole numbers in words, in English and in French."""

from __future__ import annotations

from typing import Final

LARGEST: Final = 999_999
"""The largest number that there are words for."""

_ENGLISH: Final = [
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
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_ENGLISH_TENS: Final = [
    "-",
    "-",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
]

_FRENCH: Final = [
    "zéro",
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
    "dix-sept",
    "dix-huit",
    "dix-neuf",
]
# Seventy and ninety are sixty and eighty that go on to nineteen.
_FRENCH_TENS: Final = [
    "-",
    "-",
    "vingt",
    "trente",
    "quarante",
    "cinquante",
    "soixante",
    "soixante",
    "quatre-vingt",
    "quatre-vingt",
]
_TEENS: Final = (7, 9)


def english_number(number: int) -> str:
    """Return a number in English words, the British way: "one thousand two hundred and three".

    Args:
        number: From 0 to 999,999.

    Raises:
        ValueError: There are no words for it.
    """
    _require_words(number)
    if number < 20:
        return _ENGLISH[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return f"{_ENGLISH_TENS[tens]}-{_ENGLISH[ones]}" if ones else _ENGLISH_TENS[tens]
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        words = f"{_ENGLISH[hundreds]} hundred"
        return f"{words} and {english_number(rest)}" if rest else words
    thousands, rest = divmod(number, 1000)
    words = f"{english_number(thousands)} thousand"
    if not rest:
        return words
    return f"{words} {'and ' if rest < 100 else ''}{english_number(rest)}"


def french_number(number: int, feminine: bool = False) -> str:
    """Return a number in French words, in the spelling from before the reform of 1990.

    So hyphens stand within numbers below a hundred only, and not beside "et": "vingt et un",
    "quatre-vingt-un", "deux cent un". "Vingt" and "cent" take their plural s at the end only:
    "quatre-vingts", "deux cents", but "quatre-vingt mille". "Mille" never changes.

    Args:
        number: From 0 to 999,999.
        feminine: It counts a feminine noun: a last "un" is "une". Before "mille" it stays.

    Raises:
        ValueError: There are no words for it.
    """
    _require_words(number)
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return _below_thousand(rest, feminine, last=True)
    words = "mille" if thousands == 1 else f"{_below_thousand(thousands, False, last=False)} mille"
    return f"{words} {_below_thousand(rest, feminine, last=True)}" if rest else words


def _below_thousand(number: int, feminine: bool, last: bool) -> str:
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return _below_hundred(rest, feminine, last)
    words = "cent" if hundreds == 1 else f"{_FRENCH[hundreds]} cent"
    if rest:
        return f"{words} {_below_hundred(rest, feminine, last)}"
    return f"{words}s" if hundreds > 1 and last else words


def _below_hundred(number: int, feminine: bool, last: bool) -> str:
    if number < 20:
        return "une" if number == 1 and feminine else _FRENCH[number]
    tens, ones = divmod(number, 10)
    words = _FRENCH_TENS[tens]
    if tens in _TEENS:
        ones += 10
    if ones == 0:
        return f"{words}s" if tens == 8 and last else words
    if ones in (1, 11) and tens < 8:
        return f"{words} et {'une' if ones == 1 and feminine else _FRENCH[ones]}"
    return f"{words}-{'une' if ones == 1 and feminine else _FRENCH[ones]}"


def _require_words(number: int) -> None:
    if not 0 <= number <= LARGEST:
        raise ValueError(f"there are no words for {number}: it must be from 0 to {LARGEST:,}")
