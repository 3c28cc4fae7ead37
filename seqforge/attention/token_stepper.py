"""An attention decoder as a search wants it: a token in, the chances of the next one out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.attention.decoder import AttentionDecoder
from seqforge.attention.decoder_state import DecoderState
from seqforge.decoding import StepOut
from seqforge.layers import TokenHead
from seqforge.state import widen


class TokenStepper:
    """A `Step` of an attention decoder with its embeddings and its head, as their weights are now.

    In a lower precision the factors of matrix products are rounded, weights once, and summed in
    float32; features, gates and scores are rounded too. What is carried from step to step, the
    softmax of the attention, the log-softmax and all sums of log-probabilities stay float32.

    Args:
        decoder: Reads tokens and attends to the source.
        embedding: Of the tokens, `(V, E)`.
        head: From the decoder's features to the scores of `V` tokens.
        never: Numbers of tokens that are never written, such as padding.
        dtype: What the weights are rounded to, such as `torch.bfloat16`; None: they stay as they
            are.
    """

    def __init__(
        self,
        decoder: AttentionDecoder,
        embedding: nn.Embedding,
        head: TokenHead,
        never: Sequence[int] = (),
        dtype: torch.dtype | None = None,
    ) -> None:
        self._advance = decoder.stepper(dtype)
        self._embedding = embedding.weight.detach()
        offset = never_mask(never, head.weight.new_zeros(len(self._embedding)))
        self._scores = head.packed(offset, dtype)

    def begin(self, state: DecoderState) -> DecoderState:
        """Make the state from `AttentionDecoder.start` one that these steps can go on from."""
        return self._advance.begin(state)

    def __call__(self, tokens: Tensor, state: DecoderState) -> StepOut:
        """Read a token of each row `(N,)`; the log-probabilities `(N, V)` are float32 at least."""
        features, weights, state = self._advance(F.embedding(tokens, self._embedding), state)
        return StepOut(widen(self._scores(features)).log_softmax(dim=1), state, weights)


def never_mask(never: Sequence[int], like: Tensor) -> Tensor:
    """Return what is added to scores `(V,)`: hugely negative for tokens that are never written."""
    mask = torch.zeros_like(like)
    mask[list(never)] = torch.finfo(torch.float32).min / 2  # finite in every precision
    return mask
