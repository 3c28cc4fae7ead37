"""The network as a search wants it: packed once, then one token after the other."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
import torch.nn.functional as F
from torch import Tensor

from seqforge.attention import DecoderState
from seqforge.decoding import StepOut
from seqforge.state import widen
from seqforge_tasks.translation.network import EncoderDecoder
from seqforge_tasks.translation.search_options import Precision


class NetworkStepper:
    """A `Step` of a translation network with its weights as they are now.

    In "bf16" the factors of matrix products are rounded to bfloat16, weights once, and summed in
    float32; features, gates and scores are rounded too. What is carried from step to step, the
    softmax of the attention, the log-softmax and all sums of log-probabilities stay float32.

    Args:
        network: The network; in training, its dropout would reach the source.
        precision: "fp32": as the network is; or "bf16".
    """

    def __init__(self, network: EncoderDecoder, precision: Precision = "fp32") -> None:
        self._network = network
        self._rounded = precision == "bf16"
        dtype = torch.bfloat16 if self._rounded else None
        self._advance = network.decoder.stepper(dtype)
        self._embedding = network.target_embedding.weight.detach()
        bias = network.head.bias.detach() + network.never
        self._weight = network.head.weight.detach().to(dtype or bias.dtype)  # (V, F)
        self._bias = bias.to(self._weight.dtype)  # (V,)

    def begin(self, source: Tensor, lengths: Tensor) -> DecoderState:
        """Read sources, `(B, S)` with `(B,)` lengths, and return the state of the first step."""
        with self._autocast(source.device):
            state = self._network.encode(source, lengths)
        return self._advance.begin(state)

    def __call__(self, tokens: Tensor, state: DecoderState) -> StepOut:
        """Read a token of each row `(N,)`; the log-probabilities `(N, V)` are float32 at least."""
        features, weights, state = self._advance(F.embedding(tokens, self._embedding), state)
        scores = F.linear(features, self._weight, self._bias)
        return StepOut(widen(scores).log_softmax(dim=1), state, weights)

    def _autocast(self, device: torch.device) -> AbstractContextManager[object]:
        return torch.autocast(device.type, torch.bfloat16, enabled=self._rounded)
