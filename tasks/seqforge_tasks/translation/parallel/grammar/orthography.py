"""How words change beside each other: elision and contraction in French, "an" in English."""

from __future__ import annotations

from typing import Final

_VOWELS: Final = frozenset("aeiouâàéèêîôœhAEIOUÉ")

# An aspirated h, and two numbers, keep the vowel before them: la hache, le huit, de onze.
_KEEPING: Final = frozenset(
    {"hache", "haches", "héros", "hibou", "hiboux", "huit", "onze"}  # spelt as they occur
)


def elides(following: str) -> bool:
    """Tell whether a vowel is dropped before this text: it begins with a vowel or a mute h."""
    if following[0] not in _VOWELS:
        return False
    return following.partition(" ")[0] not in _KEEPING


def elided(word: str, following: str) -> str:
    """Return le, la, je, ne, de or que and what follows: "l'homme", "la hache", "n'est"."""
    return f"{word[:-1]}'{following}" if elides(following) else f"{word} {following}"


def contracted(preposition: str, phrase: str) -> str:
    """Return a preposition and a phrase.

    After "de" and "à", and what ends with them, the articles "le" and "les" join them: "du chat",
    "près des maisons", "aux amis"; "de" also drops its vowel: "d'un ami".
    """
    last = preposition.rpartition(" ")[2]
    before = preposition[: len(preposition) - len(last)]
    if last not in ("de", "à"):
        return f"{preposition} {phrase}"
    article, _, rest = phrase.partition(" ")
    if article == "le":
        return f"{before}{'du' if last == 'de' else 'au'} {rest}"
    if article == "les":
        return f"{before}{'des' if last == 'de' else 'aux'} {rest}"
    return f"{preposition} {phrase}" if last == "à" else before + elided(last, phrase)


def with_article(words: str) -> str:
    """Return English words behind "a" or "an"; the lexicon has no "hour" and no "university"."""
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def capitalised(text: str) -> str:
    """Return a text with a capital first letter, all others as they are."""
    return text[0].upper() + text[1:]
