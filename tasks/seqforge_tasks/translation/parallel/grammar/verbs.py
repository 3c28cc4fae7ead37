"""The verbs of both languages in the present, and what they take."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, NamedTuple

from seqforge_tasks.translation.parallel.grammar.nouns import Kind


class Taste(Enum):
    """Which articles a verb's object takes."""

    SEEN = auto()
    """Any: "a cat", "the cat"."""
    KNOWN = auto()
    """Definite ones only."""
    LIKED = auto()
    """A whole kind too: "cats", French "les chats"."""
    EATEN = auto()
    """A part of a mass too: "bread", French "du pain"."""
    DRUNK = auto()
    """A mass only."""


class Verb(NamedTuple):
    """A verb in the present.

    Attributes:
        english: The base form, and that of "he".
        french: The forms of je, il, nous, ils.
        taste: Which articles its object takes.
        objects: What its object can be; nothing: it takes none.
        animals: An animal can do it.
    """

    english: tuple[str, str]
    french: tuple[str, str, str, str]
    taste: Taste = Taste.SEEN
    objects: tuple[Kind, ...] = ()
    animals: bool = False


def _verb(
    english: str,
    french: str,
    *objects: Kind,
    taste: Taste = Taste.SEEN,
    animals: bool = False,
) -> Verb:
    base, third = english.split(", ")
    first, single, we, they = french.split()
    return Verb((base, third), (first, single, we, they), taste, objects, animals)


def _regular(stem: str) -> str:
    return f"{stem}e {stem}e {stem}{'eons' if stem.endswith('g') else 'ons'} {stem}ent"


BE: Final = _verb("be, is", "suis est sommes sont")
"""To be; its English forms are told apart where a clause is made."""

HAVE: Final = _verb("have, has", "ai a avons ont", Kind.THING, Kind.READING, Kind.BOX, Kind.ANIMAL)
"""To have, which also tells an age in French."""

TRANSITIVE: Final = (
    HAVE,
    _verb(
        "see, sees",
        "vois voit voyons voient",
        Kind.PERSON,
        Kind.ANIMAL,
        Kind.THING,
        Kind.PLACE,
        animals=True,
    ),
    _verb("eat, eats", _regular("mang"), Kind.FOOD, taste=Taste.EATEN, animals=True),
    _verb("drink, drinks", "bois boit buvons boivent", taste=Taste.DRUNK, animals=True),
    _verb("read, reads", "lis lit lisons lisent", Kind.READING),
    _verb("write, writes", "écris écrit écrivons écrivent", Kind.READING),
    _verb("like, likes", _regular("aim"), *Kind, taste=Taste.LIKED, animals=True),
    _verb("hate, hates", _regular("détest"), *Kind, taste=Taste.LIKED, animals=True),
    _verb(
        "buy, buys",
        "achète achète achetons achètent",
        Kind.THING,
        Kind.READING,
        Kind.FOOD,
        Kind.ANIMAL,
        taste=Taste.EATEN,
    ),
    _verb("sell, sells", "vends vend vendons vendent", Kind.THING, Kind.FOOD, Kind.FURNITURE),
    _verb("want, wants", "veux veut voulons veulent", Kind.FOOD, Kind.THING, taste=Taste.EATEN),
    _verb(
        "look for, looks for",
        _regular("cherch"),
        Kind.PERSON,
        Kind.ANIMAL,
        Kind.THING,
        animals=True,
    ),
    _verb("find, finds", _regular("trouv"), Kind.THING, Kind.FOOD, Kind.READING, animals=True),
    _verb(
        "know, knows",
        "connais connaît connaissons connaissent",
        Kind.PERSON,
        Kind.PLACE,
        taste=Taste.KNOWN,
    ),
    _verb("hear, hears", "entends entend entendons entendent", Kind.ANIMAL, animals=True),
    _verb("open, opens", "ouvre ouvre ouvrons ouvrent", Kind.BOX, Kind.READING),
)
"""Verbs with an object."""

INTRANSITIVE: Final = (
    _verb("sleep, sleeps", "dors dort dormons dorment", animals=True),
    _verb("run, runs", "cours court courons courent", animals=True),
    _verb("sing, sings", _regular("chant"), animals=True),
    _verb("work, works", _regular("travaill")),
    _verb("swim, swims", _regular("nag"), animals=True),
)
"""Verbs without one."""

GIVING: Final = (
    _verb("give, gives", _regular("donn"), Kind.THING, Kind.READING, Kind.FOOD),
    _verb("show, shows", _regular("montr"), Kind.THING, Kind.READING, Kind.ANIMAL),
)
"""Verbs with an object and a person."""

GO: Final = _verb("go, goes", "vais va allons vont", animals=True)
"""To go, to a place."""

COME: Final = _verb("come, comes", "viens vient venons viennent", animals=True)
"""To come, from a place."""

COST: Final = _verb("cost, costs", _regular("coût"))
"""To cost, some euros."""

WEIGH: Final = _verb("weigh, weighs", "pèse pèse pesons pèsent")
"""To weigh, some kilos."""

LIVE: Final = _verb("live, lives", _regular("habit"))
"""To live, in a place."""
