"""What a captioning network is trained on."""

from __future__ import annotations

from torch import Tensor

from seqforge.attention import Decoded
from seqforge.layers import head_cross_entropy, padding_mask
from seqforge.task import Term
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.network import CaptioningNetwork


def caption_terms(
    network: CaptioningNetwork,
    decoded: Decoded,
    batch: CaptionBatch,
    smoothing: float,
    doubly_stochastic: float,
) -> dict[str, Term]:
    """Return the cross-entropy of all words and end marks, and what captions did not look at.

    Args:
        network: What has read the batch's captions.
        decoded: What it made of them.
        batch: The captions.
        smoothing: Probability mass that is spread over all words.
        doubly_stochastic: Weight of the second term; 0: there is only the first.

    Returns:
        "loss" alone; or "words", and "unseen" with the number of captions as its count.
    """
    real = ~padding_mask(batch.lengths, batch.targets.size(1))  # (B, T)
    loss = head_cross_entropy(
        network.head,
        decoded.features[real],
        batch.targets[real],
        smoothing=smoothing,
        never=network.never < 0,
    )
    words = Term(loss.smoothed, batch.lengths.sum())
    if doubly_stochastic == 0 or network.conditioning == "start":
        return {"loss": words}
    captions = batch.lengths.new_tensor(len(batch.lengths))
    return {"words": words, "unseen": Term(_unseen(decoded, real), captions, doubly_stochastic)}


def _unseen(decoded: Decoded, real: Tensor) -> Tensor:
    """Return `sum_i (1 - sum_t alpha_ti)^2` over all captions (Xu et al. 2015, equation 14)."""
    looked = decoded.weights.masked_fill(~real.unsqueeze(2), 0.0).sum(dim=1)  # (B, P)
    return (1.0 - looked).square().sum()
