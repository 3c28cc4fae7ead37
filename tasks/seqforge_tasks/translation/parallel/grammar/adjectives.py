"""The adjectives of both languages: their French forms, their place, and what they can describe."""

from __future__ import annotations

from typing import Final, NamedTuple

from seqforge_tasks.translation.parallel.grammar.nouns import Kind, french_plural


class Adjective(NamedTuple):
    """An adjective.

    Attributes:
        english: The word.
        before: In French it stands before the noun.
        masculine: Singular and plural.
        feminine: Singular and plural.
        liaison: The masculine singular before a vowel.
        kinds: What it can describe.
    """

    english: str
    before: bool
    masculine: tuple[str, str]
    feminine: tuple[str, str]
    liaison: str
    kinds: frozenset[Kind]

    def form(self, feminine: bool, plural: bool, following: bool = False) -> str:
        """Return the French form.

        Args:
            feminine: The noun's gender.
            plural: The noun's number.
            following: A word that begins with a vowel comes next.
        """
        if following and not feminine and not plural:
            return self.liaison
        return (self.feminine if feminine else self.masculine)[plural]


_LIVING: Final = frozenset({Kind.PERSON, Kind.ANIMAL})
_PERSONS: Final = frozenset({Kind.PERSON})
_OBJECTS: Final = frozenset({Kind.THING, Kind.READING, Kind.BOX, Kind.FURNITURE, Kind.FOOD})
_PLACES: Final = frozenset({Kind.PLACE})
_ALL: Final = frozenset(Kind)
_COLOURED: Final = _OBJECTS | {Kind.ANIMAL}

# English, French masculine and feminine, and for some the masculine before a vowel.
_BEFORE: Final = {
    "small petit petite": _ALL,
    "big grand grande": _ALL,
    "beautiful beau belle bel": _ALL,
    "old vieux vieille vieil": _ALL,
    "new nouveau nouvelle nouvel": _ALL - {Kind.FOOD},
    "young jeune jeune": _LIVING,
    "good bon bonne": _ALL - _PLACES,
    "bad mauvais mauvaise": _ALL - _PLACES,
}

_AFTER: Final = {
    "red rouge rouge": _COLOURED,
    "blue bleu bleue": _COLOURED,
    "green vert verte": _COLOURED,
    "black noir noire": _COLOURED,
    "white blanc blanche": _COLOURED,
    "grey gris grise": _COLOURED,
    "brown marron marron": _COLOURED,
    "heavy lourd lourde": _OBJECTS,
    "expensive cher chère": _OBJECTS | {Kind.PLACE},
    "dirty sale sale": _OBJECTS | _PLACES,
    "empty vide vide": frozenset({Kind.BOX}) | _PLACES,
    "tired fatigué fatiguée": _LIVING,
    "happy heureux heureuse": _LIVING,
    "sad triste triste": _LIVING,
    "strong fort forte": _LIVING,
    "rich riche riche": _PERSONS,
    "intelligent intelligent intelligente": _LIVING,
}

_INVARIABLE: Final = ("marron",)  # once a noun, the chestnut: des vaches marron


def _read(entry: str, before: bool, kinds: frozenset[Kind]) -> Adjective:
    english, masculine, feminine, *liaison = entry.split()
    fixed = masculine in _INVARIABLE
    plurals = [word if fixed else french_plural(word) for word in (masculine, feminine)]
    return Adjective(
        english,
        before,
        (masculine, plurals[0]),
        (feminine, plurals[1]),
        liaison[0] if liaison else masculine,
        kinds,
    )


ADJECTIVES: Final = tuple(
    _read(entry, before, kinds)
    for before, table in ((True, _BEFORE), (False, _AFTER))
    for entry, kinds in table.items()
)
"""All adjectives."""

BEFORE: Final = {
    kind: tuple(each for each in ADJECTIVES if each.before and kind in each.kinds) for kind in Kind
}
"""By kind of noun, the adjectives that stand before it in French."""

AFTER: Final = {
    kind: tuple(each for each in ADJECTIVES if not each.before and kind in each.kinds)
    for kind in Kind
}
"""By kind of noun, the adjectives that stand after it in French."""
