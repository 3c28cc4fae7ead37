"""A head for large vocabularies, in which rare words cost little."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.layers.cross_entropy import CrossEntropy
from seqforge.layers.head import Head
from seqforge.precision import full_precision

NARROWER = 4
"""Factor by which the features of each cluster are narrower than those of the one before it."""


class AdaptiveHead(nn.Module):
    """The adaptive softmax (Grave et al. 2017, arXiv:1609.04309): a softmax of two levels.

    Tokens are numbered by falling frequency. The first `cutoffs[0]` are predicted at once, beside
    each cluster of rarer ones; `p(w) = p(cluster) p(w | cluster)` for a token of a cluster, from
    features that a projection makes narrower: the i-th cluster, from 1, has `F / 4^i`. Training
    looks only into the clusters that targets lie in. Log-probabilities are exact, and those of
    `torch.nn.AdaptiveLogSoftmaxWithLoss` with the same weights.

    Args:
        in_features: `F`, at least 4 for each cluster to the power of their number.
        out_features: `V`.
        cutoffs: Where clusters begin, rising, each from 1 to `V - 1`.

    Raises:
        ValueError: The cutoffs do not rise within the vocabulary, or the features are too few.
    """

    def __init__(self, in_features: int, out_features: int, cutoffs: Sequence[int]) -> None:
        super().__init__()
        self.bounds = [0, *cutoffs, out_features]
        if not cutoffs or any(low >= high for low, high in pairwise(self.bounds)):
            raise ValueError(f"cutoffs {list(cutoffs)} do not rise from 1 to {out_features - 1}")
        widths = [in_features // NARROWER**place for place in range(1, len(cutoffs) + 1)]
        if widths[-1] < 1:
            raise ValueError(f"{in_features} features are too few for {len(cutoffs)} clusters")
        self.frequent = Head(in_features, cutoffs[0] + len(cutoffs))
        self.projections = nn.ModuleList(
            nn.Linear(in_features, width, bias=False) for width in widths
        )
        self.rare = nn.ModuleList(
            Head(width, high - low, bias=False)
            for width, (low, high) in zip(widths, pairwise(self.bounds[1:]), strict=True)
        )

    @property
    def weight(self) -> Tensor:
        """The weights of frequent tokens: where the head is, and in what precision."""
        return self.frequent.weight

    def forward(self, features: Tensor) -> Tensor:
        """Return the log-probabilities `(…, V)` of features `(…, F)`: scores like others."""
        with full_precision(features.device):
            features = features.to(self.weight.dtype)
            rare = [head(projection(features)) for projection, head in self._clusters()]
            return _joined(self.frequent(features), rare)

    def packed(
        self, offset: Tensor, dtype: torch.dtype | None = None
    ) -> Callable[[Tensor], Tensor]:
        """Return the map to log-probabilities with the weights as they are now.

        They are those of a softmax without what the offset takes out.

        Args:
            offset: `(V,)`, 0 or hugely negative for what is never written, which is frequent.
            dtype: What weights and scores are rounded to, not the sums; None: nothing is.
        """
        clusters = len(self.projections)
        masked = F.pad(offset[: self.bounds[1]], (0, clusters))
        frequent, wanted = self.frequent.packed(masked, dtype), dtype or self.weight.dtype
        weights = [
            (projection.weight.detach().to(wanted), head.weight.detach().to(wanted))
            for projection, head in self._clusters()
        ]

        def scores(features: Tensor) -> Tensor:
            rare = [F.linear(F.linear(features, narrow), weight) for narrow, weight in weights]
            return _joined(frequent(features), rare)

        return scores

    def cross_entropy(
        self, features: Tensor, targets: Tensor, *, smoothing: float = 0.0, never: Tensor
    ) -> CrossEntropy:
        """Return the cross-entropy of predictions, in nats.

        Args:
            features: `(N, F)`.
            targets: `(N,)` int64.
            smoothing: 0: to spread mass over all tokens would be to look into every cluster.
            never: `(V,)` bool, True for what is never predicted; it is frequent.

        Raises:
            ValueError: The loss is to be smoothed.
        """
        if smoothing:
            raise ValueError("the loss of an adaptive softmax is not smoothed")
        shortlist, clusters = self.bounds[1], len(self.projections)
        cluster = torch.bucketize(targets, targets.new_tensor(self.bounds[1:-1]), right=True)
        chosen = torch.where(cluster == 0, targets, shortlist + cluster - 1)
        masked = F.pad(never[:shortlist], (0, clusters))
        found = [self.frequent.cross_entropy(features, chosen, never=masked)]
        for place, (projection, head) in enumerate(self._clusters()):
            # Empty clusters too: every parameter has a gradient on every process.
            rows = (cluster == place + 1).nonzero().squeeze(1)
            within = never[self.bounds[place + 1] : self.bounds[place + 2]]
            wanted = targets[rows] - self.bounds[place + 1]
            with full_precision(features.device):  # the scores are those of `forward`
                narrow = projection(features[rows].to(self.weight.dtype))
            found.append(head.cross_entropy(narrow, wanted, never=within))
        smoothed, likelihood = zip(*found, strict=True)
        return CrossEntropy(torch.stack(smoothed).sum(), torch.stack(likelihood).sum())

    def _clusters(self) -> list[tuple[nn.Linear, Head]]:
        projections = cast("Iterable[nn.Linear]", self.projections)
        return list(zip(projections, cast("Iterable[Head]", self.rare), strict=True))


TokenHead = Head | AdaptiveHead
"""A head that predicts tokens."""


def _joined(frequent: Tensor, rare: Iterable[Tensor]) -> Tensor:
    """Return log-probabilities `(…, V)`, float32 at least, of the scores of both levels."""
    dtype = torch.promote_types(frequent.dtype, torch.float32)
    rare = list(rare)
    first = frequent.log_softmax(dim=-1, dtype=dtype)
    shortlist = first.size(-1) - len(rare)
    parts = [first[..., :shortlist]]
    for place, scores in enumerate(rare):
        within = scores.log_softmax(dim=-1, dtype=dtype)
        parts.append(within + first[..., shortlist + place, None])
    return torch.cat(parts, dim=-1)
