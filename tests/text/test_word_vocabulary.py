"""Words of text that is tokenised already."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.errors import UserError
from seqforge.text import UNKNOWN, WordVocabulary, sentence_vocabulary_from_spec, train_words

TEXTS = ["the cat and the dog", "a cat </s> a", "the\u00a0end"]


def test_words_are_numbered_by_frequency_and_then_by_the_alphabet() -> None:
    vocabulary = train_words(TEXTS)

    assert vocabulary.words == ("a", "cat", "the", "</s>", "and", "dog", "the\u00a0end")
    assert vocabulary.encode("the cat runs").tolist() == [6, 5, 1]
    assert len(vocabulary) == 11


@settings(deadline=None)
@given(st.lists(st.text("abc", min_size=1, max_size=2), min_size=1, max_size=30), st.integers(1, 3))
def test_the_kept_words_are_the_commonest(words: list[str], min_count: int) -> None:
    counts = Counter(words)
    if max(counts.values()) < min_count:
        return
    kept = train_words([" ".join(words)], size=7, min_count=min_count).words

    assert len(kept) == min(3, sum(count >= min_count for count in counts.values()))
    assert all(counts[word] >= min_count for word in kept)
    left = [counts[word] for word in counts if word not in kept]
    assert min(counts[word] for word in kept) >= max(left, default=0)


def test_text_comes_back_with_single_spaces() -> None:
    vocabulary = train_words(TEXTS)

    assert vocabulary.decode(vocabulary.encode(" the  cat ")) == "the cat"
    assert vocabulary.decode([2, 6, 3, 0]) == "the"
    assert vocabulary.decode(vocabulary.encode("the bird")) == f"the {UNKNOWN}"
    decoder = vocabulary.decoder()
    assert "".join(map(decoder.feed, [2, 6, 5, 3])) + decoder.close() == "the cat"
    assert vocabulary.pieces([2, 6, 1, 3, 0]) == ["<s>", "the", "<unk>", "</s>", "<pad>"]


def test_a_word_that_looks_like_a_mark_is_a_word() -> None:
    vocabulary = train_words(TEXTS)

    assert vocabulary.encode("</s>").tolist() == [7]
    assert vocabulary.decode([7]) == "</s>"


def test_a_spec_rebuilds_it() -> None:
    vocabulary = train_words(TEXTS)
    rebuilt = sentence_vocabulary_from_spec(json.loads(json.dumps(vocabulary.spec())))

    assert rebuilt.encode(TEXTS[1]).tolist() == vocabulary.encode(TEXTS[1]).tolist()
    assert rebuilt.encode_all(TEXTS) == [vocabulary.encode(text).tolist() for text in TEXTS]


def test_what_is_refused() -> None:
    vocabulary = train_words(TEXTS)
    vocabulary.require_known("the dog")
    assert not vocabulary.knows("the bird")
    with pytest.raises(UserError, match="'bird' at place 1"):
        vocabulary.require_known("the bird")
    with pytest.raises(UserError, match="no word is left") as caught:
        train_words(TEXTS, min_count=9)
    assert "min_count is 9" in str(caught.value)
    with pytest.raises(ValueError, match="not repeated"):
        WordVocabulary(["a", "a"])
