"""Making the vocabulary of the training captions, once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from seqforge.corpus import kept_vocabulary
from seqforge.errors import UserError
from seqforge.text import SentenceVocabulary, train_subwords, train_words
from seqforge_tasks.captioning.photos.options import CaptionOptions


def learn_vocabulary(
    captions: Sequence[str], options: CaptionOptions, folder: Path
) -> SentenceVocabulary:
    """Return the vocabulary of prepared captions, which is kept in a folder for other processes.

    It depends on the captions, not on their order, and on the options alone.

    Args:
        captions: Prepared captions of the training part.
        options: What is asked for.
        folder: Where vocabularies are kept.

    Raises:
        UserError: The captions do not make such a vocabulary, or the folder cannot be written.
    """
    ordered = sorted(captions)
    key = {
        "captions": hashlib.sha256("\n".join(ordered).encode("utf-8", "replace")).hexdigest(),
        "vocabulary": options.vocabulary,
        "size": options.vocabulary_size,
        # Another version of the library may cut otherwise.
        **(
            {"min_count": options.min_count}
            if options.vocabulary == "words"
            else {"sentencepiece": version("sentencepiece")}
        ),
    }
    return kept_vocabulary(
        folder, f"{options.vocabulary}-captions", key, lambda: _train(ordered, options)
    )


def _train(captions: Sequence[str], options: CaptionOptions) -> SentenceVocabulary:
    of_words = options.vocabulary == "words"
    try:
        if of_words:
            return train_words(captions, size=options.vocabulary_size, min_count=options.min_count)
        return train_subwords(captions, size=options.vocabulary_size)
    except UserError as error:
        error.where = f"data.{'min_count' if of_words else 'vocabulary_size'}"
        raise
