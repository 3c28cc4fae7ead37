"""What a user can set of captioning data, and which values are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from seqforge.errors import UserError, closest_match
from seqforge.vision import Fit

VocabularyKind = Literal["words", "subwords"]


@dataclass(frozen=True)
class CaptionOptions:
    """How pictures and captions are prepared, encoded and cut into batches.

    Attributes:
        batch_size: Captions of a batch in training, pictures of one in evaluation, over all
            processes together.
        image_size: Pixels of a side of the square pictures that the network reads.
        fit: How a picture becomes a square: "crop" takes its centre, "squash" distorts it, "pad"
            fills it up.
        vocabulary: "words", or "subwords" of sentencepiece (unigram).
        vocabulary_size: Words or pieces at most, four marks included.
        min_count: How often a word occurs in the training captions at least to be known; for words.
        max_length: Tokens of a caption at most, marks not counted; longer ones are not trained on.
        width: Lengths that differ by less may meet in a batch, see `TokenBudgetPlan`.

    Raises:
        UserError: A value is out of range.
    """

    batch_size: int = 64
    image_size: int = 224
    fit: Fit = "crop"
    vocabulary: VocabularyKind = "words"
    vocabulary_size: int = 10_000
    min_count: int = 1
    max_length: int = 50
    width: int = 2

    def __post_init__(self) -> None:
        _require_choice("vocabulary", self.vocabulary, get_args(VocabularyKind))
        for name, right, todo in self._ranges():
            if not right:
                raise UserError(
                    f"{name} is {getattr(self, name)!r}", where=f"data.{name}", todo=todo
                )
        if self.vocabulary == "subwords" and self.min_count > 1:
            raise UserError(
                f"min_count is {self.min_count}, but the vocabulary is one of subwords",
                where="data.min_count",
                todo="leave it out, or take vocabulary: words",
            )

    def _ranges(self) -> Iterator[tuple[str, bool, str]]:
        """Yield each option with a range, whether it is in it, and what to do otherwise."""
        yield "batch_size", self.batch_size >= 1, "give at least 1"
        yield "vocabulary_size", self.vocabulary_size >= 5, "give more than the four marks"
        yield "min_count", self.min_count >= 1, "give at least 1"
        yield "max_length", self.max_length >= 1, "give at least 1 token"
        yield "width", self.width >= 1, "give at least 1"


def _require_choice(name: str, given: Any, accepted: tuple[str, ...]) -> None:
    if given not in accepted:
        raise UserError(
            f"{name} is {given!r}",
            where=f"data.{name}",
            accepted=accepted,
            closest=closest_match(str(given), accepted),
        )
