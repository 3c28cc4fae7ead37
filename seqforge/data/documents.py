"""Lanes in which every document starts afresh, at the beginning of a chunk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqforge.data.lanes import TokenChunk, Tokens, token_chunk
from seqforge.data.plan import LanePlan


class DocumentLanes:
    """Documents of a token stream as lanes of chunks; the state is reset where one begins.

    A fused recurrent call cannot reset its state in the middle of a row, so each document starts at
    a chunk's start and its last chunk is padded. Chunks keep their order and are dealt out to the
    lanes in contiguous runs; the last lanes may end with empty chunks. Every token of the stream
    but its first is a target: a document's first token is predicted from the last one of the
    document before, its end mark, on a fresh state.

    Args:
        tokens: The stream (N,).
        starts: Where each document begins, ascending, the first at 0.
        lanes: Rows of every batch; fewer where there are fewer chunks than lanes.
        seq_len: Steps in a chunk.

    Raises:
        ValueError: There are not two tokens, or the starts are not ascending from 0.
    """

    def __init__(self, tokens: Tokens, starts: ArrayLike, lanes: int, seq_len: int) -> None:
        begins: NDArray[np.int64] = np.asarray(starts, dtype=np.int64)
        if len(tokens) < 2:
            raise ValueError(f"{len(tokens)} tokens are too few: nothing can be predicted")
        if not len(begins) or begins[0] != 0 or (begins[1:] <= begins[:-1]).any():
            raise ValueError("documents must start in ascending order, the first one at 0")
        self.tokens = tokens
        self.seq_len = seq_len
        # The step at position p reads token p and predicts token p + 1, in whose document it is.
        # Kept are two numbers for each document, none for a chunk: there may be very many.
        edges = np.append(begins, len(tokens))
        edges -= 1
        first = 1 if edges[1] == 0 else 0  # a first document of one token has no step of its own
        edges[first] = 0
        self._edges = edges[first:]
        counts = np.diff(self._edges)
        counts += seq_len - 1
        counts //= seq_len
        self._ends = np.cumsum(counts, out=counts)  # chunks up to each document's end
        chunks = int(self._ends[-1])
        self.lanes = min(lanes, chunks)
        self.plan = LanePlan(self.lanes, -(-chunks // self.lanes))

    def __getitem__(self, number: int) -> TokenChunk:
        if number >= self._ends[-1]:
            return token_chunk(self.tokens, 0, 0, self.seq_len, start=True)
        document = int(np.searchsorted(self._ends, number, side="right"))
        within = number - (int(self._ends[document - 1]) if document else 0)
        first = int(self._edges[document]) + within * self.seq_len
        length = min(self.seq_len, int(self._edges[document + 1]) - first)
        start = within == 0 or number % self.plan.chunks == 0
        return token_chunk(self.tokens, first, length, self.seq_len, start)

    def padding(self) -> float:
        """Return the share of all steps that is padding, 0 to 1."""
        return 1.0 - (len(self.tokens) - 1) / (self.plan.lanes * self.plan.chunks * self.seq_len)


def document_starts(text: str, end: str) -> Sequence[int]:
    """Return where documents begin in a text: at 0 and after each end mark.

    Args:
        text: All documents, one after the other.
        end: What ends a document, such as an empty line; it stays part of it.

    Raises:
        ValueError: The end mark is empty.
    """
    if not end:
        raise ValueError("the mark that ends a document must not be empty")
    starts = [0]
    found = text.find(end)
    while found >= 0 and found + len(end) < len(text):
        starts.append(found + len(end))
        found = text.find(end, starts[-1])
    return starts
