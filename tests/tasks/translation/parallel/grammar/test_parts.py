from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seqforge_tasks.translation.parallel.grammar import (
    PARTS,
    EnglishFrenchPairs,
    Part,
    part_of,
    sentence_pair,
)


def sources(part: Part, count: int, seed: int = 0) -> list[str]:
    return [pair.source for pair in EnglishFrenchPairs(part, count, seed).pairs()]


def test_parts_share_no_sentence_whatever_the_seed() -> None:
    train, validation, test = (
        set(sources(part, count, seed))
        for seed, (part, count) in enumerate(zip(PARTS, (10_000, 300, 300), strict=True))
    )

    assert train.isdisjoint(validation)
    assert train.isdisjoint(test)
    assert validation.isdisjoint(test)


def test_a_part_follows_from_the_text() -> None:
    # Written down: another rule would move sentences from training into a test made before.
    known = {
        "I sleep on the chair.": "train",
        "In the morning, her friend has the strong animal.": "validation",
        "A king sees a car.": "test",
    }

    assert {source: part_of(source) for source in known} == known
    shares = [part_of(str(number)) for number in range(20_000)]
    assert [shares.count(part) / 20_000 for part in PARTS] == pytest.approx(
        [0.9, 0.05, 0.05], abs=0.01
    )


def test_parts_have_the_same_lengths() -> None:
    train, test = (lengths("train"), lengths("test"))

    assert np.abs(train - test).max() < 0.04


def lengths(part: Part) -> NDArray[np.float64]:
    """The share of each number of words."""
    return np.bincount([len(source.split()) for source in sources(part, 1500)], minlength=15) / 1500


def test_pairs_come_in_the_order_of_their_stream() -> None:
    pairs = EnglishFrenchPairs("validation", 5, seed=7)
    stream = (sentence_pair(7, index) for index in itertools.count())
    expected = [pair for pair in itertools.islice(stream, 1000) if is_validation(pair.source)][:5]

    assert list(pairs.pairs()) == [
        pair._replace(line=line) for line, pair in enumerate(expected, 1)
    ]
    assert list(pairs.pairs()) == list(pairs.pairs())


def is_validation(source: str) -> bool:
    return part_of(source) == "validation"


def test_longer_ones_are_a_part_too() -> None:
    pairs = EnglishFrenchPairs("test", 50, longer=True)

    assert all(part_of(pair.source) == "test" for pair in pairs.pairs())
    assert min(len(pair.source.split()) for pair in pairs.pairs()) > 14
    assert pairs.name == "English-French longer sentences (test)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("valid", 5), "no part 'valid': it must be one of train, validation, test"),
        (("test", -1), "count is -1"),
    ],
)
def test_what_there_is_not_is_refused(arguments: tuple[Any, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EnglishFrenchPairs(*arguments)
