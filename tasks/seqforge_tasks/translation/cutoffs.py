"""What an adaptive softmax asks of the other options and of the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from seqforge.errors import UserError
from seqforge.layers.adaptive_head import NARROWER
from seqforge.text import SentenceVocabulary
from seqforge_tasks.translation.network import NetworkOptions

WHERE = "model.task.adaptive_cutoffs"


def require_cutoffs(options: NetworkOptions, label_smoothing: float) -> None:
    """Refuse cutoffs that do not rise, or that do not go with the other options.

    Args:
        options: How the network is made.
        label_smoothing: Probability mass that is spread over all words.

    Raises:
        UserError: As above.
    """
    cutoffs = options.adaptive_cutoffs
    if cutoffs is None:
        return
    if not cutoffs or any(low >= high for low, high in pairwise([0, *cutoffs])):
        raise UserError(
            f"adaptive_cutoffs is {cutoffs}",
            where=WHERE,
            todo="give whole numbers that rise, such as [2000, 10000]; none for an exact softmax",
        )
    if options.tied_embeddings:
        raise UserError(
            "an adaptive softmax has no weights that could be those of embeddings",
            where=WHERE,
            todo="set model.task.tied_embeddings to false, or leave adaptive_cutoffs out",
        )
    if label_smoothing:
        raise UserError(
            f"an adaptive softmax spreads no mass over all words, and label_smoothing is "
            f"{label_smoothing}",
            where=WHERE,
            todo="set model.task.label_smoothing to 0, or leave adaptive_cutoffs out",
        )
    features, least = options.feature_size or options.embedding_size, NARROWER ** len(cutoffs)
    if features < least:
        raise UserError(
            f"{features} features are too few for {len(cutoffs)} clusters, each with a quarter of "
            "those of the one before",
            where=WHERE,
            todo=f"give fewer cutoffs, or feature_size {least} at least",
        )


def require_within(cutoffs: Sequence[int] | None, vocabulary: SentenceVocabulary) -> None:
    """Refuse cutoffs that do not lie within the vocabulary, behind its marks.

    Args:
        cutoffs: As given; None: there are none.
        vocabulary: Of the target.

    Raises:
        UserError: As above.
    """
    if cutoffs is None:
        return
    marks = max(vocabulary.padding, vocabulary.begin, vocabulary.end)
    if cutoffs[0] <= marks or cutoffs[-1] >= len(vocabulary):
        raise UserError(
            f"adaptive_cutoffs is {list(cutoffs)}, and the target's vocabulary has "
            f"{len(vocabulary)} words, marks included",
            where=WHERE,
            todo=f"give numbers from {marks + 1} to {len(vocabulary) - 1}, or none",
        )
