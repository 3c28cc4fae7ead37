import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge.errors import UserError
from seqforge.text import UNKNOWN, CharacterVocabulary


@given(text=st.text(min_size=1).filter(lambda text: UNKNOWN not in text))
def test_a_text_comes_back(text: str) -> None:
    vocabulary = CharacterVocabulary.of(text)
    numbers = vocabulary.encode(text)

    assert vocabulary.decode(numbers.tolist()) == text
    assert numbers.min() >= 1
    assert numbers.max() < len(vocabulary) == len(set(text)) + 1


def test_unknown_characters_become_number_zero() -> None:
    vocabulary = CharacterVocabulary("ab")

    assert vocabulary.encode("axb" + UNKNOWN).tolist() == [1, 0, 2, 0]
    assert vocabulary.decode([1, 0]) == f"a{UNKNOWN}"
    assert len(vocabulary.encode("")) == 0


def test_numbers_do_not_depend_on_the_order_of_the_text() -> None:
    assert CharacterVocabulary.of("hello").characters == CharacterVocabulary.of("olleh").characters


def test_its_spec_is_plain_and_rebuilds_it() -> None:
    vocabulary = CharacterVocabulary("bä\n")
    spec = json.loads(json.dumps(vocabulary.spec()))

    assert CharacterVocabulary.from_spec(spec).encode("ä\nb").tolist() == [2, 3, 1]


@pytest.mark.parametrize("characters", ["", "aba"])
def test_repeats_and_nothing_are_refused(characters: str) -> None:
    with pytest.raises(ValueError, match="at least one character and no repeats"):
        CharacterVocabulary(characters)


def test_an_unknown_character_is_named_with_its_place() -> None:
    CharacterVocabulary("ab").require_known("abba")
    with pytest.raises(UserError, match="'x' at place 2"):
        CharacterVocabulary("ab").require_known("abx")


def test_the_unknown_character_is_not_known_itself() -> None:
    assert not CharacterVocabulary("ab").knows(f"a{UNKNOWN}")
    with pytest.raises(UserError, match="at place 1 was not"):
        CharacterVocabulary("ab").require_known(f"a{UNKNOWN}")
