"""What is checked of a corpus's options before there is a text."""

from __future__ import annotations

from seqforge.errors import UserError
from seqforge.text.character_vocabulary import UNKNOWN, CharacterVocabulary


def given_alphabet(alphabet: str, unit: str) -> CharacterVocabulary:
    """Return the vocabulary of an alphabet that a user gave.

    Raises:
        UserError: It repeats a character, is empty, holds U+FFFD, or the unit is bytes.
    """
    if unit == "bytes":
        raise UserError(
            "an alphabet of characters is given, but the unit is bytes",
            where="data.alphabet",
            todo="leave one of them out",
        )
    repeated = sorted({each for each in alphabet if alphabet.count(each) > 1})
    if repeated or not alphabet or UNKNOWN in alphabet:
        fault = f"repeats {', '.join(map(repr, repeated))}" if repeated else "is empty"
        if UNKNOWN in alphabet and not repeated:
            fault = f"has {UNKNOWN!r} (U+FFFD), which stands for unknown characters"
        raise UserError(
            f"the alphabet {fault}",
            where="data.alphabet",
            todo="give every character that is to be known once, line feed and space too",
        )
    return CharacterVocabulary(alphabet)


def require_at_least(least: int, **values: int | None) -> None:
    """Refuse options below a least value; those that are None were not given.

    Raises:
        UserError: Names the option.
    """
    for name, value in values.items():
        if value is not None and value < least:
            raise UserError(
                f"{name} is {value}", where=f"data.{name}", todo=f"give at least {least}"
            )
