"""What is shown of a network while it learns to translate."""

from __future__ import annotations

from collections.abc import Sequence

from seqforge.task import Figure, Preview, Table, Text
from seqforge_tasks.translation.parallel import TranslationBatch
from seqforge_tasks.translation.pictures import attention_figure
from seqforge_tasks.translation.search_options import TranslationOptions
from seqforge_tasks.translation.translator import Candidate, Translator

SHOWN = 3
"""Sentences that each preview shows."""


def previews(
    translator: Translator,
    batch: TranslationBatch,
    options: TranslationOptions,
    remarks: Sequence[str],
) -> list[Preview]:
    """Return three translations beside source and reference, the scores, and attention.

    Args:
        translator: The network.
        batch: Of the validation part; the three are spread over it.
        options: How it is searched.
        remarks: Lines on the last scores; none are shown where there are none.
    """
    size = len(batch.source)
    count = min(SHOWN, size)
    chosen = [(2 * number + 1) * size // (2 * count) for number in range(count)]
    found = translator.search_batch(batch.source[chosen], batch.source_lengths[chosen], options)
    rows = [
        [batch.source_texts[row], batch.target_texts[row], each[0].text if each else ""]
        for row, each in zip(chosen, found, strict=True)
    ]
    shown: list[Preview] = [
        Table(("source", "reference", "translation"), rows, title="translations")
    ]
    if remarks:
        shown.append(Text("\n".join(remarks), title="scores"))
    written = [each[0] for each in found if each]
    if written:
        longest = max(written, key=_extent)
        picture = attention_figure(longest.source, longest.target, longest.attention)
        shown.append(Figure(picture, title="attention"))
    return shown


def _extent(candidate: Candidate) -> int:
    return len(candidate.source)
