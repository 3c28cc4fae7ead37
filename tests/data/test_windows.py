from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge.data import SequentialPlan, ShuffledPlan, Windows
from seqforge.errors import UserError


@given(
    lengths=st.lists(st.integers(0, 40), min_size=1, max_size=20),
    context=st.integers(1, 6),
    horizon=st.integers(0, 5),
    stride=st.integers(1, 9),
    short=st.sampled_from(["skip", "pad"]),
)
def test_all_windows_are_found_and_no_other(
    lengths: list[int], context: int, horizon: int, stride: int, short: Literal["skip", "pad"]
) -> None:
    size = context + horizon
    expected = [
        (series, offset)
        for series, length in enumerate(lengths)
        for offset in (
            [0]
            if short == "pad" and 0 < length < size
            else reversed(range(length - size, -1, -stride))
        )
    ]
    if not expected:
        with pytest.raises(UserError, match="no series"):
            Windows(lengths, context, horizon, stride, short)
        return
    windows = Windows(lengths, context, horizon, stride, short)

    assert [windows.locate(number) for number in range(len(windows))] == expected
    series, offsets = windows.locate_many(range(len(windows)))
    assert list(zip(series.tolist(), offsets.tolist(), strict=True)) == expected


def test_the_newest_steps_are_in_the_last_window() -> None:
    windows = Windows([11], context=3, horizon=2, stride=4)

    assert [windows.locate(number) for number in range(len(windows))] == [(0, 2), (0, 6)]


def test_plans_order_windows() -> None:
    windows = Windows([9, 30, 14], context=4, horizon=2)
    for plan in (ShuffledPlan(len(windows), 5, seed=2), SequentialPlan(len(windows), 5)):
        numbers = [number for index in range(plan.batches()) for number in plan.batch(1, index)]

        assert len({windows.locate(number) for number in numbers}) == len(windows) == 38


def test_short_series_are_refused_by_number() -> None:
    with pytest.raises(
        UserError, match=r"2 of 3 series .*12 steps \(context 8 \+ horizon 4\).*number 1 with 5"
    ):
        Windows([20, 5, 3], context=8, horizon=4)


@pytest.mark.parametrize("number", [-1, 2])
def test_a_number_out_of_range_is_an_error(number: int) -> None:
    with pytest.raises(IndexError, match="of 2"):
        Windows([6], 3, 2).locate(number)


@pytest.mark.parametrize(
    ("lengths", "context", "horizon", "stride"),
    [([], 1, 1, 1), ([-1], 1, 1, 1), ([5], 0, 1, 1), ([5], 1, -1, 1), ([5], 1, 1, 0)],
)
def test_values_out_of_range_are_refused(
    lengths: list[int], context: int, horizon: int, stride: int
) -> None:
    with pytest.raises(ValueError, match="at least"):
        Windows(lengths, context, horizon, stride)


def test_billions_of_windows_need_no_memory() -> None:
    windows = Windows([10**9] * 100, context=100, horizon=10)

    assert windows.locate(len(windows) - 1) == (99, 10**9 - 110)
