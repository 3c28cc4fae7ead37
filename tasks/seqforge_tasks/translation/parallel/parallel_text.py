"""Files of two languages as the data of translation."""

from __future__ import annotations

from pathlib import Path

from seqforge_tasks.translation.parallel.finding import find_pairs
from seqforge_tasks.translation.parallel.options import PairOptions, Tokenizer, VocabularyKind
from seqforge_tasks.translation.parallel.pair import PairSource
from seqforge_tasks.translation.parallel.pair_data import PairData, Part


class ParallelText(PairData):
    """Sentences and their translations from files, in batches of similar length.

    A part's file kind is found by what exists: `PART.SOURCE` and `PART.TARGET`, aligned line by
    line, such as `train.en` and `train.fr`; `PART.tsv`, two columns; `PART.jsonl`, an object in
    each line with a key for each language. Each may be packed by gzip: then `.gz` follows.

    Args:
        path: The folder with the files.
        source: Language of the source: what its file ends with, or its column is called.
        target: Language of the target.
        train: Name of the training part.
        validation: Name of the validation part; None: there is none.
        test: Name of the test part; None: there is none.
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
        max_tokens: Tokens in a batch at most: rows times (longest source + longest target), padding
            and marks included, over all processes together.
        width: Lengths that differ by less may meet in a batch: wider mixes batches better from
            epoch to epoch, and pads a little more.
        sampling: Subwords are drawn anew in each epoch of training (unigram: subword
            regularisation with this alpha; bpe: BPE-dropout with this probability); 0: they are
            not. 0.1 is usual.
        seed: What the order of batches is drawn from; None: the run's seed.
        num_workers: Processes that load data, for each training process.
        cache: Folder of the vocabularies; None: `cache` beside the run folders.

    Raises:
        UserError: An argument is out of range.
    """

    def __init__(
        self,
        path: str,
        source: str,
        target: str,
        train: str = "train",
        validation: str | None = "val",
        test: str | None = None,
        vocabulary: VocabularyKind = "unigram",
        vocabulary_size: int = 8000,
        joint: bool = True,
        byte_fallback: bool = False,
        min_count: int = 1,
        lowercase: bool = False,
        tokenize: Tokenizer = "none",
        max_length: int = 100,
        max_ratio: float | None = None,
        max_tokens: int = 4096,
        width: int = 2,
        sampling: float = 0.0,
        seed: int | None = None,
        num_workers: int = 0,
        cache: str | None = None,
    ) -> None:
        options = PairOptions(
            source=source,
            target=target,
            vocabulary=vocabulary,
            vocabulary_size=vocabulary_size,
            joint=joint,
            byte_fallback=byte_fallback,
            min_count=min_count,
            lowercase=lowercase,
            tokenize=tokenize,
            max_length=max_length,
            max_ratio=max_ratio,
            max_tokens=max_tokens,
            width=width,
            sampling=sampling,
        )
        super().__init__(options, seed=seed, num_workers=num_workers, cache=cache)
        self.path = path
        self.names: dict[Part, str | None] = {
            "train": train,
            "validation": validation,
            "test": test,
        }

    def part(self, name: Part) -> PairSource | None:
        """Return the files of a part.

        Raises:
            UserError: There are no such files.
        """
        stem = self.names[name]
        if stem is None:
            return None
        options = self.options
        return find_pairs(Path(self.path), stem, options.source, options.target, f"data.{name}")
