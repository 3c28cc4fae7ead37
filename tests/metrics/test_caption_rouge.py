from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.metrics.caption_rouge import caption_rouge_l, longest_common_subsequence

CAPTIONS = st.lists(st.sampled_from("abcd"), max_size=7)


def longest(first: list[str], second: list[str]) -> int:
    """By trying all subsequences."""
    both = (
        {words for size in range(len(text) + 1) for words in combinations(text, size)}
        for text in (first, second)
    )
    return max(map(len, set.intersection(*both)))


@given(first=CAPTIONS, second=CAPTIONS)
@settings(max_examples=150, deadline=None)
def test_no_common_subsequence_is_longer(first: list[str], second: list[str]) -> None:
    assert longest_common_subsequence(first, second) == longest(first, second)


@pytest.mark.parametrize(
    ("hypothesis", "references", "expected"),
    [
        ("a b c", ["a b c"], 1.0),
        ("a b c", ["d e"], 0.0),
        ("", ["a"], 0.0),
        ("", [""], 0.0),
        ("a", ["", "a"], 1.0),
        # P = 2/4 and R = 2/2, each the best of its own reference.
        ("a x b y", ["a b", "c d"], 2.44 * 0.5 / (1 + 1.44 * 0.5)),
        # P = 3/3 from the first, R = 1/1 from the second.
        ("a b c", ["a b c d e f", "c"], 1.0),
    ],
)
def test_precision_and_recall_are_the_best_of_the_references(
    hypothesis: str, references: list[str], expected: float
) -> None:
    found = caption_rouge_l(hypothesis.split(), [each.split() for each in references])

    assert found == pytest.approx(expected)


@given(hypothesis=CAPTIONS, references=st.lists(CAPTIONS, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_more_references_never_hurt(hypothesis: list[str], references: list[list[str]]) -> None:
    few, many = (caption_rouge_l(hypothesis, each) for each in (references[:1], references))

    assert 0 <= few <= many + 1e-12 <= 1 + 2e-12
