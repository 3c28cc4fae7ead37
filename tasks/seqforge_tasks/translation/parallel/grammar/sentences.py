"""Sentence pairs, each from a seed and a number alone."""

from __future__ import annotations

from typing import Final

from seqforge_tasks.translation.parallel.grammar import templates
from seqforge_tasks.translation.parallel.grammar.clauses import Clause, Words
from seqforge_tasks.translation.parallel.grammar.constituents import TIMES
from seqforge_tasks.translation.parallel.grammar.draws import Draws
from seqforge_tasks.translation.parallel.grammar.orthography import capitalised, elided
from seqforge_tasks.translation.parallel.pair import Pair

SHORTEST: Final = 3
"""Words in the shortest English sentence."""

LONGEST: Final = 14
"""Words in the longest English sentence; the longer ones have more than these."""

# Actions, which a time can stand beside, and all the others.
_TIMED: Final = (
    *[templates.action] * 9,
    *[templates.rest] * 3,
    *[templates.giving] * 2,
    *[templates.journey] * 3,
)
_TIMELESS: Final = (
    *[templates.description] * 5,
    *[templates.location] * 3,
    *[templates.existence] * 3,
    *[templates.amount] * 3,
    templates.identity,
    *[templates.noun_alone] * 2,
)
_TEMPLATES: Final = (*_TIMED, *_TIMELESS)
_JOINED: Final = tuple(each for each in _TEMPLATES if each is not templates.noun_alone)

_CONJUNCTIONS: Final = (
    Words(" and", " et"),
    Words(", but", ", mais"),
    Words(" because", " parce que"),
)


def sentence_pair(seed: int, index: int, longer: bool = False) -> Pair:
    """Return an English sentence and its French translation.

    It is a pure function: the same numbers give the same pair in every process and run. In this
    grammar every English sentence has one translation only.

    Args:
        seed: Which endless row of pairs.
        index: Which pair of it, from 0 on.
        longer: Two or three clauses, joined to more English words than any sentence has otherwise.
    """
    attempt = 0
    while True:
        key = f"{seed}/{index}/{attempt}"
        english, french = _joined(key) if longer else _single(Draws(key))
        words = english.count(" ") + 1
        if words > LONGEST if longer else SHORTEST <= words <= LONGEST:
            return Pair(english, french, index + 1)
        attempt += 1


def _single(draws: Draws) -> Words:
    template = draws.pick(_TEMPLATES)
    made = template(draws)
    timed = draws.below(20) if template in _TIMED else 20
    if timed >= 6:
        return _finished(made)
    time = draws.pick(TIMES)
    if timed >= 4 and not made.asks:
        return _finished(
            made._replace(
                english=f"{time.english}, {made.english}", french=f"{time.french}, {made.french}"
            )
        )
    return _finished(
        made._replace(
            english=f"{made.english} {time.english}", french=f"{made.french} {time.french}"
        )
    )


def _joined(key: str) -> Words:
    draws = Draws(f"{key}/joints")
    made = _stated(f"{key}/first")
    for number in range(1 + draws.below(2)):
        joint, other = draws.pick(_CONJUNCTIONS), _stated(f"{key}/{number}")
        head, _, last = joint.french.rpartition(" ")
        behind = elided(last, other.french) if last == "que" else f"{last} {other.french}"
        made = Clause(
            f"{made.english}{joint.english} {other.english}", f"{made.french}{head} {behind}"
        )
    return _finished(made)


def _stated(key: str) -> Clause:
    attempt = 0
    while True:
        draws = Draws(f"{key}/{attempt}")
        made = draws.pick(_JOINED)(draws)
        if not made.asks:
            return made
        attempt += 1


def _finished(made: Clause) -> Words:
    # French sets a space before the question mark.
    english, french = ("?", " ?") if made.asks else (".", ".")
    return Words(capitalised(made.english) + english, capitalised(made.french) + french)
