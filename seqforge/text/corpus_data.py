"""What data modules of one long text share, wherever the text comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from seqforge.data import (
    ColdWindows,
    DataModule,
    DocumentLanes,
    Lanes,
    PlanLoader,
    TokenChunk,
)
from seqforge.errors import UserError
from seqforge.text.character_vocabulary import UNKNOWN, CharacterVocabulary
from seqforge.text.corpus import Corpus
from seqforge.text.corpus_cache import open_corpus
from seqforge.text.corpus_tokens import CorpusTokens
from seqforge.text.text_source import TextSource
from seqforge.text.vocabularies import vocabulary_from_spec
from seqforge.text.vocabulary import Vocabulary

VALIDATION_LANE = 1_000
"""Least tokens in a validation lane: each lane starts cold, and few should."""

COLD_BATCH = 64
"""Cold windows in a batch; the score does not depend on it."""

AnyLanes = Lanes | DocumentLanes


class CorpusData(DataModule):
    """One text, read through from its beginning to its end in every epoch.

    A subclass says where the text comes from. It is encoded once, into a cache that other runs find
    again. Its end is kept for validation; the rest is cut into `batch_size` contiguous lanes; row i
    of a batch goes on where row i of the batch before ended, so the network's state can be carried
    along (truncated backpropagation through time). The vocabulary is that of the training part.

    Validation has two loaders, since published figures differ in this. "stateful" carries the state
    through the whole part, in lanes; "cold" reads windows that do not overlap, each on a fresh
    state. Both have every character but the part's first as a target once. Where `documents` is
    "reset" there is no "cold": every document starts on a fresh state already.

    Args:
        seq_len: Characters in one step of truncated backpropagation.
        batch_size: Lanes, over all processes together.
        validation: Share of the text, at its end, that is kept for validation; 0: none.
        num_workers: Processes that load data, for each training process.
        documents: "join" reads on through the ends of documents, "reset" starts each one with a
            fresh state, at a chunk's start, and pads its last chunk.
        document_end: What ends a document, and stands between rows or files that are joined.
        unit: "characters", or the "bytes" of UTF-8: then lengths count bytes.
        alphabet: The known characters; None: those of the training part.
        limit: Characters that are used of the text, from its beginning; None: all.
        validation_lanes: Lanes of "stateful" at most, each of at least 1,000 characters; 1: one
            pass from the part's beginning to its end.
        cold_window: Characters in a window of "cold"; 0: no such loader.
        cache: Folder of the encoded text; None: `cache` beside the run folders.

    Raises:
        UserError: A number is out of range, the alphabet has repeats, or the end mark is empty.
    """

    def __init__(
        self,
        seq_len: int = 50,
        batch_size: int = 64,
        validation: float = 0.05,
        num_workers: int = 0,
        documents: Literal["join", "reset"] = "join",
        document_end: str = "\n\n",
        unit: Literal["characters", "bytes"] = "characters",
        alphabet: str | None = None,
        limit: int | None = None,
        validation_lanes: int = 64,
        cold_window: int = 256,
        cache: str | None = None,
    ) -> None:
        super().__init__(batch_size=batch_size, num_workers=num_workers)
        if not document_end:
            raise UserError(
                "the mark that ends a document is empty",
                where="data.document_end",
                todo="give what stands between two documents, an empty line say",
            )
        if not 0.0 <= validation < 1.0:
            raise UserError(
                f"validation is {validation}",
                where="data.validation",
                todo="give a share of the text, at least 0 and below 1",
            )
        _require_at_least(1, seq_len=seq_len, batch_size=batch_size)
        _require_at_least(1, limit=limit, validation_lanes=validation_lanes)
        _require_at_least(0, cold_window=cold_window, num_workers=num_workers)
        self.seq_len = seq_len
        self.validation = validation
        self.documents = documents
        self.document_end = document_end
        self.unit = unit
        self.limit = limit
        self.validation_lanes = validation_lanes
        self.cold_window = cold_window
        self.cache = cache
        self._vocabulary: Vocabulary | None = None
        if alphabet is not None:
            self._vocabulary = _given(alphabet, unit)
        self._corpus: Corpus | None = None
        self._parts: list[CorpusTokens] = []
        self._cut = self._end = 0
        self._train: AnyLanes | None = None

    def source(self) -> TextSource:
        """Return where the text comes from.

        Raises:
            UserError: There is no such text.
        """
        raise NotImplementedError(f"{type(self).__name__} must define source()")

    def adopt(self, spec: Mapping[str, Any]) -> None:
        """Use a checkpoint's vocabulary, to measure it on another text than it was trained on."""
        vocabulary = vocabulary_from_spec(spec["vocabulary"])
        self._vocabulary = vocabulary
        self.unit = "bytes" if vocabulary.unit == "byte" else "characters"

    def prepare_data(self) -> None:
        """Encode the text, if that was not done before: on one process of each machine."""
        try:
            self._open()
        except UserError:
            # Here the others would wait for one that gave up. All of them meet it in `setup`.
            return

    def setup(self, stage: str) -> None:
        """Open the encoded text, make the vocabulary and cut the lanes; every process does so."""
        if self._train is not None:
            return
        corpus = self._open()
        self._end = len(corpus) if self.limit is None else min(self.limit, len(corpus))
        self._cut = training_length(self._end, self.validation)
        if self._cut < 2:
            raise self._too_short(self._cut)
        if self._vocabulary is None:
            self._vocabulary = corpus.vocabulary(self._cut)
        self._corpus = corpus
        self._train = self._train_lanes(corpus, self._vocabulary)

    def spec(self) -> dict[str, Any]:
        """Return the vocabulary of the training part."""
        if self._vocabulary is None or self._train is None:
            raise RuntimeError("setup() comes before spec()")
        return {"vocabulary": self._vocabulary.spec()}

    def notes(self) -> Sequence[str]:
        """Return one line on the text: its length, its parts and where it is kept encoded."""
        if self._corpus is None:
            return ()
        # A byte is a number already: how many different ones there are tells nothing.
        known = "" if self.unit == "bytes" else f", {self._corpus.distinct(self._end)} distinct"
        parts = [
            f"text: {self._end:,} {self.unit}{known}",
            f"train: {self._cut:,}",
            f"validation: {self._end - self._cut:,}",
            f"cache: {self._corpus.folder}",
        ]
        return ("   ".join(parts),)

    def train_dataloader(self) -> PlanLoader[TokenChunk]:
        """Return the loader of the training lanes."""
        if self._train is None:
            raise RuntimeError("setup() comes before train_dataloader()")
        return self.train_loader(self._train, self._train.plan, Lanes.collate)

    def val_dataloader(self) -> dict[str, PlanLoader[TokenChunk]]:
        """Return the loaders "stateful" and "cold"; none if nothing was kept for validation."""
        if self._corpus is None or self._vocabulary is None:
            raise RuntimeError("setup() comes before val_dataloader()")
        if self._end - self._cut < 2:
            return {}
        tokens = self._part(self._corpus, self._vocabulary, self._cut, self._end)
        rows = max(1, min(self.validation_lanes, (len(tokens) - 1) // VALIDATION_LANE))
        if self.documents == "reset":
            starts = self._corpus.document_starts(self.document_end, self._cut, self._end)
            documents = DocumentLanes(tokens, starts, rows, self.seq_len)
            return {"stateful": self.eval_loader(documents, documents.plan, Lanes.collate)}
        lanes = Lanes(tokens, rows, self.seq_len, whole=True)
        loaders = {"stateful": self.eval_loader(lanes, lanes.plan, Lanes.collate)}
        if self.cold_window:
            windows = ColdWindows(tokens, self.cold_window, COLD_BATCH)
            loaders["cold"] = self.eval_loader(windows, windows.plan, Lanes.collate)
        return loaders

    def teardown(self, stage: str) -> None:
        """Let go of the encoded text's file."""
        super().teardown(stage)
        self._close()

    def on_exception(self, exception: BaseException) -> None:
        """Let go of the encoded text's file: nothing is torn down after a failure."""
        self._close()

    def _close(self) -> None:
        for part in self._parts:
            part.close()

    def _part(self, corpus: Corpus, vocabulary: Vocabulary, first: int, last: int) -> CorpusTokens:
        self._parts.append(corpus.tokens(vocabulary, first, last))
        return self._parts[-1]

    def _open(self) -> Corpus:
        return open_corpus(self.source(), self._cache_folder(), self.unit, say=_say)

    def _cache_folder(self) -> Path:
        if self.cache is not None:
            return Path(self.cache)
        root = "runs" if self.trainer is None else str(self.trainer.default_root_dir)
        if "://" in root:
            root = "runs"  # only files of this machine can be mapped into memory
        # A run's folder is one of many: the next run wants the same text.
        runs = Path(root).parent if (Path(root) / "config.yaml").is_file() else Path(root)
        return runs / "cache"

    def _train_lanes(self, corpus: Corpus, vocabulary: Vocabulary) -> AnyLanes:
        tokens = self._part(corpus, vocabulary, 0, self._cut)
        if self.documents == "reset":
            starts = corpus.document_starts(self.document_end, 0, self._cut)
            return DocumentLanes(tokens, starts, self.batch_size, self.seq_len)
        if len(tokens) - 1 < self.batch_size * self.seq_len:
            raise self._too_short(self._cut)
        return Lanes(tokens, self.batch_size, self.seq_len)

    def _too_short(self, length: int) -> UserError:
        steps = length - 1
        if steps >= self.seq_len:
            todo = f"give a longer text, or a batch_size of at most {steps // self.seq_len}"
        else:
            shorter = f"a seq_len of at most {steps} with batch_size 1"
            todo = "give a longer text" + (f", or {shorter}" if steps > 0 else "")
        return UserError(
            f"the training text of {length} {self.unit} is too short for {self.batch_size} "
            f"lanes (batch_size) of {self.seq_len} {self.unit} (seq_len)",
            where="data",
            todo=todo,
        )


def training_length(length: int, validation: float) -> int:
    """Return how much of a text is for training, rounded down.

    Args:
        length: Characters of the text.
        validation: The share that is not, taken as the decimal number that it is written as: 0.9
            of ten leave one, which binary fractions do not give.
    """
    return int(length * (1 - Fraction(repr(validation))))


def _given(alphabet: str, unit: str) -> CharacterVocabulary:
    if unit == "bytes":
        raise UserError(
            "an alphabet of characters is given, but the unit is bytes",
            where="data.alphabet",
            todo="leave one of them out",
        )
    repeated = sorted({each for each in alphabet if alphabet.count(each) > 1})
    if repeated or not alphabet or UNKNOWN in alphabet:
        fault = f"repeats {', '.join(map(repr, repeated))}" if repeated else "is empty"
        if UNKNOWN in alphabet and not repeated:
            fault = f"has {UNKNOWN!r} (U+FFFD), which stands for unknown characters"
        raise UserError(
            f"the alphabet {fault}",
            where="data.alphabet",
            todo="give every character that is to be known once, line feed and space too",
        )
    return CharacterVocabulary(alphabet)


def _require_at_least(least: int, **values: int | None) -> None:
    for name, value in values.items():
        if value is not None and value < least:
            raise UserError(
                f"{name} is {value}", where=f"data.{name}", todo=f"give at least {least}"
            )


def _say(line: str) -> None:
    print(line, flush=True)
