"""Subwords: texts come back as they were, numbers are the library's own."""

import io
import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

from seqforge.errors import UserError
from seqforge.text import (
    UNKNOWN,
    SubwordVocabulary,
    sentence_vocabulary_from_spec,
    train_subwords,
    vocabulary_from_spec,
)

TEXTS = [
    "Un chat rouge dort sur l'herbe .",
    "A red cat sleeps on the grass .",
    "L’homme a dit\u00a0: «\u00a0oui\u00a0»  !",
    "The man said: yes, twice  as loud",
] * 4

UNIGRAM = train_subwords(TEXTS, size=70)
FALLBACK = train_subwords(TEXTS, size=340, byte_fallback=True)
KNOWN = sorted(set("".join(TEXTS)))


def _library(vocabulary: SubwordVocabulary) -> SentencePieceProcessor:
    return SentencePieceProcessor(model_proto=vocabulary.model)


@settings(deadline=None)
@given(st.text(KNOWN, max_size=30))
def test_known_text_comes_back_as_it_was(text: str) -> None:
    numbers = UNIGRAM.encode(text)

    assert UNIGRAM.decode(numbers) == text
    assert UNIGRAM.encode_all([text]) == [numbers.tolist()]
    assert UNIGRAM.knows(text)
    assert not {0, 1, 2, 3} & set(numbers.tolist())


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="\u2581", codec="utf-8"), max_size=20))
def test_bytes_stand_in_for_unknown_characters(text: str) -> None:
    assert FALLBACK.decode(FALLBACK.encode(text)) == text


@settings(deadline=None)
@given(st.lists(st.integers(4, len(FALLBACK) - 1), max_size=12))
def test_any_numbers_decode_as_the_library_decodes_them(numbers: list[int]) -> None:
    # But for where broken bytes end: the library marks each of them, Python each broken character.
    theirs = _library(FALLBACK).decode(numbers)
    ours = FALLBACK.decode(numbers)

    assert ours.replace(UNKNOWN, "") == theirs.replace(UNKNOWN, "")


def test_marks_are_dropped_and_shown() -> None:
    marked = [2, *UNIGRAM.encode("red cat"), 3, 0, 0]
    shown = UNIGRAM.pieces(marked)

    assert UNIGRAM.decode(marked) == "red cat"
    assert len(shown) == len(marked)
    assert shown[0] == "<s>"
    assert shown[-3:] == ["</s>", "<pad>", "<pad>"]
    assert all(each.strip() for each in shown)
    assert (UNIGRAM.padding, UNIGRAM.unknown, UNIGRAM.begin, UNIGRAM.end) == (0, 1, 2, 3)


def test_unknown_characters() -> None:
    assert UNIGRAM.decode(UNIGRAM.encode("red 日 cat")) == f"red {UNKNOWN} cat"
    assert UNIGRAM.decode(UNIGRAM.encode("\ud800")) == UNKNOWN  # no UTF-8 form
    assert not UNIGRAM.knows("日")
    UNIGRAM.require_known("red cat")
    with pytest.raises(UserError, match="'日' at place 4"):
        UNIGRAM.require_known("red 日")


def test_a_spec_is_plain_and_rebuilds_it() -> None:
    spec = json.loads(json.dumps(UNIGRAM.spec()))

    for rebuilt in (
        vocabulary_from_spec(spec),
        sentence_vocabulary_from_spec(spec),
        pickle.loads(pickle.dumps(UNIGRAM)),
    ):
        assert len(rebuilt) == len(UNIGRAM)
        assert rebuilt.encode(TEXTS[0]).tolist() == UNIGRAM.encode(TEXTS[0]).tolist()


def test_another_segmentation_of_the_same_text() -> None:
    text = TEXTS[0]
    drawn = [UNIGRAM.sample(text, seed, 0.1).tolist() for seed in range(20)]
    again = [UNIGRAM.sample(text, seed, 0.1).tolist() for seed in reversed(range(20))]

    assert drawn == again[::-1]
    assert len({tuple(each) for each in drawn}) > 10
    assert {UNIGRAM.decode(each) for each in drawn} == {text}


def test_marks_with_other_numbers() -> None:
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_writer=model,
        vocab_size=60,
        hard_vocab_limit=False,
        minloglevel=3,
    )
    with pytest.raises(ValueError, match=r"are \[-1, 0, 1, 2\]"):
        SubwordVocabulary(model.getvalue())
