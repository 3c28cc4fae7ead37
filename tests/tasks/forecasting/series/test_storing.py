"""Arrays that windows are cut from."""

import numpy as np
import pytest

from seqforge_tasks.forecasting.series import storing
from seqforge_tasks.forecasting.series.scaling import Scales
from seqforge_tasks.forecasting.series.storing import blocks, stored


def test_every_series_is_scaled_by_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "ROWS", 4)  # blocks that end within series
    columns = np.arange(20.0).reshape(10, 2)
    columns[3, 1] = np.nan
    scales = Scales(np.array([[1.0, 2], [3, 4], [5, 6]]), np.array([[2.0, 4], [1, 1], [8, 2]]))

    scaled, observed = stored(columns, scales, np.array([0, 3, 3, 10]))

    expected = np.concatenate(
        [(columns[:3] - [1, 2]) / [2, 4], (columns[3:] - [5, 6]) / [8, 2]]
    ).astype(np.float32)
    expected[3, 1] = 0
    np.testing.assert_array_equal(scaled, expected)
    assert observed is not None
    assert np.argwhere(~observed).tolist() == [[3, 1]]


def test_nothing_is_kept_of_masks_that_mask_nothing() -> None:
    one = Scales(np.zeros((1, 1)), np.ones((1, 1)))

    assert stored(np.ones((3, 1)), one, np.array([0, 1, 3]))[1] is None


@pytest.mark.parametrize("firsts", [[0, 3, 1], [4, 0], [5]])
def test_blocks_are_consecutive_rows(firsts: list[int]) -> None:
    rows = np.arange(12).reshape(6, 2)

    found = blocks(rows, np.array(firsts), 3)

    places = np.minimum(np.array(firsts)[:, None] + np.arange(3), 5)
    np.testing.assert_array_equal(found, rows[places])
    found[:] = 0  # a copy
    assert rows.sum() == 66


def test_blocks_without_columns() -> None:
    assert blocks(np.empty((6, 0)), np.array([1, 2]), 4).shape == (2, 4, 0)
