"""Trained vocabularies, kept beside the runs for other processes and other runs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seqforge.corpus.writer import synchronise
from seqforge.errors import UserError
from seqforge.text.sentence_vocabulary import SentenceVocabulary
from seqforge.text.vocabularies import sentence_vocabulary_from_spec


def kept_vocabulary(
    folder: Path,
    name: str,
    key: Mapping[str, Any],
    train: Callable[[], SentenceVocabulary],
) -> SentenceVocabulary:
    """Return the vocabulary of a key; it is trained if that was not done before.

    It is written under another name and renamed when it is whole. Several processes may ask at
    once: each may train, and all of them come to the same vocabulary.

    Args:
        folder: Where vocabularies are kept; made if needed.
        name: What the file's name begins with, for people.
        key: All that the vocabulary depends on, as plain values.
        train: Makes it.

    Raises:
        UserError: The vocabulary cannot be trained, or the folder cannot be written.
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:12]
    target = folder / f"{name}-{digest}.json"
    known = _read(target)
    if known is not None:
        return known
    vocabulary = train()
    part = folder / f".{target.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(vocabulary.spec(), ensure_ascii=True), encoding="ascii")
        synchronise(part)
        part.replace(target)
    except OSError as error:
        raise UserError(
            f"cannot write the vocabulary in '{folder}': {error.strerror}",
            where="data.cache",
            todo="make room there, or choose another folder: --data.cache FOLDER",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()  # if it was not renamed
    return vocabulary


def _read(file: Path) -> SentenceVocabulary | None:
    """Return a file's vocabulary; None if there is none, or a damaged one."""
    try:
        return sentence_vocabulary_from_spec(json.loads(file.read_text(encoding="ascii")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, UserError):
        return None
