import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqforge_tasks.forecasting.baselines.holdout import Holdout


def parted(series: list[int], cuts: list[int], horizon: int) -> list[list[bool]]:
    held = Holdout(horizon)
    numbers, places = torch.tensor(series), torch.tensor(cuts)
    for rows in torch.arange(len(cuts)).split(3):
        held.see(numbers[rows], places[rows])
    held.close()
    return [part.tolist() for part in held.parts(numbers, places)]


def test_the_last_tenth_of_a_series_is_late_and_no_early_target_reaches_into_it() -> None:
    cuts = list(range(10, 111))
    early, between, late = parted([2] * len(cuts), cuts, 5)

    # Late cut-offs begin at 101, whose first target is row 101; early targets end at row 100.
    assert [cut for cut, chosen in zip(cuts, late, strict=True) if chosen] == list(range(101, 111))
    assert [cut for cut, chosen in zip(cuts, early, strict=True) if chosen] == list(range(10, 97))
    assert sum(between) == 4


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 60)), min_size=1, max_size=40),
    st.integers(1, 8),
)
def test_each_window_is_in_one_part(rows: list[tuple[int, int]], horizon: int) -> None:
    series, cuts = (list(each) for each in zip(*rows, strict=True))
    parts = parted(series, cuts, horizon)

    assert all(sum(each) == 1 for each in zip(*parts, strict=True))


def test_whole_series_are_held_out_where_each_has_one_cut_off() -> None:
    series = [number for number in range(3, 23) for _ in range(2)]
    early, between, late = parted(series, [50] * 40, 5)

    assert late == [number >= 21 for number in series]
    assert early == [number < 21 for number in series]
    assert not any(between)


@pytest.mark.parametrize("cuts", [[50], [50, 51, 52]])
def test_of_a_single_series_that_is_too_short_nothing_is_late_and_early(cuts: list[int]) -> None:
    early, _, late = parted([0] * len(cuts), cuts, 5)

    assert not (any(early) and any(late))
