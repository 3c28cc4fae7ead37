"""Which frames are taken of clips."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge.errors import UserError
from seqforge.vision import FrameSampling

counts = st.integers(1, 40)
totals = st.integers(1, 5000)


@given(counts, totals)
def test_frames_are_spread_over_the_whole_clip(count: int, total: int) -> None:
    places = FrameSampling(count).places(total, None)

    assert len(places) == min(count, total)
    assert all(before < after for before, after in pairwise(places))
    # Each is the one that is seen in the middle of its own stretch of the clip.
    for number, place in enumerate(places):
        middle = (number + 0.5) * total / len(places)
        assert place <= middle + 1e-9
        assert middle < place + 1 + 1e-9


def test_the_middles_of_equal_stretches_are_taken() -> None:
    assert FrameSampling(4).places(40, 25.0) == (5, 15, 25, 35)
    assert FrameSampling(1).places(9, None) == (4,)
    assert FrameSampling(8).places(3, None) == (0, 1, 2)


def test_a_rate_takes_the_frames_that_are_seen_at_even_times() -> None:
    # At 25 frames a second those at 0, 0.5 and 1 s, of a clip of 1.2 s.
    assert FrameSampling(10, rate=2.0).places(30, 25.0) == (0, 12, 25)
    # A clip never gives a frame twice.
    assert FrameSampling(10, rate=50.0).places(4, 25.0) == (0, 1, 2, 3)


@given(counts, totals, st.floats(0.1, 100), st.floats(1, 120))
def test_a_rate_never_takes_more_than_the_limit(
    count: int, total: int, rate: float, fps: float
) -> None:
    places = FrameSampling(count, rate).places(total, fps)

    assert 1 <= len(places) <= count
    assert all(before < after for before, after in pairwise(places))
    assert places[0] >= 0
    assert places[-1] < total


def test_a_long_clip_is_seen_to_its_end_at_a_rate_too() -> None:
    assert FrameSampling(4, rate=1.0).places(1000, 10.0) == FrameSampling(4).places(1000, None)


def test_a_rate_needs_one_of_the_clip() -> None:
    with pytest.raises(ValueError, match="rate"):
        FrameSampling(4, rate=1.0).places(10, None)


def test_it_comes_back_from_plain_values() -> None:
    for sampling in (FrameSampling(5), FrameSampling(5, 2.5)):
        assert FrameSampling.from_spec(sampling.spec()) == sampling


@pytest.mark.parametrize(
    ("count", "rate", "where"),
    [
        (0, None, "data.frames"),
        (5000, None, "data.frames"),
        (4, 0.0, "data.frame_rate"),
        (4, float("nan"), "data.frame_rate"),
    ],
)
def test_numbers_out_of_range_are_refused(count: int, rate: float | None, where: str) -> None:
    with pytest.raises(UserError) as caught:
        FrameSampling(count, rate)
    assert caught.value.where == where
    assert len(str(caught.value).splitlines()) <= 5
