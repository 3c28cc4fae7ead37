"""Making the vocabularies of a training part, once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from seqforge.corpus import kept_vocabulary
from seqforge.errors import UserError
from seqforge.text import SentenceVocabulary, train_subwords, train_words
from seqforge_tasks.translation.parallel.options import PairOptions


def learn_vocabularies(
    source: Sequence[str], target: Sequence[str], options: PairOptions, folder: Path
) -> tuple[SentenceVocabulary, SentenceVocabulary]:
    """Return the vocabularies of source and target; a joint one is the same object twice.

    They depend on the texts and the options alone, and are kept in a folder for others.

    Args:
        source: Prepared texts of the training part.
        target: Their translations, prepared.
        options: What is asked for.
        folder: Where vocabularies are kept.

    Raises:
        UserError: The texts do not make such a vocabulary, or the folder cannot be written.
    """
    if options.joint:
        name = f"{options.source}-{options.target}"
        both = _learn(name, (source, target), options, folder)
        return both, both
    return (
        _learn(options.source, (source,), options, folder),
        _learn(options.target, (target,), options, folder),
    )


def _learn(
    name: str, texts: Sequence[Sequence[str]], options: PairOptions, folder: Path
) -> SentenceVocabulary:
    key = {"text": _digest(chain.from_iterable(texts)), **_asked(options)}
    train = partial(_train, texts, options)
    return kept_vocabulary(folder, f"{options.vocabulary}-{name}", key, train)


def _train(texts: Sequence[Sequence[str]], options: PairOptions) -> SentenceVocabulary:
    lines = chain.from_iterable(texts)
    try:
        if options.vocabulary == "words":
            return train_words(lines, size=options.vocabulary_size, min_count=options.min_count)
        return train_subwords(
            lines,
            size=options.vocabulary_size,
            model=options.vocabulary,
            byte_fallback=options.byte_fallback,
        )
    except UserError as error:
        of_words = options.vocabulary == "words"
        error.where = f"data.{'min_count' if of_words else 'vocabulary_size'}"
        raise


def _asked(options: PairOptions) -> dict[str, Any]:
    """Return what a vocabulary depends on beside its text."""
    asked = {"vocabulary": options.vocabulary, "size": options.vocabulary_size}
    if options.vocabulary == "words":
        return {**asked, "min_count": options.min_count}
    # Another version of the library may cut otherwise.
    trainer = version("sentencepiece")
    return {**asked, "byte_fallback": options.byte_fallback, "sentencepiece": trainer}


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "replace") + b"\n")
    return digest.hexdigest()
