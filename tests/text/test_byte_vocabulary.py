"""Bytes as a vocabulary, against Python's own codec."""

from hypothesis import given
from hypothesis import strategies as st

from seqforge.text import ByteVocabulary, vocabulary_from_spec

VOCABULARY = ByteVocabulary()


@given(text=st.text())
def test_numbers_are_the_bytes_of_utf_8(text: str) -> None:
    encodable = text.encode("utf-8", "replace").decode()

    assert VOCABULARY.encode(text).tolist() == list(encodable.encode())
    assert VOCABULARY.decode(VOCABULARY.encode(text)) == encodable


@given(data=st.binary())
def test_what_comes_byte_by_byte_is_what_comes_at_once(data: bytes) -> None:
    decoder = VOCABULARY.decoder()

    pieces = [decoder.feed(number) for number in data]

    assert "".join(pieces) + decoder.close() == data.decode("utf-8", "replace")


def test_a_character_comes_with_its_last_byte() -> None:
    decoder = VOCABULARY.decoder()

    assert [decoder.feed(number) for number in "aé€".encode()] == ["a", "", "é", "", "", "€"]
    assert decoder.close() == ""


def test_half_a_character_is_replaced_at_the_end() -> None:
    decoder = VOCABULARY.decoder()

    assert [decoder.feed(number) for number in "€".encode()[:2]] == ["", ""]
    assert decoder.close() == "\ufffd"


def test_no_text_is_unknown() -> None:
    VOCABULARY.require_known("\ud800 \ufffd")

    assert VOCABULARY.knows("\ud800 \ufffd")
    assert VOCABULARY.unknown is None
    assert len(VOCABULARY) == 256


def test_it_is_rebuilt_from_its_spec() -> None:
    rebuilt = vocabulary_from_spec(VOCABULARY.spec())

    assert rebuilt.unit == "byte"
    assert rebuilt.decode(rebuilt.encode("é")) == "é"
