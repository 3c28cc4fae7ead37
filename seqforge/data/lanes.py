"""One long token stream cut into contiguous lanes, for truncated backpropagation through time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqforge.data.batch import Batch
from seqforge.data.plan import LanePlan


class Tokens(Protocol):
    """A long row of numbers, such as an array, a memory map or a part of an encoded corpus."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> NDArray[np.integer[Any]]: ...


class TokenChunk(NamedTuple):
    """`seq_len` tokens of a lane and the tokens that follow each of them.

    Attributes:
        inputs: Tokens (T,), padded on the right with 0.
        targets: The next tokens (T,), padded with 0.
        length: How many of the T are real.
        start: True where the lane begins, hence the carried state must be reset.
    """

    inputs: Tensor
    targets: Tensor
    length: int
    start: bool


@dataclass(kw_only=True)
class TokenBatch(Batch):
    """A batch of chunks.

    Attributes:
        inputs: Tokens (B, T).
        targets: The token that follows each input token (B, T).
        lengths: Real steps of each row (B,); the rest is padding on the right.
    """

    inputs: Tensor
    targets: Tensor
    lengths: Tensor

    def size(self) -> tuple[int, str]:
        """Return the number of tokens, without padding."""
        return int(self.lengths.sum()), "tokens"


def token_chunk(tokens: Tokens, first: int, length: int, seq_len: int, start: bool) -> TokenChunk:
    """Return `length` steps of a stream from position `first` on, padded to `seq_len`."""
    window = np.zeros(seq_len + 1, dtype=np.int64)
    if length:
        window[: length + 1] = tokens[first : first + length + 1]
    inputs, targets = torch.from_numpy(window[:-1].copy()), torch.from_numpy(window[1:].copy())
    inputs[length:] = 0
    return TokenChunk(inputs, targets, length, start)


class Lanes:
    """A token stream as `lanes` contiguous parts, each read in chunks of `seq_len` steps.

    Every token but the stream's first is a target. With `whole=False` each lane is cut to whole
    chunks and the few tokens left over at the stream's end are dropped, as the field does in
    training; with `whole=True` nothing is dropped, the last chunks are padded instead: for scores.

    Args:
        tokens: The stream (N,).
        lanes: Number of parts, the rows of every batch.
        seq_len: Steps in a chunk.
        whole: Keep every token and pad.

    Raises:
        ValueError: The stream is too short to give every lane its first chunk.
    """

    def __init__(self, tokens: Tokens, lanes: int, seq_len: int, whole: bool = False) -> None:
        steps = len(tokens) - 1
        if steps < lanes * (1 if whole else seq_len):
            raise ValueError(
                f"{len(tokens)} tokens are too few for {lanes} lanes of at least {seq_len} steps: "
                "use a smaller batch_size, a smaller seq_len or more text"
            )
        self.tokens = tokens
        self.seq_len = seq_len
        self.lane_length = -(-steps // lanes) if whole else steps // lanes // seq_len * seq_len
        # Rounding up may leave the last lanes of a short stream empty: do without them.
        self.lanes = -(-steps // self.lane_length) if whole else lanes
        self.plan = LanePlan(self.lanes, -(-self.lane_length // seq_len))

    def __getitem__(self, number: int) -> TokenChunk:
        lane, chunk = divmod(number, self.plan.chunks)
        lane_end = min((lane + 1) * self.lane_length, len(self.tokens) - 1)
        first = lane * self.lane_length + chunk * self.seq_len
        length = max(0, min(self.seq_len, lane_end - first))
        return token_chunk(self.tokens, first, length, self.seq_len, start=chunk == 0)

    @staticmethod
    def collate(numbers: Sequence[int], chunks: list[TokenChunk]) -> TokenBatch:
        """Make a batch (B, T) of chunks."""
        return TokenBatch(
            ids=torch.tensor(numbers),
            starts=torch.tensor([chunk.start for chunk in chunks]),
            inputs=torch.stack([chunk.inputs for chunk in chunks]),
            targets=torch.stack([chunk.targets for chunk in chunks]),
            lengths=torch.tensor([chunk.length for chunk in chunks]),
        )
