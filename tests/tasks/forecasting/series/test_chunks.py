"""Whole series, in chunks and in one window."""

import numpy as np

from seqforge_tasks.forecasting.series.chunks import SeriesChunks, WholeParts


def test_chunks_follow_each_other_in_their_lanes() -> None:
    # 3, 2, none and 1 chunks of 4 steps, each with 2 more that are predicted beyond
    bounds = (np.array([0, 0, 0, 2]), np.array([15, 10, 5, 9]))
    chunks = SeriesChunks(bounds, context=4, horizon=1, lead=2, lanes=2)
    plan = chunks.plan()

    located = [chunks.locate(np.array(plan.batch(0, index))) for index in range(plan.batches())]

    assert chunks.counts.tolist() == [3, 2, 0, 1]
    assert [each.series.tolist() for each in located] == [[0, 1], [0, 1], [0, 3]]
    assert [each.cuts.tolist() for each in located] == [[4, 4], [8, 8], [12, 6]]
    starts = [each.starts.tolist() for each in located if each.starts is not None]
    assert starts == [[True, True], [False, False], [False, True]]
    assert all((each.lengths == 4).all() for each in located if each.lengths is not None)


def test_lanes_are_equally_long() -> None:
    bounds = (np.zeros(3, dtype=np.int64), np.array([11, 11, 16]))

    chunks = SeriesChunks(bounds, context=5, horizon=1, lead=1, lanes=2)

    assert chunks.counts.tolist() == [2, 2, 3]
    assert len(chunks) == 6
    assert (chunks.plan().lanes, chunks.plan().chunks) == (2, 3)
    _, _, _, starts = chunks.locate(np.arange(6))
    assert starts is not None
    assert starts.tolist() == [True, False, True, True, True, False]


def test_there_are_no_more_lanes_than_series() -> None:
    bounds = (np.zeros(3, dtype=np.int64), np.array([11, 3, 16]))

    assert SeriesChunks(bounds, context=5, horizon=1, lead=1, lanes=9).plan().lanes == 2


def test_whole_parts_begin_with_their_part() -> None:
    parts = WholeParts((np.array([0, 6, 3]), np.array([20, 9, 4])), horizon=1, lead=2)

    series, cuts, lengths, starts = parts.locate(np.array([1, 0]))

    assert len(parts) == 2
    assert parts.counts.tolist() == [1, 1, 0]
    assert not parts.alike
    assert series.tolist() == [1, 0]
    assert cuts.tolist() == [7, 18]
    assert lengths is not None
    assert lengths.tolist() == [1, 18]
    assert starts is not None
    assert starts.all()
