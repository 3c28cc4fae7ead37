"""The folder in which encoded corpora are kept."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from pytorch_lightning import Trainer

from seqforge.corpus.corpus import Corpus, read_corpus
from seqforge.corpus.source import TextSource
from seqforge.corpus.writer import FORMAT, CorpusWriter
from seqforge.errors import UserError

LARGE = 100 * 2**20
"""Bytes from which on encoding is announced, since it takes more than a moment."""

ABANDONED = 3600.0
"""Seconds after which a half-written corpus is taken for one that nobody writes any more."""


def cache_folder(given: str | None, trainer: Trainer | None) -> Path:
    """Return the folder in which what is made of a text is kept for other runs.

    Args:
        given: What the user named; None: `cache` beside the run folders.
        trainer: Knows where those are; None: in `runs`.
    """
    if given is not None:
        return Path(given)
    root = "runs" if trainer is None else str(trainer.default_root_dir)
    if "://" in root:
        root = "runs"  # only files of this machine can be mapped into memory
    # A run's folder is one of many: the next run wants the same text.
    runs = Path(root).parent if (Path(root) / "config.yaml").is_file() else Path(root)
    return runs / "cache"


def open_corpus(
    source: TextSource,
    folder: Path,
    unit: str = "characters",
    say: Callable[[str], None] | None = None,
) -> Corpus:
    """Return the encoded text of a source; it is encoded if that was not done before.

    A corpus is written under another name and renamed when it is whole. Several processes may ask
    at once: each may encode, the first to be done is kept, and all of them return the same.

    Args:
        source: The text. What is done with it, such as its split, is no part of the cache.
        folder: Where corpora are kept; made if needed.
        unit: "characters" or "bytes".
        say: Called with a line before a large text is encoded.

    Raises:
        UserError: The source cannot be read or holds no text, or the folder cannot be written.
    """
    key = source.key()
    text = json.dumps({"format": FORMAT, "unit": unit, **key}, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    name = f"{re.sub('[^A-Za-z0-9_-]+', '-', source.name)[:40]}-{digest}"
    target = folder / name
    corpus = read_corpus(target)
    if corpus is not None:
        return corpus
    if say is not None and source.size() > LARGE:
        say(f"encoding {source.size() / 2**20:,.0f} MiB of text, once: {target}")
    part = folder / f".{name}.{uuid.uuid4().hex[:8]}.part"
    try:
        part.mkdir(parents=True)
        _sweep(folder, name)
        if not CorpusWriter(part, unit).write(source, key):
            raise UserError(
                f"'{source.name}' holds no text",
                where="data",
                todo="give a text with more than white space in it",
            )
        return _keep(part, target)
    except OSError as error:
        raise UserError(
            f"cannot write the encoded text in '{folder}': {error.strerror}",
            where="data.cache",
            todo="make room there, or choose another folder: --data.cache FOLDER",
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        with contextlib.suppress(OSError):
            folder.rmdir()  # if it is empty, because nothing could be encoded


def _keep(part: Path, target: Path) -> Corpus:
    if target.exists() and read_corpus(target) is None:  # damaged
        damaged = part.with_suffix(".damaged.part")
        target.rename(damaged)
        shutil.rmtree(damaged, ignore_errors=True)
    try:
        part.rename(target)
    except OSError:
        # Another process was faster.
        if (corpus := read_corpus(target)) is not None:
            return corpus
        raise
    return Corpus(target)


def _sweep(folder: Path, name: str) -> None:
    """Remove what a killed process has left behind of this corpus."""
    for part in folder.glob(f".{name}.*.part"):
        try:
            newest = max(each.stat().st_mtime for each in (part, *part.iterdir()))
        except OSError:
            continue  # its own process has just renamed or removed it
        if time.time() - newest > ABANDONED:
            shutil.rmtree(part, ignore_errors=True)
