"""Packed texts and numbers are the lists that they were made of."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.text import PackedNumbers, PackedTexts


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=8))
def test_texts(texts: list[str]) -> None:
    packed = pickle.loads(pickle.dumps(PackedTexts(texts)))

    assert [packed[index] for index in range(len(packed))] == texts


@settings(deadline=None)
@given(
    st.sampled_from([1, 256, 257, 70_000, 2**33]).flatmap(
        lambda below: st.tuples(
            st.just(below), st.lists(st.lists(st.integers(0, below - 1), max_size=5), max_size=5)
        )
    )
)
def test_numbers(case: tuple[int, list[list[int]]]) -> None:
    below, rows = case
    packed = pickle.loads(pickle.dumps(PackedNumbers(rows, below)))

    assert [packed[index].tolist() for index in range(len(packed))] == rows
    assert packed.lengths.tolist() == [len(row) for row in rows]


def test_there_is_nothing_beside_them() -> None:
    for packed in (PackedTexts(["a"]), PackedNumbers([[1]], 2)):
        for index in (-1, 1):
            with pytest.raises(IndexError):
                packed[index]
