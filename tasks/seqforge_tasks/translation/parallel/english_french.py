"""The offline default: sentence pairs of an English-French grammar."""

from __future__ import annotations

from seqforge.errors import UserError
from seqforge_tasks.translation.parallel.grammar import EnglishFrenchPairs
from seqforge_tasks.translation.parallel.options import PairOptions, VocabularyKind
from seqforge_tasks.translation.parallel.pair import PairSource
from seqforge_tasks.translation.parallel.pair_data import PairData, Part


class EnglishFrench(PairData):
    """Sentences of a small grammar with their translations: nothing is downloaded.

    Articles, adjectives and verbs agree, adjectives stand before or behind their noun, words are
    elided and contracted, sentences are denied and asked, and numbers up to 999,999 are written in
    words. Every English sentence has one translation. Which part a sentence belongs to follows from
    its text, so that no test sentence is ever trained on, however many pairs are asked for.

    Args:
        pairs: Training pairs.
        validation_pairs: Pairs that are translated after each epoch.
        test_pairs: Pairs of the test.
        longer: Validation and test hold sentences of two or three clauses, longer than any in
            training.
        vocabulary: Subwords of sentencepiece ("unigram", "bpe", "char"), or "words".
        vocabulary_size: Pieces or words at most, four marks included.
        joint: One vocabulary for both languages.
        max_tokens: Tokens in a batch at most: rows times (longest source + longest target).
        seed: What pairs and the order of batches are drawn from; None: the run's seed.
        num_workers: Processes that load data, for each training process.
        cache: Folder of the vocabularies; None: `cache` beside the run folders.

    Raises:
        UserError: An argument is out of range.
    """

    def __init__(
        self,
        pairs: int = 60_000,
        validation_pairs: int = 500,
        test_pairs: int = 1_000,
        longer: bool = False,
        vocabulary: VocabularyKind = "unigram",
        vocabulary_size: int = 1_500,
        joint: bool = True,
        max_tokens: int = 2_048,
        seed: int | None = None,
        num_workers: int = 0,
        cache: str | None = None,
    ) -> None:
        options = PairOptions(
            source="en",
            target="fr",
            vocabulary=vocabulary,
            vocabulary_size=vocabulary_size,
            joint=joint,
            max_tokens=max_tokens,
        )
        super().__init__(options, seed=seed, num_workers=num_workers, cache=cache)
        self.counts: dict[Part, int] = {
            "train": pairs,
            "validation": validation_pairs,
            "test": test_pairs,
        }
        for name, count in self.counts.items():
            if count < 1:
                where = f"data.{'' if name == 'train' else f'{name}_'}pairs"
                raise UserError(f"{count} pairs", where=where, todo="give at least 1")
        self.longer = longer

    def part(self, name: Part) -> PairSource:
        """Return the grammar's pairs of a part."""
        longer = self.longer and name != "train"
        return EnglishFrenchPairs(name, self.counts[name], self.seed, longer)
