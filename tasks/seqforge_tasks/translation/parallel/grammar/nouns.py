"""The nouns of both languages, by what they stand for."""

from __future__ import annotations

from enum import Enum, auto
from functools import cache
from typing import Final, NamedTuple


class Kind(Enum):
    """What a noun stands for: it decides which verbs, adjectives and places go with it."""

    PERSON = auto()
    ANIMAL = auto()
    THING = auto()
    READING = auto()
    BOX = auto()
    FURNITURE = auto()
    FOOD = auto()
    PLACE = auto()


class Noun(NamedTuple):
    """A noun that can be counted.

    Attributes:
        kind: What it stands for.
        feminine: Its gender in French.
        english: Singular and plural.
        french: Singular and plural.
    """

    kind: Kind
    feminine: bool
    english: tuple[str, str]
    french: tuple[str, str]


class Mass(NamedTuple):
    """A noun that cannot be counted: something to eat or to drink.

    Attributes:
        feminine: Its gender in French.
        english: The noun.
        french: The noun.
    """

    feminine: bool
    english: str
    french: str


_MASCULINE: Final = {
    Kind.PERSON: "boy garçon, man homme, child enfant, teacher professeur, friend ami, king roi, "
    "doctor médecin, brother frère, uncle oncle, hero héros",
    Kind.ANIMAL: "cat chat, dog chien, horse cheval, bird oiseau, owl hibou, rabbit lapin, "
    "wolf loup, animal animal",
    Kind.THING: "tree arbre, hat chapeau, boat bateau, jewel bijou, gift cadeau, coat manteau",
    Kind.READING: "book livre, newspaper journal",
    Kind.BOX: "bag sac",
    Kind.FURNITURE: "bed lit",
    Kind.FOOD: "egg œuf, cake gâteau",
    Kind.PLACE: "garden jardin, park parc, hotel hôtel, hospital hôpital, castle château, "
    "village village",
}

_FEMININE: Final = {
    Kind.PERSON: "girl fille, woman femme, queen reine, sister sœur, mother mère, aunt tante",
    Kind.ANIMAL: "mouse souris, cow vache, bee abeille",
    Kind.THING: "car voiture, flower fleur, axe hache, lamp lampe, key clé, clock horloge",
    Kind.READING: "letter lettre",
    Kind.BOX: "box boîte",
    Kind.FURNITURE: "table table, chair chaise",
    Kind.FOOD: "apple pomme, orange orange",
    Kind.PLACE: "house maison, school école, city ville, church église, kitchen cuisine",
}

_PLURALS: Final = {
    "man": "men",
    "woman": "women",
    "child": "children",
    "mouse": "mice",
    "wolf": "wolves",
    "hero": "heroes",
    "bijou": "bijoux",
    "hibou": "hiboux",
}


def english_plural(noun: str) -> str:
    """Return the plural of an English noun of the lexicon."""
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def french_plural(word: str) -> str:
    """Return the plural of a French noun or adjective of the lexicon."""
    if word in _PLURALS:
        return _PLURALS[word]
    if word.endswith(("s", "x", "z")):
        return word
    if word.endswith("al"):
        return f"{word[:-1]}ux"
    return f"{word}x" if word.endswith("eau") else f"{word}s"


def _read(table: dict[Kind, str], feminine: bool) -> list[Noun]:
    nouns = []
    for kind, words in table.items():
        for entry in words.split(", "):
            english, french = entry.split()
            forms = (english, english_plural(english)), (french, french_plural(french))
            nouns.append(Noun(kind, feminine, *forms))
    return nouns


NOUNS: Final = tuple(_read(_MASCULINE, feminine=False) + _read(_FEMININE, feminine=True))
"""All nouns that can be counted."""

DISHES: Final = (
    Mass(False, "bread", "pain"),
    Mass(False, "cheese", "fromage"),
    Mass(True, "meat", "viande"),
    Mass(True, "soup", "soupe"),
)
"""What is eaten."""

DRINKS: Final = (
    Mass(True, "water", "eau"),
    Mass(False, "milk", "lait"),
    Mass(False, "coffee", "café"),
    Mass(False, "tea", "thé"),
)
"""What is drunk."""

NAMES: Final = (
    ("Paul", False),
    ("Louis", False),
    ("Adrien", False),
    ("Marie", True),
    ("Anne", True),
    ("Alice", True),
)
"""First names, and whether they are a woman's."""


@cache
def nouns_of(*kinds: Kind) -> tuple[Noun, ...]:
    """Return the nouns of some kinds."""
    return tuple(noun for noun in NOUNS if noun.kind in kinds)
