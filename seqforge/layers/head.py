"""The last linear map of a network, always in full precision."""

from __future__ import annotations

from torch import Tensor, nn

from seqforge.precision import full_precision


class Head(nn.Linear):
    """A linear layer that leaves autocast: scores and losses want float32.

    bfloat16 scores change which token is the likeliest with the size of the batch; the states that
    come in may well be bfloat16.

    Args:
        in_features: `H`.
        out_features: `V`.
        bias: Whether to add a bias.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Map `(…, H)` to scores `(…, V)` in the precision of the weights."""
        with full_precision(input.device):
            return super().forward(input.to(self.weight.dtype))
