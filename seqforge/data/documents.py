"""Lanes in which every document starts afresh, at the beginning of a chunk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqforge.data.lanes import TokenChunk, Tokens, token_chunk
from seqforge.data.plan import LanePlan

GROUP = 256
"""Documents whose chunks are counted again at every access; kept is one number for each group."""

READ = 2**16
"""Documents that are read at a time, a multiple of `GROUP`."""


class DocumentLanes:
    """Documents of a token stream as lanes of chunks; the state is reset where one begins.

    A fused recurrent call cannot reset its state in the middle of a row, so each document starts at
    a chunk's start and its last chunk is padded. Chunks keep their order and are dealt out to the
    lanes in contiguous runs; the last lanes may end with empty chunks. Every token of the stream
    but its first is a target: a document's first token is predicted from the last one of the
    document before, its end mark, on a fresh state.

    Args:
        tokens: The stream (N,).
        starts: Where each document begins (D,), ascending, the first at 0: an array, or a file
            that is mapped. There may be very many: they are read in blocks and not kept.
        lanes: Rows of every batch; fewer where there are fewer chunks than lanes.
        seq_len: Steps in a chunk.

    Raises:
        ValueError: There are not two tokens, or the starts are not ascending from 0.
    """

    def __init__(self, tokens: Tokens, starts: Tokens, lanes: int, seq_len: int) -> None:
        if len(tokens) < 2:
            raise ValueError(f"{len(tokens)} tokens are too few: nothing can be predicted")
        if not len(starts) or starts[:1][0] != 0:
            raise ValueError("documents must start in ascending order, the first one at 0")
        self.tokens = tokens
        self.seq_len = seq_len
        self._starts = starts
        chunks = [np.zeros(1, dtype=np.int64)]
        for first in range(0, len(starts), READ):
            counts = self._counts(self._edges(first, first + READ))
            chunks.append(np.add.reduceat(counts, np.arange(0, len(counts), GROUP)))
        self._before = np.cumsum(np.concatenate(chunks))  # chunks before each group of documents
        total = int(self._before[-1])
        self.lanes = min(lanes, total)
        self.plan = LanePlan(self.lanes, -(-total // self.lanes))

    def __getitem__(self, number: int) -> TokenChunk:
        if number >= self._before[-1]:
            return token_chunk(self.tokens, 0, 0, self.seq_len, start=True)
        group = int(np.searchsorted(self._before, number, side="right")) - 1
        edges = self._edges(group * GROUP, (group + 1) * GROUP)
        ends = np.cumsum(self._counts(edges)) + self._before[group]
        document = int(np.searchsorted(ends, number, side="right"))
        within = number - int(ends[document - 1] if document else self._before[group])
        first = int(edges[document]) + within * self.seq_len
        length = min(self.seq_len, int(edges[document + 1]) - first)
        start = within == 0 or number % self.plan.chunks == 0
        return token_chunk(self.tokens, first, length, self.seq_len, start)

    def _edges(self, first: int, last: int) -> NDArray[np.int64]:
        """Return the steps at which documents begin, and at which the last of them ends."""
        # The step at position p reads token p and predicts token p + 1, in whose document it is.
        # A first document of one token has no step, hence no chunk.
        edges = np.asarray(self._starts[first : last + 1], dtype=np.int64)
        if last >= len(self._starts):
            edges = np.append(edges, len(self.tokens))
        if (edges[1:] <= edges[:-1]).any():
            raise ValueError("documents must start in ascending order, the first one at 0")
        return np.maximum(edges - 1, 0)

    def _counts(self, edges: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the chunks of each document."""
        return (np.diff(edges) + (self.seq_len - 1)) // self.seq_len

    def padding(self) -> float:
        """Return the share of all steps that is padding, 0 to 1."""
        return 1.0 - (len(self.tokens) - 1) / (self.plan.lanes * self.plan.chunks * self.seq_len)
