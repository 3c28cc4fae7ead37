"""Vocabularies by the kind that their spec names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqforge.errors import UserError, closest_match
from seqforge.text.byte_vocabulary import ByteVocabulary
from seqforge.text.character_vocabulary import CharacterVocabulary
from seqforge.text.vocabulary import Vocabulary

KINDS: dict[str, type[CharacterVocabulary] | type[ByteVocabulary]] = {
    each.kind: each for each in (CharacterVocabulary, ByteVocabulary)
}


def vocabulary_from_spec(spec: Mapping[str, Any]) -> Vocabulary:
    """Rebuild whichever vocabulary a spec describes.

    Raises:
        UserError: There is no such kind of vocabulary.
    """
    kind = str(spec.get("kind"))
    if kind not in KINDS:
        raise UserError(
            f"there is no vocabulary of kind '{kind}'",
            where="spec.vocabulary.kind",
            accepted=KINDS,
            closest=closest_match(kind, KINDS),
            todo="the checkpoint may come from a newer seqforge",
        )
    return KINDS[kind].from_spec(spec)
