"""A token stream in windows that are read one by one, each on a fresh state."""

from __future__ import annotations

from seqforge.data.lanes import TokenChunk, Tokens, token_chunk
from seqforge.data.plan import SequentialPlan


class ColdWindows:
    """Windows of a stream that do not overlap, none of which knows what came before it.

    It is the protocol of models with a fixed context, so that a recurrent one can be compared with
    them. Every token of the stream but its first is a target once; the last window is padded.

    Args:
        tokens: The stream (N,).
        window: Steps in a window.
        batch_size: Windows in a batch; the last one may have fewer.

    Raises:
        ValueError: There are not two tokens, or a number is not positive.
    """

    def __init__(self, tokens: Tokens, window: int, batch_size: int) -> None:
        if len(tokens) < 2 or window < 1:
            raise ValueError(f"{len(tokens)} tokens cannot be cut into windows of {window}")
        self.tokens = tokens
        self.window = window
        self.plan = SequentialPlan(-(-(len(tokens) - 1) // window), batch_size)

    def __getitem__(self, number: int) -> TokenChunk:
        first = number * self.window
        length = min(self.window, len(self.tokens) - 1 - first)
        return token_chunk(self.tokens, first, length, self.window, start=True)
