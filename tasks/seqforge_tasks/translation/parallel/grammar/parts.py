"""Training, validation and test pairs of the grammar that share no sentence."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Final, Literal, get_args

from seqforge_tasks.translation.parallel.grammar.sentences import sentence_pair
from seqforge_tasks.translation.parallel.pair import Pair

Part = Literal["train", "validation", "test"]
"""A part of all sentences."""

PARTS: Final[tuple[Part, ...]] = get_args(Part)
"""All parts."""

# Of twenty sentences, eighteen are for training and one each for the other parts.
_SHARES: Final[tuple[Part, ...]] = (*PARTS[:1] * 18, *PARTS[1:])


# Of all sentences the first so many are kept once they are made: training goes through them, and
# then validation and test do.
_KEPT: Final = 2**14
_kept = lru_cache(maxsize=2 * _KEPT)(sentence_pair)


def part_of(source: str) -> Part:
    """Return the part that a sentence belongs to, whatever the seed: it follows from its text.

    So a stream of training pairs never holds a test sentence, however long it is.

    Args:
        source: The English sentence.
    """
    digest = blake2b(source.encode(), digest_size=8).digest()
    return _SHARES[int.from_bytes(digest, "big") % len(_SHARES)]


class EnglishFrenchPairs:
    """The first so many pairs of a part; a sentence may come again, as often as it is likely.

    Args:
        part: "train", "validation" or "test".
        count: How many pairs.
        seed: Which endless row of pairs they are chosen from.
        longer: Sentences of two or three clauses, longer than all others.

    Raises:
        ValueError: There is no such part, or the count is negative.
    """

    def __init__(self, part: Part, count: int, seed: int = 0, longer: bool = False) -> None:
        if part not in PARTS:
            raise ValueError(f"there is no part '{part}': it must be one of {', '.join(PARTS)}")
        if count < 0:
            raise ValueError(f"count is {count}: it must not be negative")
        self.part = part
        self.count = count
        self.seed = seed
        self.longer = longer

    @property
    def name(self) -> str:
        """The part, as a message calls it."""
        kind = "longer sentences" if self.longer else "sentences"
        return f"English-French {kind} ({self.part})"

    def pairs(self) -> Iterator[Pair]:
        """Yield the pairs; their lines are counted within the part, from 1 on."""
        return itertools.islice(self._numbered(), self.count)

    def _numbered(self) -> Iterator[Pair]:
        line = 0
        for index in itertools.count():
            make = _kept if index < _KEPT else sentence_pair
            pair = make(self.seed, index, self.longer)
            if part_of(pair.source) == self.part:
                line += 1
                yield pair._replace(line=line)
