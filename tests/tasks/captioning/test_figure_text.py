"""Text is broken into lines that fit, and nothing of it is lost that need not be."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge_tasks.captioning.figure_text import UNSEEN, drawable, text_width, wrapped

WORDS = st.lists(st.text("abcWi'é", min_size=1, max_size=12), max_size=12)


@settings(max_examples=25, deadline=None)
@given(words=WORDS, width=st.floats(30, 300), size=st.sampled_from([8.0, 10.0, 14.0]))
def test_lines_fit_and_keep_all_words(words: list[str], width: float, size: float) -> None:
    lines = wrapped(" ".join(words), width, size, 1000)

    assert "".join(lines).replace(" ", "") == "".join(words)
    assert all(text_width(line, size) <= width for line in lines)
    for line, following in pairwise(lines):
        # Greedy: the next word would not have fitted.
        assert text_width(f"{line} {following.split()[0]}", size) > width or " " not in line


@settings(max_examples=20, deadline=None)
@given(words=WORDS, lines=st.integers(1, 3))
def test_what_is_too_long_is_cut(words: list[str], lines: int) -> None:
    text = " ".join(words)
    whole, cut = wrapped(text, 60.0, 10.0, 1000), wrapped(text, 60.0, 10.0, lines)

    assert len(cut) == min(len(whole), lines)
    assert all(text_width(line, 10.0) <= 60.0 for line in cut)
    assert ("…" in "".join(cut)) == (len(whole) > lines)
    assert cut[:-1] == whole[: len(cut) - 1]


def test_words_stay_whole_where_they_fit() -> None:
    assert wrapped("a small dog runs", text_width("a small dog", 10.0) + 1, 10.0, 4) == [
        "a small dog",
        "runs",
    ]
    assert wrapped("  ", 50.0, 10.0, 4) == []
    assert len(wrapped("iiii", 0.1, 10.0, 10)) == 4


def test_signs_that_the_font_lacks() -> None:
    assert drawable("a dog’s déjà vu") == "a dog’s déjà vu"
    assert drawable("一只狗") == UNSEEN * 3
    assert drawable("a\tb\x00c") == "a b c"


def test_widths_grow_with_the_size() -> None:
    assert text_width("WWW", 10.0) > text_width("iii", 10.0) > 0
    assert text_width("a man", 20.0) == 2 * text_width("a man", 10.0)
