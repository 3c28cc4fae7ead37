"""Captions as the network reads them, and as people do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge_tasks.captioning.photos.caption_text import prepared, readable


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("A man's dog, on a T-shirt .", "a man 's dog on a t-shirt"),
        ("Two boys don't care!", "two boys do n't care"),
        ("  .  ", ""),
    ],
)
def test_captions_are_tokenised(caption: str, expected: str) -> None:
    assert prepared(caption) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a man 's dog", "a man's dog"),
        ("they 're here and we 've seen i 'm", "they're here and we've seen i'm"),
        ("it does n't move", "it doesn't move"),
        ("a dog", "a dog"),
        ("rock 'n roll", "rock 'n roll"),
        ("", ""),
    ],
)
def test_tokens_are_joined_for_people(text: str, expected: str) -> None:
    assert readable(text) == expected


@given(st.text(alphabet="ab '.,-st", max_size=30))
def test_prepared_text_stays_as_it_is(caption: str) -> None:
    once = prepared(caption)

    assert prepared(once) == once


@pytest.mark.parametrize("caption", ["the dog's bone", "she isn't there", "we'll see"])
def test_reading_out_undoes_the_tokens(caption: str) -> None:
    assert readable(prepared(caption)) == caption
