"""A text file as contiguous lanes of characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from pydoc_data.topics import topics
from shlex import quote
from typing import Any, Literal

from seqforge.data import (
    DataModule,
    DocumentLanes,
    Lanes,
    PlanLoader,
    TokenChunk,
    document_starts,
)
from seqforge.errors import UserError, closest_match
from seqforge.text import CharacterVocabulary

VALIDATION_LANE = 1_000
"""Least characters in a validation lane: each lane starts cold, and few should."""

VALIDATION_LANES = 64
"""Most validation lanes. Only the text decides how many: scores do not depend on other settings."""

AnyLanes = Lanes | DocumentLanes


class TextFile(DataModule):
    """One text, read through from its beginning to its end in every epoch.

    The text is cut into `batch_size` contiguous lanes; row i of a batch goes on where row i of the
    batch before ended, so the network's state can be carried along (truncated backpropagation
    through time). The vocabulary is that of the training part.

    Args:
        path: A UTF-8 text file. None: the text that comes with Python itself, the language
            reference in `pydoc_data.topics`, about 465,000 characters.
        seq_len: Characters in one step of truncated backpropagation.
        batch_size: Lanes, over all processes together.
        validation: Share of the text, at its end, that is kept for validation; 0: none.
        num_workers: Processes that load data, for each training process.
        documents: "join" reads on through the ends of documents, as the lecture does; "reset"
            starts each one with a fresh state, at a chunk's start, and pads its last chunk.
        document_end: What ends a document, where `documents` is "reset"; by default an empty line.

    Raises:
        UserError: The file is missing, not UTF-8 or too short, or a number is out of range.
    """

    def __init__(
        self,
        path: str | None = None,
        seq_len: int = 50,
        batch_size: int = 64,
        validation: float = 0.05,
        num_workers: int = 0,
        documents: Literal["join", "reset"] = "join",
        document_end: str = "\n\n",
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
        for name, value in (("seq_len", seq_len), ("batch_size", batch_size)):
            if value < 1:
                raise UserError(f"{name} is {value}", where=f"data.{name}", todo="give at least 1")
        self.path = path
        self.seq_len = seq_len
        self.validation = validation
        self.documents = documents
        self.document_end = document_end
        self._vocabulary: CharacterVocabulary | None = None
        self._train: AnyLanes | None = None
        self._validation: AnyLanes | None = None

    def adopt(self, spec: Mapping[str, Any]) -> None:
        """Use a checkpoint's vocabulary, to measure it on another text than it was trained on."""
        self._vocabulary = CharacterVocabulary.from_spec(spec["vocabulary"])

    def setup(self, stage: str) -> None:
        """Read the text, make the vocabulary and cut the lanes; every process does the same."""
        if self._train is not None:
            return
        text = builtin_text() if self.path is None else read_text(Path(self.path))
        cut = len(text) - int(len(text) * self.validation)
        if self._vocabulary is None:
            self._vocabulary = CharacterVocabulary.of(text[:cut])
        self._train = self._train_lanes(self._vocabulary, text[:cut])
        if len(text) - cut > 1:
            self._validation = self._validation_lanes(self._vocabulary, text[cut:])

    def spec(self) -> dict[str, Any]:
        """Return the vocabulary of the training part."""
        if self._vocabulary is None or self._train is None:
            raise RuntimeError("setup() comes before spec()")
        return {"vocabulary": self._vocabulary.spec()}

    def train_dataloader(self) -> PlanLoader[TokenChunk]:
        """Return the loader of the training lanes."""
        if self._train is None:
            raise RuntimeError("setup() comes before train_dataloader()")
        return self.train_loader(self._train, self._train.plan, Lanes.collate)

    def val_dataloader(self) -> dict[str, PlanLoader[TokenChunk]]:
        """Return one loader, read statefully; none if nothing was kept for validation."""
        lanes = self._validation
        if lanes is None:
            return {}
        return {"stateful": self.eval_loader(lanes, lanes.plan, Lanes.collate)}

    def _validation_lanes(self, vocabulary: CharacterVocabulary, text: str) -> AnyLanes:
        lanes = max(1, min(VALIDATION_LANES, (len(text) - 1) // VALIDATION_LANE))
        tokens = vocabulary.encode(text)
        if self.documents == "reset":
            return DocumentLanes(tokens, self._starts(text), lanes, self.seq_len)
        return Lanes(tokens, lanes, self.seq_len, whole=True)

    def _starts(self, text: str) -> Sequence[int]:
        return document_starts(text, self.document_end)

    def _train_lanes(self, vocabulary: CharacterVocabulary, text: str) -> AnyLanes:
        tokens = vocabulary.encode(text)
        if self.documents == "reset" and len(tokens) > 1:
            return DocumentLanes(tokens, self._starts(text), self.batch_size, self.seq_len)
        steps = len(tokens) - 1
        if steps >= self.batch_size * self.seq_len:
            return Lanes(tokens, self.batch_size, self.seq_len)
        if steps >= self.seq_len:
            todo = f"give a longer text, or a batch_size of at most {steps // self.seq_len}"
        else:
            shorter = f"a seq_len of at most {steps} with batch_size 1"
            todo = "give a longer text" + (f", or {shorter}" if steps else "")
        raise UserError(
            f"the training text of {len(tokens)} characters is too short for {self.batch_size} "
            f"lanes (batch_size) of {self.seq_len} characters (seq_len)",
            where="data",
            todo=todo,
        )


def builtin_text() -> str:
    """Return the text that comes with Python: its language reference, topic by topic."""
    return "\n".join(topics[name] for name in sorted(topics))


def read_text(path: Path) -> str:
    """Read a UTF-8 file.

    Raises:
        UserError: It is missing, a folder, unreadable, empty or not UTF-8 (with the position).
    """
    if path.is_dir():
        texts = sorted(str(file) for file in path.glob("*.txt"))
        raise UserError(
            f"'{path}' is a folder",
            where="data.path",
            accepted=texts,
            todo="name one UTF-8 text file",
        )
    if not path.is_file():
        siblings = [str(file) for file in path.parent.glob("*")] if path.parent.is_dir() else []
        raise UserError(
            f"there is no text file '{path}'",
            where="data.path",
            closest=closest_match(str(path), siblings),
            todo="give a UTF-8 text file; without a path the text that ships with Python is used",
        )
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise UserError(f"cannot read '{path}': {error.strerror}", where="data.path") from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"'{path}' is not UTF-8: byte {error.object[error.start]:#04x} at {error.start}",
            where="data.path",
            todo=f"convert it, for example: iconv -f latin1 -t utf-8 {quote(str(path))} > utf8.txt",
        ) from error
    if not text.strip():
        raise UserError(f"'{path}' holds no text", where="data.path", todo="give a longer file")
    return text
