"""The stop string: what comes out is what stands before it, however the text is cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge_tasks.char_generation.stop import StopFilter

texts = st.text("ab\n", max_size=12)


@settings(deadline=None)
@given(st.lists(texts, max_size=6), st.text("ab\n", min_size=1, max_size=4))
def test_a_text_ends_before_its_stop_string(pieces: list[str], stop: str) -> None:
    whole, found = "".join(pieces), StopFilter(stop)
    out = ""
    for number, piece in enumerate(pieces):
        out += found.feed(piece)
        seen = "".join(pieces[: number + 1])
        assert found.found == (stop in seen)
        # All is given out but what the stop string may still take away.
        if not found.found:
            held = len(seen) - len(out)
            assert held == max(n for n in range(len(stop)) if seen.endswith(stop[:n]))
    out += found.close()

    assert out == whole.partition(stop)[0]
    assert found.close() == ""


@pytest.mark.parametrize(
    ("stop", "text", "pieces"),
    [
        ("", "abc", ["a", "b", "c", ""]),
        ("ab", "aab", ["", "a", "", ""]),
        ("aab", "aaab", ["", "", "a", "", ""]),
        ("abac", "ababac", ["", "", "", "ab", "", "", ""]),
        ("x", "axb", ["a", "", "", ""]),
        ("bc", "ab", ["a", "", "b"]),
    ],
)
def test_a_possible_beginning_is_held_back(stop: str, text: str, pieces: list[str]) -> None:
    found = StopFilter(stop)

    assert [*[found.feed(sign) for sign in text], found.close()] == pieces
