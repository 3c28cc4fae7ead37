"""The texts of an evaluation, brought together from all processes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final, TypeVar, cast

import torch

from seqforge.errors import UserError

Row = TypeVar("Row")

# What the usual splitters leave in a text whose pieces were not joined again.
_PIECE: Final = re.compile(r"@@(?=\s|$)|▁")
_PIECES_ALLOWED: Final = 0.1


def gathered_rows(rows: Mapping[int, Row]) -> dict[int, Row]:
    """Return what all processes scored, the same on each of them, in the order of the numbers.

    All processes must call it, also one that has no row.

    Args:
        rows: What this process scored, by the numbers of the samples.

    Raises:
        ValueError: Two processes scored the same sample.
    """
    merged: dict[int, Row] = {}
    for part in _parts(rows):
        if shared := merged.keys() & part.keys():
            raise scored_twice(min(shared))
        merged.update(part)
    return dict(sorted(merged.items()))


def require_new(number: int, rows: Mapping[int, Any]) -> None:
    """Refuse a sample that must not be added.

    Args:
        number: The sample's number.
        rows: Those that this process scored before.

    Raises:
        ValueError: The number is negative, which is a filler's, or came before.
    """
    if number < 0:
        raise ValueError(f"sample {number} is a filler and must not be scored")
    if number in rows:
        raise scored_twice(number)


def scored_twice(number: int) -> ValueError:
    """Return the error that says that a sample would count twice."""
    return ValueError(f"sample {number} is scored twice: call reset() between two evaluations")


def require_scorable(hypotheses: Sequence[str]) -> None:
    """Refuse texts that cannot be scored.

    Args:
        hypotheses: All that was written in an evaluation.

    Raises:
        UserError: There is none, or more than a tenth of them are still split into pieces, which
            would count as words.
    """
    if not hypotheses:
        raise UserError(
            "there is no text to score",
            todo="give an evaluation part with at least one text",
        )
    split = [text for text in hypotheses if _PIECE.search(text)]
    if len(split) > _PIECES_ALLOWED * len(hypotheses):
        raise UserError(
            f"{len(split)} of {len(hypotheses)} texts are split into pieces, such as "
            f"'{split[0][:40]}'",
            todo="join the pieces ('@@' or '▁' marks them) to words before the texts are scored",
        )


def reference_streams(references: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return references as sacrebleu wants them.

    Args:
        references: For each text one or several.

    Returns:
        One whole document for the first reference of each text, one for the second, and so on.
    """
    # None stands where a text has fewer, which the library's documentation allows and its types
    # forget.
    documents = map(list, zip_longest(*references))
    return cast("list[list[str]]", list(documents))


def _parts(rows: Mapping[int, Row]) -> Sequence[Mapping[int, Row]]:
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [rows]
    parts: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(parts, rows)
    return parts
