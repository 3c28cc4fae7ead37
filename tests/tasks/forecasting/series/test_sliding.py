"""Windows that slide over a part."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge_tasks.forecasting.series.sliding import SlidingWindows


def cuts_of(windows: SlidingWindows) -> list[tuple[int, int]]:
    if not len(windows):
        return []
    series, cuts, _, _ = windows.locate(np.arange(len(windows)))
    return list(zip(series.tolist(), cuts.tolist(), strict=True))


@given(
    parts=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 25)), min_size=1, max_size=6),
    context=st.integers(1, 6),
    horizon=st.integers(1, 4),
    lead=st.integers(1, 3),
    stride=st.integers(1, 4),
)
def test_all_horizons_of_a_part_and_no_other(
    parts: list[tuple[int, int]], context: int, horizon: int, lead: int, stride: int
) -> None:
    first = np.array([each for each, _ in parts])
    end = first + np.array([length for _, length in parts])
    expected = []
    for series, (begin, behind) in enumerate(zip(first.tolist(), end.tolist(), strict=True)):
        latest = behind - horizon - lead + 1
        cuts = range(latest, 0, -stride)
        fitting = [cut for cut in cuts if cut + lead - 1 >= begin and behind > begin]
        if begin == 0:  # no window is shorter than it need be
            fitting = [cut for cut in fitting if cut >= min(context, latest)]
        expected += [(series, cut) for cut in reversed(fitting)]

    windows = SlidingWindows((first, end), context, horizon, lead, stride)

    assert cuts_of(windows) == expected
    counts = [sum(series == place for series, _ in expected) for place in range(len(parts))]
    assert windows.counts.tolist() == counts


def test_the_windows_of_the_usual_benchmark() -> None:
    test = (np.array([11520]), np.array([14400]))

    windows = SlidingWindows(test, context=720, horizon=96)

    assert len(windows) == 2785
    assert cuts_of(windows)[0] == (0, 11520)
    assert cuts_of(windows)[-1] == (0, 14304)


def test_the_latest_windows_of_all_series() -> None:
    # windows at the cuts 5, 6, 7 of the first series, and at 5 of the other two
    bounds = (np.full(3, 5), np.array([9, 7, 7]))
    windows = SlidingWindows(bounds, context=4, horizon=2)

    chosen = {share: np.flatnonzero(windows.latest(share)).tolist() for share in (0.2, 0.6, 0.8)}

    assert cuts_of(windows) == [(0, 5), (0, 6), (0, 7), (1, 5), (2, 5)]
    assert chosen == {0.2: [4], 0.6: [2, 3, 4], 0.8: [1, 2, 3, 4]}


def test_a_part_without_windows() -> None:
    windows = SlidingWindows((np.array([3]), np.array([4])), context=2, horizon=5)

    assert len(windows) == 0
    with pytest.raises(IndexError, match="no window"):
        windows.locate(np.array([0]))
