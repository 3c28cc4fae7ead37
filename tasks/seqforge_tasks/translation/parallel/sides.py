"""`Side`: one language of a translation, with its vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqforge.text import Preparation, SentenceVocabulary, sentence_vocabulary_from_spec


@dataclass(frozen=True)
class Side:
    """The source or the target of a translation.

    Attributes:
        preparation: From its text to what is encoded, and back.
        vocabulary: From there to numbers, and back.
    """

    preparation: Preparation
    vocabulary: SentenceVocabulary

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the numbers of many texts, without marks."""
        return self.vocabulary.encode_all([self.preparation.apply(text) for text in texts])

    def spec(self, joint: bool = False) -> dict[str, Any]:
        """Return the side as plain values.

        Args:
            joint: Leave the vocabulary out, since it is that of the other side.
        """
        return {
            **self.preparation.spec(),
            "vocabulary": None if joint else self.vocabulary.spec(),
        }


def sides_from_spec(spec: Mapping[str, Any]) -> tuple[Side, Side]:
    """Rebuild source and target from the spec of translation data.

    A joint vocabulary is one and the same object on both sides.

    Raises:
        UserError: A vocabulary is of a kind that does not exist or has no marks.
    """
    source = sentence_vocabulary_from_spec(spec["source"]["vocabulary"])
    given = spec["target"]["vocabulary"]
    target = source if given is None else sentence_vocabulary_from_spec(given)
    return (
        Side(Preparation.from_spec(spec["source"]), source),
        Side(Preparation.from_spec(spec["target"]), target),
    )
