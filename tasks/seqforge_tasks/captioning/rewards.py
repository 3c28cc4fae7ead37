"""Captions that are drawn and rewarded by their CIDEr-D, and BLEU (Rennie et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from sacrebleu import BLEU

from seqforge.attention import Marks, Reward, self_critical
from seqforge.data import DataModule
from seqforge.errors import UserError
from seqforge.metrics import CiderD, CiderReferences, caption_tokens
from seqforge.task import Progress, Term
from seqforge.text import SentenceVocabulary
from seqforge.training import reward_terms
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.photos.caption_data import CaptionData
from seqforge_tasks.captioning.photos.caption_text import readable
from seqforge_tasks.captioning.seen import Seen

if TYPE_CHECKING:
    from seqforge_tasks.captioning.task import Captioning

END: Final = "<end>"
"""Counts as a word of captions that ended: without it, ends such as "in front of a" would pay."""


class _Prepared(NamedTuple):
    """A picture's references as the measures want them, made once and not for every draw."""

    cider: CiderReferences
    words: tuple[str, ...]


class CaptionRewards:
    """The CIDEr-D of captions, by what is rare in the references of the training photos.

    Args:
        references: Of each training photo, all its captions.
        bleu: Weight of the BLEU-4 of the caption alone, 0 to 1, that is added; its counts of longer
            n-grams are smoothed where there are none (Chen and Cherry 2014, method 3).

    Raises:
        ValueError: There is no photo.
    """

    def __init__(self, references: Sequence[Sequence[str]], bleu: float = 0.0) -> None:
        self._bleu = bleu
        self._sentence = BLEU(tokenize="none", smooth_method="exp")
        self._scorer = CiderD.of([[_words(each) for each in captions] for captions in references])
        self._prepared: dict[tuple[str, ...], _Prepared] = {}

    @classmethod
    def of(cls, data: DataModule, bleu: float = 0.0) -> CaptionRewards:
        """Return the rewards by the training photos of some data that was set up.

        Raises:
            UserError: The data has no captions.
        """
        if not isinstance(data, CaptionData):
            raise UserError(
                f"{type(data).__name__} has no captions that rewards could be counted from",
                where="model.task.self_critical_epoch",
                todo="leave it out, or use data of captions",
            )
        return cls(data.written("train"), bleu)

    def reward(self, caption: str, ended: bool, references: tuple[str, ...]) -> float:
        """Return the CIDEr-D of a caption, 0 to 10, and its weighted BLEU; the end is a word.

        Args:
            caption: As it is read by people.
            ended: Whether its end was written.
            references: All captions of its picture.
        """
        if (known := self._prepared.get(references)) is None:
            tokens = [_words(each) for each in references]
            known = _Prepared(self._scorer.prepare(tokens), tuple(map(" ".join, tokens)))
            self._prepared[references] = known
        words = _words(caption) if ended else caption_tokens(caption)
        reward = float(self._scorer.scores([words], [known.cider])[0]) / 100.0
        if self._bleu:
            found = self._sentence.sentence_score(" ".join(words), known.words)
            reward += self._bleu * found.score / 100.0
        return reward


def rewarded_captions(
    task: Captioning, seen: Seen, batch: CaptionBatch, progress: Progress
) -> dict[str, Term]:
    """Return the loss whose gradient is that of the expected reward; see `self_critical`.

    Args:
        task: Whose network is trained.
        seen: Features of the batch's pictures or clips.
        batch: A batch of training. Captions are drawn for each of its rows, also where several
            show one picture, so that the loss is a sum over rows whatever batch they are in.
        progress: Where training stands: with the row's number, all that the draws depend on.

    Returns:
        "loss", and "reward" as it is logged, with a weight of 0.
    """
    rewards, vocabulary = task.rewards, task.vocabulary
    if rewards is None:
        raise RuntimeError("attach(data) comes before training on rewards")
    found = self_critical(
        task.network,
        lambda: task.network.look(seen, batch.places),
        Marks(vocabulary.begin, vocabulary.end),
        task.rewarding.places(batch.ids, task.longest, progress),
        _scorer(rewards, vocabulary, batch.references),
        task.rewarding.baseline,
    )
    return reward_terms(found, len(batch.ids))


def _scorer(
    rewards: CaptionRewards,
    vocabulary: SentenceVocabulary,
    references: Sequence[tuple[str, ...]],
) -> Reward:
    def score(item: int, tokens: Sequence[int], ended: bool) -> float:
        return rewards.reward(readable(vocabulary.decode(tokens)), ended, references[item])

    return score


def _words(caption: str) -> list[str]:
    return [*caption_tokens(caption), END]
