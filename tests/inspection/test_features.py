import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge.inspection.features import FEATURES, Feature

BY_NAME = {feature.name: feature for feature in FEATURES}


def marks(name: str, text: str) -> str:
    """The value at each character, as a digit."""
    return "".join(str(int(value)) for value in BY_NAME[name].values(list(text)))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("inside quotes", 'a "b c" d', "001111000"),
        ("inside quotes", "a “b” “c", "00110011"),
        ("inside quotes", '"a\n\nb "c', "111000" + "11"),  # an empty line ends what was left open
        ("inside quotes", "it's", "0000"),
        ("inside brackets", "a(b[c])d)e", "0111110000"),
        ("inside brackets", "(a\n\nb", "11100"),
        ("place in the line", "ab\ncd\n\ne", "12012001"),
        ("place in the line", "abcd", "0000"),  # without lines there is no place in one
        ("place in the line", "\nabcd", "00000"),  # nor after an opening
        ("line end", "ab\n\nc\n", "011010"),
        ("line end", "abc", "000"),
        ("indentation", "  a b\n\tc\nd", "1222201100"),
        ("inside a word", "It's 9!", "1101000"),
        ("capital letters", "It IS", "10011"),
        ("digits", "a1 23", "01011"),
    ],
)
def test_values(name: str, text: str, expected: str) -> None:
    assert marks(name, text) == expected


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@given(text=st.text('ab"“”([{)]} \t\n1A', max_size=60), rest=st.text('a"(\n', max_size=9))
def test_nothing_later_is_looked_at(feature: Feature, text: str, rest: str) -> None:
    text = "a\n" + text  # whether there are lines at all is a matter of the whole text
    values = feature.values(list(text + rest))

    assert len(values) == len(text + rest)
    assert (values >= 0).all()
    before = len(text) - (feature.name == "line end")  # which is about the next symbol
    assert list(values[:before]) == list(feature.values(list(text)))[:before]


def test_symbols_of_several_bytes_show_nothing_at_first() -> None:
    assert list(BY_NAME["inside a word"].values(["", "é", " "])) == [0, 1, 0]


@pytest.mark.parametrize(
    ("text", "occurs"),
    [("a" * 20, False), ("a" * 20 + "1" * 4, False), ("a" * 20 + "1" * 5, True), ("", False)],
)
def test_what_is_rare_does_not_occur(text: str, occurs: bool) -> None:
    digits = BY_NAME["digits"]

    assert digits.occurs(digits.values(list(text))) is occurs
