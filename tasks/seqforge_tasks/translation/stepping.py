"""The network as a search wants it: packed once, then one token after the other."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from torch import Tensor

from seqforge.attention import DecoderState, TokenStepper
from seqforge.decoding import StepOut
from seqforge_tasks.translation.network import EncoderDecoder
from seqforge_tasks.translation.search_options import Precision


class NetworkStepper:
    """A `Step` of a translation network with its weights as they are now; see `TokenStepper`.

    Args:
        network: The network; in training, its dropout would reach the source.
        precision: "fp32": as the network is; or "bf16": the weights are rounded, and the source is
            read in mixed precision.
    """

    def __init__(self, network: EncoderDecoder, precision: Precision = "fp32") -> None:
        self._network = network
        self._rounded = precision == "bf16"
        dtype = torch.bfloat16 if self._rounded else None
        self._tokens = TokenStepper(
            network.decoder,
            network.target_embedding,
            network.head,
            network.never_written,
            dtype,
        )

    def begin(self, source: Tensor, lengths: Tensor) -> DecoderState:
        """Read sources, `(B, S)` with `(B,)` lengths, and return the state of the first step."""
        with self._autocast(source.device):
            state = self._network.encode(source, lengths)
        return self._tokens.begin(state)

    def __call__(self, tokens: Tensor, state: DecoderState) -> StepOut:
        """Read a token of each row `(N,)`; the log-probabilities `(N, V)` are float32 at least."""
        return self._tokens(tokens, state)

    def _autocast(self, device: torch.device) -> AbstractContextManager[object]:
        return torch.autocast(device.type, torch.bfloat16, enabled=self._rounded)
