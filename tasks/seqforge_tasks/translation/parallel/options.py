"""What a user can set of translation data, and which values are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from seqforge.errors import UserError, closest_match

VocabularyKind = Literal["unigram", "bpe", "char", "words"]
Tokenizer = Literal["none", "moses"]


@dataclass(frozen=True)
class PairOptions:
    """How pairs are prepared, encoded and cut into batches.

    Attributes:
        source: Language of the source, such as "en".
        target: Language of the target.
        vocabulary: Subwords of sentencepiece ("unigram", "bpe", "char"), or "words", for text that
            is tokenised already, or by `tokenize`.
        vocabulary_size: Pieces or words of a vocabulary, its four marks included.
        joint: One vocabulary for both languages, trained on both sides.
        byte_fallback: Subwords write unknown characters in bytes.
        min_count: How often a word occurs in the training part at least to be known.
        lowercase: Write both sides in lower case.
        tokenize: "none", or "moses": both sides are normalised and tokenised as by Moses' scripts.
        max_length: Tokens of a side at most, marks not counted; longer pairs are not trained on.
        max_ratio: How many times longer one side may be than the other, in tokens; None: any.
        max_tokens: Tokens in a batch at most: rows times (longest source + longest target).
        width: Lengths that differ by less may meet in a batch, see `TokenBudgetPlan`.
        sampling: Strength of subword regularisation; 0: none.

    Raises:
        UserError: A value is out of range, or two do not go together.
    """

    source: str
    target: str
    vocabulary: VocabularyKind = "unigram"
    vocabulary_size: int = 8000
    joint: bool = True
    byte_fallback: bool = False
    min_count: int = 1
    lowercase: bool = False
    tokenize: Tokenizer = "none"
    max_length: int = 100
    max_ratio: float | None = None
    max_tokens: int = 4096
    width: int = 2
    sampling: float = 0.0

    def __post_init__(self) -> None:
        kinds = get_args(VocabularyKind)
        if self.vocabulary not in kinds:
            raise UserError(
                f"there is no vocabulary '{self.vocabulary}'",
                where="data.vocabulary",
                accepted=kinds,
                closest=closest_match(self.vocabulary, kinds),
            )
        for name, right, todo in self._ranges():
            if not right:
                raise UserError(
                    f"{name} is {getattr(self, name)!r}", where=f"data.{name}", todo=todo
                )
        self._require_agreement()

    def _ranges(self) -> Iterator[tuple[str, bool, str]]:
        """Yield each option with a range, whether it is in it, and what to do otherwise."""
        yield "source", bool(self.source.strip()), "give the language of the source, such as en"
        yield "target", bool(self.target.strip()), "give the language of the target, such as fr"
        yield "vocabulary_size", self.vocabulary_size >= 5, "give more than the four marks"
        yield "min_count", self.min_count >= 1, "give at least 1"
        yield "max_length", self.max_length >= 1, "give at least 1 token"
        ratio = self.max_ratio
        yield "max_ratio", ratio is None or ratio >= 1, "give at least 1; null allows any"
        yield "max_tokens", self.max_tokens >= 4, "give at least 4: a token and a mark on each side"
        yield "width", self.width >= 1, "give at least 1"
        yield "sampling", 0 <= self.sampling <= 1, "give 0 for none, or up to 1; 0.1 is usual"

    def _require_agreement(self) -> None:
        if self.source == self.target:
            raise UserError(
                f"source and target are both '{self.source}'",
                where="data.source, data.target",
                todo="name two languages, as the files' names or columns do",
            )
        words = self.vocabulary == "words"
        for name in ("byte_fallback", "sampling"):
            if words and getattr(self, name):
                raise UserError(
                    f"{name} cuts words into pieces, but the vocabulary is one of words",
                    where=f"data.{name}",
                    todo="leave it out, or take vocabulary: unigram",
                )
        if self.vocabulary == "char" and self.sampling:
            raise UserError(
                "sampling draws other pieces, but characters cannot be cut",
                where="data.sampling",
                todo="leave it out, or take vocabulary: unigram",
            )
