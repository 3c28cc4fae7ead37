"""ROUGE-L of captions: the longest run of words that a caption shares with its references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BETA: Final = 1.2
"""How much more recall counts than precision."""


def caption_rouge_l(hypothesis: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the ROUGE-L of one caption (Lin, ACL 2004), as the evaluation of COCO has it.

    `(1 + β²) P R / (R + β² P)` with β = 1.2, where P and R are the shares of the caption's and of a
    reference's words that are in their longest common subsequence: each the highest over the
    references, which need not be the same one's.

    Args:
        hypothesis: The words of the caption, as `caption_tokens` gives them. Without any it scores
            nothing.
        references: The words of each reference.

    Returns:
        From 0 to 1.
    """
    shared = [(longest_common_subsequence(hypothesis, words), len(words)) for words in references]
    longest = max((length for length, _ in shared), default=0)
    if longest == 0:
        return 0.0
    precision = longest / len(hypothesis)
    recall = max(length / size for length, size in shared if size)
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def longest_common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Return how many words two texts share in the same order, others between them or not."""
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for place, other in enumerate(second, start=1):
            above = row[place]
            row[place] = diagonal + 1 if word == other else max(above, row[place - 1])
            diagonal = above
    return row[-1]
