"""The two languages of a row, however it holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from seqforge.errors import UserError, closest_match

NESTED: Final = "translation"
"""The key under which many data sets keep an object with all languages."""


def texts_of(row: Mapping[str, Any], source: str, target: str, place: str) -> tuple[str, str]:
    """Return the texts of two languages, each under its own key, or both under `translation`.

    Args:
        row: The row.
        source: Language of the source.
        target: Language of the target.
        place: What a message says of the row.

    Raises:
        UserError: A language is missing, or what it holds is no text.
    """
    nested = row.get(NESTED)
    texts = nested if isinstance(nested, Mapping) else row
    return _text(texts, source, place), _text(texts, target, place)


def _text(texts: Mapping[str, Any], language: str, place: str) -> str:
    if language not in texts:
        raise UserError(
            f"{place} has no '{language}'",
            where="data.source, data.target",
            accepted=texts,
            closest=closest_match(language, texts),
            todo="name languages that every row has",
        )
    text = texts[language]
    if not isinstance(text, str):
        what = "null" if text is None else f"a value of type {type(text).__name__}, not text"
        raise UserError(
            f"{place} holds under '{language}' {what}",
            where="data.source, data.target",
            todo="take such rows out; an empty text is dropped from training and counted",
        )
    return text
