"""Training a subword vocabulary."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from sentencepiece import SentencePieceTrainer

from seqforge.errors import UserError
from seqforge.text.character_vocabulary import UNKNOWN
from seqforge.text.sentence_vocabulary import BEGIN, END, MARKS, PADDING, UNKNOWN_NUMBER
from seqforge.text.subword_vocabulary import SubwordVocabulary

Model = Literal["unigram", "bpe", "char"]

THREADS: Final = 4
"""A fixed number, since sums that are shared out otherwise are rounded otherwise."""

LONGEST: Final = 2**16
"""Bytes of a text from which on the trainer leaves it out."""


def train_subwords(
    texts: Iterable[str],
    *,
    size: int,
    model: Model = "unigram",
    byte_fallback: bool = False,
    character_coverage: float = 1.0,
    normalization: Literal["identity", "nmt_nfkc"] = "identity",
) -> SubwordVocabulary:
    """Return a vocabulary trained on texts; the same texts give the same one everywhere.

    A text too small for `size` pieces gives as many as it has; `len` tells.

    Args:
        texts: The (training) texts, a sentence each.
        size: Pieces, the four marks included.
        model: "unigram" (Kudo 2018), "bpe" (Sennrich et al. 2016), or "char": single characters.
        byte_fallback: Write unknown characters in bytes, for which 256 pieces are spent.
        character_coverage: Share of the texts' characters that is known; the rarest are left out.
        normalization: "identity" leaves texts as they are, so that they can be decoded exactly;
            "nmt_nfkc" replaces compatibility characters, no-break spaces by spaces for instance.

    Raises:
        UserError: There is no text, or the size is too small for its characters.
    """
    written = io.BytesIO()
    try:
        SentencePieceTrainer.train(
            sentence_iterator=_not_empty(texts),
            model_writer=written,
            model_type=model,
            vocab_size=size,
            hard_vocab_limit=False,
            byte_fallback=byte_fallback,
            character_coverage=character_coverage,
            normalization_rule_name=normalization,
            # Two spaces stay two: what is decoded is what was encoded.
            remove_extra_whitespaces=normalization != "identity",
            unk_surface=UNKNOWN,
            max_sentence_length=LONGEST,
            num_threads=THREADS,
            minloglevel=3,
            pad_id=PADDING,
            unk_id=UNKNOWN_NUMBER,
            bos_id=BEGIN,
            eos_id=END,
            pad_piece=MARKS[PADDING],
            unk_piece=MARKS[UNKNOWN_NUMBER],
            bos_piece=MARKS[BEGIN],
            eos_piece=MARKS[END],
        )
    except RuntimeError as error:
        raise _explained(error, size) from error
    return SubwordVocabulary(written.getvalue())


def _not_empty(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        if text.strip():
            yield text


def _explained(error: RuntimeError, size: int) -> Exception:
    reason = str(error)
    if "sentences_.empty()" in reason:
        return UserError(
            "there is no text to train a vocabulary on", todo="give texts that are not empty"
        )
    if size <= len(MARKS):
        return UserError(
            f"a vocabulary of {size} pieces has no room for more than its {len(MARKS)} marks",
            where="vocabulary_size",
            todo="give as many as the text has characters, at least",
        )
    # The library's own words: "… smaller than required_chars. 50 vs 106."
    if needed := re.search(r"required_chars\D*\d+ vs (\d+)", reason):
        return UserError(
            f"a vocabulary of {size} pieces has no room for the {needed[1]} that the text's "
            "characters and the marks need",
            where="vocabulary_size",
            todo=f"give at least {needed[1]}",
        )
    return error
