"""Vocabularies by the kind that their spec names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqforge.errors import UserError, closest_match
from seqforge.text.byte_vocabulary import ByteVocabulary
from seqforge.text.character_vocabulary import CharacterVocabulary
from seqforge.text.sentence_vocabulary import SentenceVocabulary
from seqforge.text.subword_vocabulary import SubwordVocabulary
from seqforge.text.vocabulary import Vocabulary
from seqforge.text.word_vocabulary import WordVocabulary

SENTENCE_KINDS: dict[str, type[SubwordVocabulary] | type[WordVocabulary]] = {
    each.kind: each for each in (SubwordVocabulary, WordVocabulary)
}
"""Vocabularies with marks for where sentences begin and end."""

KINDS: dict[
    str,
    type[CharacterVocabulary]
    | type[ByteVocabulary]
    | type[SubwordVocabulary]
    | type[WordVocabulary],
] = {
    CharacterVocabulary.kind: CharacterVocabulary,
    ByteVocabulary.kind: ByteVocabulary,
    **SENTENCE_KINDS,
}


def vocabulary_from_spec(spec: Mapping[str, Any]) -> Vocabulary:
    """Rebuild whichever vocabulary a spec describes.

    Raises:
        UserError: There is no such kind of vocabulary.
    """
    kind = _kind(spec)
    return KINDS[kind].from_spec(spec)


def sentence_vocabulary_from_spec(spec: Mapping[str, Any]) -> SentenceVocabulary:
    """Rebuild a vocabulary of sentences from its spec.

    Raises:
        UserError: There is no such kind of vocabulary, or it has no marks for begin and end.
    """
    kind = _kind(spec)
    if kind not in SENTENCE_KINDS:
        raise UserError(
            f"a vocabulary of kind '{kind}' has no marks for where a sentence begins and ends",
            where="spec.vocabulary.kind",
            accepted=SENTENCE_KINDS,
            todo="use the data module that belongs to the task",
        )
    return SENTENCE_KINDS[kind].from_spec(spec)


def _kind(spec: Mapping[str, Any]) -> str:
    kind = str(spec.get("kind"))
    if kind not in KINDS:
        raise UserError(
            f"there is no vocabulary of kind '{kind}'",
            where="spec.vocabulary.kind",
            accepted=KINDS,
            closest=closest_match(kind, KINDS),
            todo="the checkpoint may come from a newer seqforge",
        )
    return kind
