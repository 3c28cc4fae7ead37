"""Which pairs are left out of training, and what is said of them."""

import numpy as np

from seqforge_tasks.translation.parallel.filters import Dropped, of_fitting_length, with_text
from seqforge_tasks.translation.parallel.pair import Pair


def test_pairs_without_text() -> None:
    dropped = Dropped()
    rows = [("a", "b"), ("", "b"), ("a", " \t"), ("c", "d")]
    kept = with_text((Pair(*row, line) for line, row in enumerate(rows, 1)), dropped)

    assert [pair.line for pair in kept] == [1, 4]
    assert dropped.note() == (
        "left out of training: 2 of 4 pairs: 2 with an empty side (first: line 2)"
    )


def test_lengths_and_ratios() -> None:
    dropped = Dropped(seen=5)
    lengths = np.array([[3, 3], [9, 4], [1, 4], [4, 2], [20, 1]])
    kept = of_fitting_length(lengths, [1, 2, 3, 4, 5], max_length=8, max_ratio=2, dropped=dropped)

    assert kept.tolist() == [True, False, False, True, False]
    assert dropped.note() == (
        "left out of training: 3 of 5 pairs: 2 longer than max_length (first: line 2), "
        "1 beyond max_ratio (first: line 3)"
    )


def test_nothing_is_left_out_without_limits() -> None:
    dropped = Dropped()

    assert of_fitting_length(np.array([[1, 99]]), [1], 100, None, dropped).all()
    assert dropped.note() == ""
