"""What a captioning network is trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from seqforge.attention import Decoded
from seqforge.layers import head_cross_entropy, padding_mask
from seqforge.task import Progress, Term
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.network import CaptioningNetwork
from seqforge_tasks.captioning.rewards import rewarded_captions
from seqforge_tasks.captioning.seen import Seen

if TYPE_CHECKING:
    from seqforge_tasks.captioning.task import Captioning


def training_terms(task: Captioning, batch: CaptionBatch, progress: Progress) -> dict[str, Term]:
    """Return the loss of a batch of training: of people's captions, or of rewarded ones.

    Args:
        task: Whose network is trained.
        batch: The batch.
        progress: Where training stands: it decides what teaches, and whether the image encoder
            learns.
    """
    network = task.network
    trains = task.learning_rates(progress).get("network.image", 1.0) > 0
    seen = batch_seen(network, batch, trains)
    if task.rewarding.active(progress):
        return rewarded_captions(task, seen, batch, progress)
    begun = network.look(seen, batch.places)
    decoded = network.decode(batch.inputs, begun, batch.lengths)
    return caption_terms(network, decoded, batch, task.label_smoothing, task.doubly_stochastic)


def evaluated_terms(task: Captioning, batch: CaptionBatch) -> dict[str, Term]:
    """Return the cross-entropy of each picture's first caption."""
    begun = task.network.look(batch_seen(task.network, batch), batch.places)
    decoded = task.network.decode(batch.inputs, begun, batch.lengths)
    return caption_terms(task.network, decoded, batch, 0.0, 0.0)


def batch_seen(network: CaptioningNetwork, batch: CaptionBatch, train_image: bool = False) -> Seen:
    """Return the features of a batch's pictures or clips, computed where none are given.

    Args:
        network: Whose image encoder computes them.
        batch: In evaluation it keeps them, for the search that comes after the loss.
        train_image: Whether gradients reach the image encoder.
    """
    if batch.features is not None:
        return Seen(batch.features, batch.frames)
    assert batch.pictures is not None
    seen = network.see(batch.pictures, batch.frames, train_image)
    if not network.training:
        batch.features = seen.features
    return seen


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
