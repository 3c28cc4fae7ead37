"""Translations that are drawn and rewarded by how near they come to the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, get_args

from sacrebleu import BLEU, CHRF

from seqforge.attention import Marks, self_critical
from seqforge.errors import UserError, closest_match
from seqforge.task import Progress, Term
from seqforge.training import reward_terms
from seqforge_tasks.translation.parallel.batch import TranslationBatch

if TYPE_CHECKING:
    from seqforge_tasks.translation.task import Translation

RewardName = Literal["chrf", "bleu"]

UNENDED: Final = 0.5
"""Factor of the reward of a translation that did not end: it would go on."""


class TranslationReward:
    """chrF (Popović 2015) or BLEU of a single translation, by sacrebleu.

    Args:
        name: "chrf"; or "bleu", where orders of which a translation has no n-gram are left out.
        lowercase: Whether the case is left out.
    """

    def __init__(self, name: RewardName, lowercase: bool = False) -> None:
        self._metric = (
            CHRF(lowercase=lowercase)
            if name == "chrf"
            else BLEU(lowercase=lowercase, effective_order=True)
        )

    def reward(self, translation: str, ended: bool, reference: str) -> float:
        """Return the score, 0 to 1; half of it where the end was not written."""
        score: float = self._metric.sentence_score(translation, [reference]).score / 100.0
        return score if ended else UNENDED * score


def require_reward(name: str) -> None:
    """Refuse the name of a reward that there is not.

    Raises:
        UserError: There is no such reward.
    """
    names = get_args(RewardName)
    if name not in names:
        raise UserError(
            f"reward is '{name}'",
            where="model.task.reward",
            accepted=names,
            closest=closest_match(name, names),
        )


def rewarded_translations(
    task: Translation, batch: TranslationBatch, progress: Progress
) -> dict[str, Term]:
    """Return the loss whose gradient is that of the expected reward; see `self_critical`.

    Args:
        task: Whose network is trained.
        batch: A batch of training.
        progress: Where training stands.
    """
    target = task.target
    scorer = TranslationReward(task.reward, target.preparation.lowercase)

    def reward(item: int, tokens: Sequence[int], ended: bool) -> float:
        text = target.preparation.undo(target.vocabulary.decode(tokens))
        return scorer.reward(text, ended, batch.target_texts[item])

    # Of its own reference: a longer neighbour in the batch changes nothing.
    limits = 2 * batch.lengths + 10
    found = self_critical(
        task.network,
        lambda: task.network.encode(batch.source, batch.source_lengths),
        Marks(target.vocabulary.begin, target.vocabulary.end),
        task.rewarding.places(batch.ids, int(limits.max()), progress),
        reward,
        task.rewarding.baseline,
        limits,
    )
    return reward_terms(found, len(batch.ids))
