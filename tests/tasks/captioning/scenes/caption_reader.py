"""Reads captions and checks them against where objects lie, without the generator's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

PHRASE = (
    r"(a|two|three) (small|large) (red|green|blue|yellow|purple|black) "
    r"(circle|square|triangle|diamond|cross|star)(s|es)?"
)
SINGLE = re.compile(PHRASE)
DOUBLE = re.compile(rf"{PHRASE} (left of|right of|above|below) {PHRASE}")
COUNTS = {"a": 1, "two": 2, "three": 3}


class Thing(NamedTuple):
    """An object as one sees it, the y axis down."""

    x: float
    y: float
    radius: float
    colour: str
    shape: str


def is_true(caption: str, things: Iterable[Thing]) -> bool:
    """Whether a caption is well-formed and true of all objects in a picture."""
    things = list(things)
    if single := SINGLE.fullmatch(caption):
        phrase = list(single.groups())
        return _agrees(phrase) and _count(phrase, things) == len(things) == COUNTS[phrase[0]]
    double = DOUBLE.fullmatch(caption)
    if double is None:
        return False
    words = list(double.groups())
    one, relation, other = words[:5], words[5], words[6:]
    first, second = _shown(one, things), _shown(other, things)
    return (
        _agrees(one)
        and _agrees(other)
        and len(first) == COUNTS[one[0]]
        and len(second) == COUNTS[other[0]]
        and len(first) + len(second) == len(things)
        and _related(first, relation, second)
    )


def _agrees(phrase: list[str]) -> bool:
    count, *_, shape, ending = phrase
    plural = "es" if shape == "cross" else "s"
    return bool(ending == (None if count == "a" else plural))


def _shown(phrase: list[str], things: list[Thing]) -> list[Thing]:
    _, size, colour, shape, _ = phrase
    return [
        each
        for each in things
        if (each.colour, each.shape) == (colour, shape)
        and (each.radius > 0.13) == (size == "large")
    ]


def _count(phrase: list[str], things: list[Thing]) -> int:
    return len(_shown(phrase, things))


def _related(first: list[Thing], relation: str, second: list[Thing]) -> bool:
    ahead, behind = (first, second) if relation in ("left of", "above") else (second, first)
    if relation in ("left of", "right of"):
        return max(e.x + e.radius for e in ahead) < min(e.x - e.radius for e in behind)
    return max(e.y + e.radius for e in ahead) < min(e.y - e.radius for e in behind)
