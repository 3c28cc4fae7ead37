"""What data modules of one long text share, wherever the text comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pytorch_lightning.trainer.states import TrainerFn

from seqforge.corpus.cache import cache_folder, open_corpus
from seqforge.corpus.corpus import Corpus
from seqforge.corpus.documents import DocumentStarts
from seqforge.corpus.lanes import (
    AnyLanes,
    training_lanes,
    training_length,
    validation_lanes,
)
from seqforge.corpus.options import given_alphabet, require_at_least
from seqforge.corpus.source import TextSource
from seqforge.corpus.tokens import CorpusTokens
from seqforge.data import ColdWindows, DataModule, Lanes, PlanLoader, TokenChunk
from seqforge.errors import UserError
from seqforge.text.vocabularies import vocabulary_from_spec
from seqforge.text.vocabulary import Vocabulary

COLD_BATCH = 64
"""Cold windows in a batch; the score does not depend on it."""


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
        *,
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
        require_at_least(1, seq_len=seq_len, batch_size=batch_size)
        require_at_least(1, limit=limit, validation_lanes=validation_lanes)
        require_at_least(0, cold_window=cold_window, num_workers=num_workers)
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
            self._vocabulary = given_alphabet(alphabet, unit)
        self._corpus: Corpus | None = None
        self._mapped: list[CorpusTokens | DocumentStarts] = []
        self._mistake: UserError | None = None
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
        self._mistake = None
        try:
            corpus = self._open()
            if self.documents == "reset":
                corpus.document_starts(self.document_end)
        except UserError as mistake:
            # Here the others would wait for one that gave up. All of them meet it in `setup`.
            self._mistake = mistake

    def setup(self, stage: str) -> None:
        """Open the encoded text, make the vocabulary and cut the lanes; every process does so."""
        if self._train is not None:
            return
        if self._mistake is not None:
            raise self._mistake
        corpus = self._open()
        self._end = len(corpus) if self.limit is None else min(self.limit, len(corpus))
        self._cut = training_length(self._end, self.validation)
        if self._vocabulary is None:
            self._vocabulary = corpus.vocabulary(self._cut)
        self._corpus = corpus
        tokens, starts = self._part(0, self._cut)
        self._train = training_lanes(tokens, starts, self.batch_size, self.seq_len, self.unit)

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
            f"train: {self._described(self._corpus, 0, self._cut)}",
            f"validation: {self._described(self._corpus, self._cut, self._end)}",
            f"cache: {self._corpus.folder}",
        ]
        return ("   ".join(parts),)

    def _described(self, corpus: Corpus, first: int, last: int) -> str:
        unknown = corpus.count_unknown(self._vocabulary, first, last) if self._vocabulary else 0
        return f"{last - first:,}" + (f" (unknown: {unknown:,})" if unknown else "")

    def train_dataloader(self) -> PlanLoader[TokenChunk]:
        """Return the loader of the training lanes."""
        if self._train is None:
            raise RuntimeError("setup() comes before train_dataloader()")
        return self.train_loader(self._train, self._train.plan, Lanes.collate)

    def val_dataloader(self) -> dict[str, PlanLoader[TokenChunk]]:
        """Return the loaders "stateful" and "cold"; none if nothing was kept for validation."""
        if self._corpus is None:
            raise RuntimeError("setup() comes before val_dataloader()")
        if self._end - self._cut < 2:
            return {}
        tokens, starts = self._part(self._cut, self._end)
        lanes = validation_lanes(tokens, starts, self.validation_lanes, self.seq_len)
        loaders = {"stateful": self.eval_loader(lanes, lanes.plan, Lanes.collate)}
        if self.cold_window and starts is None:
            windows = ColdWindows(tokens, self.cold_window, COLD_BATCH)
            loaders["cold"] = self.eval_loader(windows, windows.plan, Lanes.collate)
        return loaders

    def state_dict(self) -> dict[str, Any]:
        """Return the position in the training data, and the checksum of the text it is in."""
        text = {} if self._corpus is None else {"text": self._corpus.checksum}
        return super().state_dict() | text

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the position of a checkpoint.

        Raises:
            UserError: A run would go on in another text than it was trained on.
        """
        position = dict(state_dict)
        text = position.pop("text", None)
        fitting = self.trainer is not None and self.trainer.state.fn == TrainerFn.FITTING
        if fitting and self._corpus is not None and text not in (None, self._corpus.checksum):
            raise UserError(
                "the text is not the one that the run was trained on",
                where="data",
                todo="give it back as it was, or start a new run",
            )
        super().load_state_dict(position)

    def teardown(self, stage: str) -> None:
        """Let go of the encoded text's file."""
        super().teardown(stage)
        self._close()

    def on_exception(self, exception: BaseException) -> None:
        """Let go of the encoded text's file: nothing is torn down after a failure."""
        self._close()

    def _close(self) -> None:
        for each in self._mapped:
            each.close()

    def _part(self, first: int, last: int) -> tuple[CorpusTokens, DocumentStarts | None]:
        """Return a range of the text, and where documents begin in it if they are not joined."""
        if self._corpus is None or self._vocabulary is None:
            raise RuntimeError("setup() comes before the loaders")
        tokens = self._corpus.tokens(self._vocabulary, first, last)
        self._mapped.append(tokens)
        if self.documents == "join":
            return tokens, None
        starts = self._corpus.document_starts(self.document_end, first, last)
        self._mapped.append(starts)
        return tokens, starts

    def _open(self) -> Corpus:
        return open_corpus(self.source(), self._cache_folder(), self.unit, say=_say)

    def _cache_folder(self) -> Path:
        return cache_folder(self.cache, self.trainer)


def _say(line: str) -> None:
    print(line, flush=True)
