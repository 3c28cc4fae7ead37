"""Head and cross-entropy in one, for large vocabularies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqforge.precision import full_precision

if TYPE_CHECKING:
    from seqforge.layers.head import Head

ROWS = 512
"""Predictions at a time: their scores should stay in the processor's cache."""


class CrossEntropy(NamedTuple):
    """Sums over all predictions, in nats.

    Attributes:
        smoothed: What is optimised, with gradient.
        likelihood: The plain negative log-likelihood, without gradient.
    """

    smoothed: Tensor
    likelihood: Tensor


def head_cross_entropy(
    head: Head,
    features: Tensor,
    targets: Tensor,
    *,
    smoothing: float = 0.0,
    never: Tensor | None = None,
) -> CrossEntropy:
    """Return the cross-entropy of a head's predictions, with label smoothing.

    `sum_n (1 - e) (-log p(y_n)) + e mean_v (-log p(v))` (Szegedy et al. 2016, section 7). The
    mean runs over what can be predicted: no mass is put on padding. Scores and losses are float32,
    whatever the precision of the features; under autocast the products that make the gradients are
    in its precision, as everywhere else in the network.

    The scores `(N, V)` are never all there at once. A few rows at a time, they are turned into
    their own gradient in place, as soon as they are known: autograd would write and read the whole
    matrix about ten times.

    Args:
        head: Maps features to scores.
        features: `(N, F)`.
        targets: `(N,)` int64.
        smoothing: `e`, in [0, 1).
        never: `(V,)` bool, True for what is never predicted: it takes no part in the softmax.

    Returns:
        The sums; the gradient can be taken once.
    """
    if never is None:
        never = torch.zeros(len(head.weight), dtype=torch.bool, device=head.weight.device)
    device = features.device.type
    low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    with full_precision(features.device):
        features = features.to(head.weight.dtype)
        smoothed, likelihood = _HeadCrossEntropy.apply(  # type: ignore[no-untyped-call]
            features,
            head.weight,
            head.bias,
            targets,
            never,
            smoothing,
            low or features.dtype,
            torch.is_grad_enabled(),  # inside the function it never is
        )
    return CrossEntropy(smoothed, likelihood)


class _HeadCrossEntropy(torch.autograd.Function):
    """Computes loss and gradients together; the backward pass only scales them."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        never: Tensor,
        smoothing: float,
        dtype: torch.dtype,
        learning: bool,
    ) -> tuple[Tensor, Tensor]:
        wanted = learning and any(ctx.needs_input_grad)
        offset = never.to(weight.dtype) * (torch.finfo(weight.dtype).min / 2)
        offset = offset if bias is None else offset + bias
        allowed = (~never).to(weight.dtype)
        even = allowed * (smoothing / allowed.sum())  # (V,), the mass that is spread
        smoothed, likelihood = weight.new_zeros(()), weight.new_zeros(())
        low_weight = weight.to(dtype)
        gradients = (torch.zeros_like(features), torch.zeros_like(weight), torch.zeros_like(offset))
        # One piece of memory for all chunks: fresh pages cost as much as the arithmetic.
        memory = weight.new_empty(min(ROWS, len(features)), len(weight))
        low_memory, low_product = (
            torch.empty_like(memory, dtype=dtype),
            torch.empty_like(low_weight),
        )
        for part, true, found in zip(
            features.split(ROWS), targets.split(ROWS), gradients[0].split(ROWS), strict=True
        ):
            true = true.unsqueeze(1)  # (R, 1)
            scores = torch.addmm(offset, part, weight.t(), out=memory[: len(part)])  # (R, V)
            chosen = scores.gather(1, true).squeeze(1)
            spread = scores @ even  # a product with zeros: what is never predicted adds nothing
            highest = scores.amax(dim=1, keepdim=True)
            sums = scores.sub_(highest).exp_().sum(dim=1, keepdim=True)
            normaliser = (highest + sums.log()).squeeze(1)  # (R,)
            likelihood += (normaliser - chosen).sum()
            smoothed += (normaliser - (1.0 - smoothing) * chosen - spread).sum()
            if wanted:
                scores.div_(sums).sub_(even)
                scores.scatter_add_(1, true, torch.full_like(scores[:, :1], smoothing - 1.0))
                gradients[2].add_(scores.sum(dim=0))
                low_scores = low_memory[: len(part)].copy_(scores)
                found.copy_(low_scores @ low_weight)
                gradients[1].add_(torch.mm(low_scores.t(), part.to(dtype), out=low_product))
        if wanted:
            ctx.save_for_backward(*gradients)
            ctx.biased = bias is not None
        ctx.mark_non_differentiable(likelihood)
        return smoothed, likelihood

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, smoothed: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, bias = ctx.saved_tensors
        return (
            features * smoothed,
            weight * smoothed,
            bias * smoothed if ctx.biased else None,
            None,
            None,
            None,
            None,
            None,
        )
