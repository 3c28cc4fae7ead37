"""The last linear map of a network, always in full precision."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.layers.cross_entropy import CrossEntropy, head_cross_entropy
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

    def packed(
        self, offset: Tensor, dtype: torch.dtype | None = None
    ) -> Callable[[Tensor], Tensor]:
        """Return the map to scores, `(N, H)` to `(N, V)`, with the weights as they are now.

        Args:
            offset: `(V,)`, added to all scores: hugely negative for what is never written.
            dtype: What weights and scores are rounded to; None: they stay as they are.
        """
        bias = offset if self.bias is None else self.bias.detach() + offset
        weight = self.weight.detach().to(dtype or bias.dtype, copy=True)
        bias = bias.to(weight.dtype)
        kind = weight.device.type

        def scores(features: Tensor) -> Tensor:
            features = features.to(weight.dtype)
            if not torch.is_autocast_enabled(kind):
                return F.linear(features, weight, bias)
            with full_precision(weight.device):
                return F.linear(features, weight, bias)

        return scores

    def cross_entropy(
        self, features: Tensor, targets: Tensor, *, smoothing: float = 0.0, never: Tensor
    ) -> CrossEntropy:
        """Return the cross-entropy of the predictions; see `head_cross_entropy`."""
        return head_cross_entropy(self, features, targets, smoothing=smoothing, never=never)
