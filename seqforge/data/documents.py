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
        tokens: The stream (N,): an array or a memory map.
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
        if not len(begins) or begins[0] != 0 or (np.diff(begins) <= 0).any():
            raise ValueError("documents must start in ascending order, the first one at 0")
        self.tokens = tokens
        self.seq_len = seq_len
        # The step at position p reads token p and predicts token p + 1, in whose document it is.
        edges = np.append(np.maximum(begins - 1, 0), len(tokens) - 1)
        self._firsts, self._lengths, self._begins = _chunks(edges, seq_len)
        self.lanes = min(lanes, len(self._firsts))
        self.plan = LanePlan(self.lanes, -(-len(self._firsts) // self.lanes))

    def __getitem__(self, number: int) -> TokenChunk:
        if number >= len(self._firsts):
            return token_chunk(self.tokens, 0, 0, self.seq_len, start=True)
        start = bool(self._begins[number]) or number % self.plan.chunks == 0
        return token_chunk(
            self.tokens, int(self._firsts[number]), int(self._lengths[number]), self.seq_len, start
        )

    def padding(self) -> float:
        """Return the share of all steps that is padding, 0 to 1."""
        return 1.0 - float(self._lengths.sum()) / (
            self.plan.lanes * self.plan.chunks * self.seq_len
        )


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


def _chunks(
    edges: NDArray[np.int64], seq_len: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return first step, length and "begins a document" of every chunk."""
    sizes = np.diff(edges)
    edges, sizes = edges[:-1][sizes > 0], sizes[sizes > 0]
    counts = -(-sizes // seq_len)  # chunks of each document
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    firsts = np.repeat(edges, counts) + within * seq_len
    lengths = np.minimum(seq_len, np.repeat(edges + sizes, counts) - firsts)
    return firsts, lengths, within == 0
