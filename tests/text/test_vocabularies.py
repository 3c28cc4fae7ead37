"""The vocabulary that a spec names."""

import pytest

from seqforge.errors import UserError
from seqforge.text import (
    CharacterVocabulary,
    sentence_vocabulary_from_spec,
    vocabulary_from_spec,
)


def test_characters_keep_their_numbers() -> None:
    vocabulary = CharacterVocabulary("ba c")

    rebuilt = vocabulary_from_spec(vocabulary.spec())

    assert rebuilt.encode("cab!").tolist() == vocabulary.encode("cab!").tolist() == [4, 2, 1, 0]


def test_a_kind_that_does_not_exist() -> None:
    with pytest.raises(UserError, match="no vocabulary of kind 'byte'") as caught:
        vocabulary_from_spec({"kind": "byte"})

    assert caught.value.closest == "bytes"
    assert len(str(caught.value).splitlines()) <= 5


def test_a_kind_without_marks_for_sentences() -> None:
    with pytest.raises(UserError, match="kind 'characters' has no marks") as caught:
        sentence_vocabulary_from_spec(CharacterVocabulary("ab").spec())

    assert caught.value.accepted == ("subwords", "words")
    with pytest.raises(UserError, match="no vocabulary of kind 'word'"):
        sentence_vocabulary_from_spec({"kind": "word"})
