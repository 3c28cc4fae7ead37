"""Noun phrases: determiner, adjectives and noun, agreeing in both languages."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, NamedTuple

from seqforge_tasks.translation.parallel.grammar.adjectives import AFTER, BEFORE, Adjective
from seqforge_tasks.translation.parallel.grammar.draws import Draws
from seqforge_tasks.translation.parallel.grammar.nouns import Mass, Noun
from seqforge_tasks.translation.parallel.grammar.numbers import english_number, french_number
from seqforge_tasks.translation.parallel.grammar.orthography import elided, elides, with_article


class Phrase(NamedTuple):
    """A phrase in both languages.

    Attributes:
        english: Its words.
        french: Its words.
        feminine: Its gender in French.
        plural: Its number.
    """

    english: str
    french: str
    feminine: bool
    plural: bool


class Determiner(Enum):
    """What stands first in a noun phrase."""

    THE = auto()
    A = auto()
    SOME = auto()
    COUNT = auto()
    THE_COUNT = auto()
    MY = auto()
    OUR = auto()
    HIS = auto()
    HER = auto()
    THIS = auto()
    ALL = auto()
    """None in English, a whole kind: "he likes cats", "il aime les chats"."""


class Core(NamedTuple):
    """A noun and its adjectives, without determiner.

    Attributes:
        noun: The noun.
        before: An adjective that French has before the noun; English has it first.
        after: One that French has after it.
    """

    noun: Noun
    before: Adjective | None = None
    after: Adjective | None = None


# English singular and plural; French masculine and feminine, before a consonant and before a vowel
# (mon école, but cette école), and plural.
_OWN: Final = {
    Determiner.MY: (("my", "my"), ("mon", "ma", "mon", "mon", "mes")),
    Determiner.OUR: (("our", "our"), ("notre", "notre", "notre", "notre", "nos")),
    Determiner.HIS: (("his", "his"), ("son", "sa", "son", "son", "ses")),
    Determiner.HER: (("her", "her"), ("son", "sa", "son", "son", "ses")),
    Determiner.THIS: (("this", "these"), ("ce", "cette", "cet", "cette", "ces")),
}

_PLURAL_ONLY: Final = frozenset(
    {Determiner.SOME, Determiner.COUNT, Determiner.THE_COUNT, Determiner.ALL}
)

FEW: Final = (2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
"""How many of something there are in most phrases."""


def draw_core(draws: Draws, nouns: tuple[Noun, ...]) -> Core:
    """Return a noun with no adjective, with one, or rarely with two."""
    noun = draws.pick(nouns)
    described = draws.below(20)
    before = draws.pick(BEFORE[noun.kind]) if described in (0, 1, 2, 3, 4) else None
    after = draws.pick(AFTER[noun.kind]) if described in (4, 5, 6, 7, 8) else None
    return Core(noun, before, after)


def noun_phrase(
    core: Core,
    determiner: Determiner,
    plural: bool = False,
    count: int = 2,
    denied: bool = False,
) -> Phrase:
    """Return a noun phrase.

    Args:
        core: Noun and adjectives.
        determiner: What stands before them.
        plural: More than one, where the determiner leaves that open.
        count: How many, for the determiners that count; at least 2.
        denied: It is the object of a verb that is negated: "pas de chat", "not any cats".
    """
    plural = determiner in _PLURAL_ONLY or (plural and determiner is not Determiner.A)
    english, french = core_words(core, plural)
    feminine = core.noun.feminine
    if determiner in _OWN:
        names, articles = _OWN[determiner]
        article = articles[4 if plural else 2 * elides(french) + feminine]
        return Phrase(f"{names[plural]} {english}", f"{article} {french}", feminine, plural)
    if determiner is Determiner.A:
        words = elided("de", french) if denied else f"{'une' if feminine else 'un'} {french}"
        return Phrase(with_article(english), words, feminine, plural)
    if determiner is Determiner.SOME:
        # Before an adjective too, "des" is "de": de petits chats.
        words = elided("de", french) if denied or core.before else f"des {french}"
        return Phrase(f"{'any' if denied else 'some'} {english}", words, feminine, plural)
    if determiner is Determiner.COUNT:
        english = f"{english_number(count)} {english}"
        return Phrase(english, f"{french_number(count, feminine)} {french}", feminine, plural)
    if determiner is Determiner.THE_COUNT:
        english = f"the {english_number(count)} {english}"
        return Phrase(english, f"les {french_number(count, feminine)} {french}", feminine, plural)
    the = "" if determiner is Determiner.ALL else "the "
    return Phrase(f"{the}{english}", _definite(french, feminine, plural), feminine, plural)


def core_words(core: Core, plural: bool) -> tuple[str, str]:
    """Return noun and adjectives in English and in French."""
    noun, before, after = core
    english, french = noun.english[plural], noun.french[plural]
    if before:
        form = before.form(noun.feminine, plural, following=elides(french))
        french = f"{form} {french}"
    if after:
        english = f"{after.english} {english}"
        french = f"{french} {after.form(noun.feminine, plural)}"
    return f"{before.english} {english}" if before else english, french


def mass_phrase(mass: Mass, partial: bool, denied: bool = False) -> Phrase:
    """Return what is eaten or drunk: some of it, or it.

    Args:
        mass: The noun.
        partial: An unknown part of it, without an article in English: "bread", "du pain".
        denied: As in `noun_phrase`; it says something of a part only.
    """
    whole = _definite(mass.french, mass.feminine, plural=False)
    if not partial:
        return Phrase(f"the {mass.english}", whole, mass.feminine, plural=False)
    if denied:
        french = elided("de", mass.french)
    elif whole.startswith("le "):
        french = f"du {mass.french}"
    else:
        french = f"de {whole}"
    return Phrase(mass.english, french, mass.feminine, plural=False)


def _definite(french: str, feminine: bool, plural: bool) -> str:
    return f"les {french}" if plural else elided("la" if feminine else "le", french)
