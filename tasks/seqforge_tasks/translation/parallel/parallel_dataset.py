"""A data set of the `datasets` library as the data of translation."""

from __future__ import annotations

from seqforge.corpus import require_named
from seqforge_tasks.translation.parallel.dataset_pairs import DatasetPairs
from seqforge_tasks.translation.parallel.options import PairOptions, Tokenizer, VocabularyKind
from seqforge_tasks.translation.parallel.pair import PairSource
from seqforge_tasks.translation.parallel.pair_data import PairData, Part


class ParallelDataset(PairData):
    """Sentences and their translations from a data set of the Hub or of this machine.

    A row has a column for each language, or one called `translation` that holds an object with
    them. From there on it is what `ParallelText` is.

    Args:
        dataset: A name on the Hub, a local folder, or a builder such as "json" with `files`.
        source: Language of the source: what its column or key is called.
        target: Language of the target.
        configuration: The configuration's name, for a data set that has several, such as "en-fr".
        train: The training split, such as "train" or "train[2000:]".
        validation: The validation split; None: there is none.
        test: The test split; None: there is none.
        files: For builders and folders: the file of each split, by the split's name.
        revision: Branch, tag or commit on the Hub; None: the newest.
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
        dataset: str,
        source: str,
        target: str,
        configuration: str | None = None,
        train: str = "train",
        validation: str | None = "validation",
        test: str | None = None,
        files: dict[str, str] | None = None,
        revision: str | None = None,
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
        require_named(dataset)
        self.dataset = dataset
        self.configuration = configuration
        self.files = files
        self.revision = revision
        self.names: dict[Part, str | None] = {
            "train": train,
            "validation": validation,
            "test": test,
        }

    def part(self, name: Part) -> PairSource | None:
        """Return the rows of a part's split."""
        split = self.names[name]
        if split is None:
            return None
        return DatasetPairs(
            self.dataset,
            split,
            self.options.source,
            self.options.target,
            configuration=self.configuration,
            files=self.files,
            revision=self.revision,
            option=f"data.{name}",
        )
