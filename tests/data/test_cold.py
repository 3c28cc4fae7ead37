import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqforge.data import ColdWindows, Lanes


@given(size=st.integers(2, 90), window=st.integers(1, 12), rows=st.integers(1, 5))
def test_every_token_but_the_first_is_a_target_once(size: int, window: int, rows: int) -> None:
    windows = ColdWindows(np.arange(size) + 5, window, rows)
    targets: list[int] = []
    for index in range(windows.plan.batches()):
        numbers = windows.plan.batch(0, index)
        batch = Lanes.collate(numbers, [windows[number] for number in numbers])
        assert batch.starts is not None
        assert batch.starts.all()
        assert batch.inputs.shape == (len(numbers), window)
        for row, length in enumerate(batch.lengths.tolist()):
            targets += batch.targets[row, :length].tolist()
            assert torch.equal(batch.inputs[row, :length] + 1, batch.targets[row, :length])
            assert not batch.inputs[row, length:].any()

    assert targets == list(range(6, size + 5))


@pytest.mark.parametrize(("size", "window"), [(1, 4), (5, 0)])
def test_what_cannot_be_cut_is_refused(size: int, window: int) -> None:
    with pytest.raises(ValueError, match="cannot be cut"):
        ColdWindows(np.arange(size), window, 4)
