"""Choices that follow from a key alone: the same on every machine and in every Python version."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

Choice = TypeVar("Choice")


class Draws:
    """A row of choices, taken one after another from the 512 bits of a key's hash.

    The hash is read as one long number whose digits, each to the base of its choice, are the
    choices. A clause takes less than 200 bits, so that all choices are as good as uniform. It is
    much quicker to set up than a random generator, of which each sentence would need a new one.

    Args:
        key: What the choices follow from.
    """

    def __init__(self, key: str) -> None:
        self._left = int.from_bytes(blake2b(key.encode()).digest(), "big")

    def below(self, count: int) -> int:
        """Return a number from 0 to `count - 1`."""
        self._left, digit = divmod(self._left, count)
        return digit

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """Return one of several, each as likely as another."""
        return choices[self.below(len(choices))]

    def chance(self, percent: int) -> bool:
        """Return true in so many of a hundred cases."""
        return self.below(100) < percent
