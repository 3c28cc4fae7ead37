from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.metrics import caption_tokens
from tests.metrics.caption_fixtures import HYPOTHESES, REFERENCES, TOKENS

WORDS = st.sampled_from(
    [
        *(
            "a",
            "Dog",
            "man's",
            "dogs'",
            "isn't",
            "can't",
            "I'm",
            "they're",
            "t-shirt",
            "black/white",
        ),
        *("café", "1,000", "3:30", "2.5", "1950s", "$5", "50%", "Mr.", "U.S.", "p.m.", "o'clock"),
        *(
            "cannot",
            "gonna",
            "'em",
            "(left)",
            "[b]",
            '"Stop"',
            "wow!!",
            "...",
            "-",
            ";",
            "…",
            "“so”",
        ),
    ]
)


@pytest.mark.parametrize(("text", "expected"), TOKENS)
def test_the_stanford_tokenizer_finds_the_same(text: str, expected: list[str]) -> None:
    assert caption_tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The signs that the evaluation leaves out, and those that it keeps.
        ("Stop! Go? Yes: red; a, by.", ["stop", "go", "yes", "red", "a", "by"]),
        ("(a)", ["-lrb-", "a", "-rrb-"]),
        ("50 % & more", ["50", "%", "&", "more"]),
        ("q&amp;a &quot;x&quot;", ["q", "&", "a", "x"]),
        ("cafe\u0301", ["café"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("٣٤ مرحبا", ["٣٤", "مرحبا"]),
        ("one\u2028two\u3000three", ["one", "two", "three"]),
        ("", []),
        (" .\n", []),
    ],
)
def test_words_are_split_and_signs_left_out(text: str, expected: list[str]) -> None:
    assert caption_tokens(text) == expected


@given(words=st.lists(WORDS, max_size=8))
@settings(max_examples=200, deadline=None)
def test_tokens_are_tokens_again(words: list[str]) -> None:
    found = caption_tokens(" ".join(words))

    assert caption_tokens(" ".join(found)) == found


def test_captions_tokens_are_tokens_again() -> None:
    for text in [*HYPOTHESES, *(each for known in REFERENCES for each in known)]:
        found = caption_tokens(text)
        assert caption_tokens(" ".join(found)) == found


@given(st.text(alphabet="abcdefgABCDEFG \t\n", max_size=40))
@settings(max_examples=100, deadline=None)
def test_plain_words_are_only_lowered(text: str) -> None:
    assert caption_tokens(text) == text.lower().split()


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_has_words_without_spaces(text: str) -> None:
    for word in caption_tokens(text):
        assert word.split() == [word]
        assert word not in {".", ",", "!", "?", ":", ";", "-", "--", "...", "'", "''", "`", "``"}
