from hypothesis import given
from hypothesis import strategies as st

from seqforge.corpus.lanes import training_length


@given(length=st.integers(1, 10**10), percent=st.integers(0, 99))
def test_the_split_is_exact(length: int, percent: int) -> None:
    assert training_length(length, percent / 100) == length * (100 - percent) // 100


def test_the_split_of_tinyshakespeare() -> None:
    assert training_length(1_115_394, 0.1) == 1_003_854
