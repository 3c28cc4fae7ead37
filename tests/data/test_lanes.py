from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from seqforge.data import Lanes, TokenBatch


def _batches(lanes: Lanes) -> list[TokenBatch]:
    plan = lanes.plan
    numbers = [plan.batch(0, index) for index in range(plan.batches())]
    return [Lanes.collate(each, [lanes[number] for number in each]) for each in numbers]


@given(size=st.integers(2, 200), lanes=st.integers(1, 9), seq_len=st.integers(1, 12))
def test_rows_go_on_where_the_batch_before_ended(size: int, lanes: int, seq_len: int) -> None:
    assume(size - 1 >= lanes * seq_len)
    batches = _batches(Lanes(np.arange(size) + 5, lanes, seq_len))

    for before, after in pairwise(batches):
        assert torch.equal(after.inputs[:, 0], before.inputs[:, -1] + 1)
        assert torch.equal(after.inputs[:, 0], before.targets[:, -1])
    for batch in batches:
        assert batch.inputs.shape == (lanes, seq_len)
        assert torch.equal(batch.targets, batch.inputs + 1)
        assert (batch.lengths == seq_len).all()
    assert [bool(batch.starts.all()) for batch in batches if batch.starts is not None] == [
        index == 0 for index in range(len(batches))
    ]
    # Dropped is less than a chunk of each lane, and what does not divide.
    assert size - 1 - lanes * seq_len * len(batches) < lanes * seq_len


@given(size=st.integers(2, 200), lanes=st.integers(1, 9), seq_len=st.integers(1, 12))
def test_a_whole_stream_is_covered_exactly_once(size: int, lanes: int, seq_len: int) -> None:
    assume(size - 1 >= lanes)
    batches = _batches(Lanes(np.arange(size) + 5, lanes, seq_len, whole=True))
    targets, inputs = [], []
    for batch in batches:
        for row, length in enumerate(batch.lengths.tolist()):
            targets += batch.targets[row, :length].tolist()
            inputs += batch.inputs[row, :length].tolist()
            assert not batch.inputs[row, length:].any()
            assert not batch.targets[row, length:].any()

    assert sorted(targets) == list(range(6, size + 5))
    assert sorted(inputs) == list(range(5, size + 4))


def test_a_stream_may_be_a_memory_map(tmp_path: object) -> None:
    tokens = np.memmap(f"{tmp_path}/tokens", dtype=np.uint16, mode="w+", shape=(41,))
    tokens[:] = np.arange(41)
    batch = _batches(Lanes(tokens, 4, 5))[1]

    assert batch.inputs.dtype == torch.int64
    assert batch.inputs[1].tolist() == [15, 16, 17, 18, 19]


@pytest.mark.parametrize(("size", "whole"), [(12, False), (3, True)])
def test_a_stream_too_short_is_refused(size: int, whole: bool) -> None:
    with pytest.raises(ValueError, match=f"{size} tokens are too few for 3 lanes"):
        Lanes(np.arange(size), 3, 4, whole=whole)
