"""How a corpus is split, and how its parts are laid out in lanes."""

from __future__ import annotations

from fractions import Fraction

from seqforge.data import DocumentLanes, Lanes, Tokens
from seqforge.errors import UserError

VALIDATION_LANE = 1_000
"""Least tokens in a validation lane: each lane starts cold, and few should."""

AnyLanes = Lanes | DocumentLanes


def training_length(length: int, validation: float) -> int:
    """Return how much of a text is for training, rounded down.

    Args:
        length: Characters of the text.
        validation: The share that is not, taken as the decimal number that it is written as: 0.9
            of ten leave one, which binary fractions do not give.
    """
    return int(length * (1 - Fraction(repr(validation))))


def training_lanes(
    tokens: Tokens, starts: Tokens | None, lanes: int, seq_len: int, unit: str
) -> AnyLanes:
    """Return the training part in exactly as many lanes as were asked for.

    Args:
        tokens: The part (N,).
        starts: Where documents that are read one by one begin (D,); None: they are joined.
        lanes: Rows of every batch.
        seq_len: Steps in a chunk.
        unit: What messages call a token, in the plural.

    Raises:
        UserError: There is not a chunk for each lane.
    """
    length = len(tokens)
    if length < 2 or (starts is None and length - 1 < lanes * seq_len):
        raise _too_short(length, lanes, seq_len, unit)
    if starts is None:
        return Lanes(tokens, lanes, seq_len)
    documents = DocumentLanes(tokens, starts, lanes, seq_len)
    if documents.lanes < lanes:
        chunks = "1 chunk" if documents.lanes == 1 else f"{documents.lanes} chunks"
        raise UserError(
            f"the training text of {length} {unit} has {chunks} of at most {seq_len} {unit} "
            f"(seq_len), too few for {lanes} lanes (batch_size)",
            where="data",
            todo="give a longer text, a smaller seq_len, or a batch_size of at most "
            f"{documents.lanes}",
        )
    return documents


def validation_lanes(tokens: Tokens, starts: Tokens | None, lanes: int, seq_len: int) -> AnyLanes:
    """Return the validation part in lanes of at least `VALIDATION_LANE`, all of it.

    Args:
        tokens: The part (N,), at least two.
        starts: Where documents that are read one by one begin (D,); None: they are joined.
        lanes: Rows of every batch at most.
        seq_len: Steps in a chunk.
    """
    rows = max(1, min(lanes, (len(tokens) - 1) // VALIDATION_LANE))
    if starts is None:
        return Lanes(tokens, rows, seq_len, whole=True)
    return DocumentLanes(tokens, starts, rows, seq_len)


def _too_short(length: int, lanes: int, seq_len: int, unit: str) -> UserError:
    steps = length - 1
    if steps >= seq_len:
        todo = f"give a longer text, or a batch_size of at most {steps // seq_len}"
    else:
        shorter = f"a seq_len of at most {steps} with batch_size 1"
        todo = "give a longer text" + (f", or {shorter}" if steps > 0 else "")
    return UserError(
        f"the training text of {length} {unit} is too short for {lanes} "
        f"lanes (batch_size) of {seq_len} {unit} (seq_len)",
        where="data",
        todo=todo,
    )
