import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge_tasks.forecasting.baselines.seasonal_naive import (
    naive_error,
    seasonal_naive,
    seasonal_naive_rows,
)

NAN = math.nan


def column(*values: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64).reshape(-1, 1)


@pytest.mark.parametrize(
    ("season", "lead", "expected"),
    [
        (1, 1, [6, 6, 6, 6, 6]),
        (4, 1, [3, 4, 5, 6, 3]),
        (4, 3, [5, 6, 3, 4, 5]),
        (7, 1, [6, 6, 6, 6, 6]),  # the series is shorter than a season
    ],
)
def test_it_repeats_the_last_season(season: int, lead: int, expected: list[int]) -> None:
    found = seasonal_naive(column(1, 2, 3, 4, 5, 6), 5, season, lead)

    assert found[:, 0].tolist() == expected


@given(st.integers(1, 30), st.integers(1, 9), st.integers(1, 12), st.integers(1, 5))
def test_rows_are_whole_seasons_back_and_before_the_cut(
    cut: int, season: int, horizon: int, lead: int
) -> None:
    rows = seasonal_naive_rows(np.array([cut, cut + 50]), horizon, season, lead)

    for place, start in enumerate((cut, cut + 50)):
        period = season if start >= season else 1
        steps = start - 1 + lead + np.arange(horizon)
        assert ((steps - rows[place]) % period == 0).all()
        assert ((rows[place] >= start - period) & (rows[place] < start)).all()
        assert rows.min() >= 0


def test_a_missing_value_is_that_of_the_season_before_or_the_last_known() -> None:
    history = np.concatenate([column(1, NAN, 3, 4, NAN, NAN), np.full((6, 1), NAN)], axis=1)
    found = seasonal_naive(history, 3, 3)

    assert found[:, 0].tolist() == [4, 4, 3]  # of its season; of none: the last; the season before
    assert np.isnan(found[:, 1]).all()
    assert np.isnan(seasonal_naive(history[:0], 2, 3)).all()


def test_the_error_in_training_is_that_of_one_season_ahead() -> None:
    history = np.concatenate([column(1, 2, 4, NAN, 9), column(1, 1, 1, 1, 1)], axis=1)

    # 4 - 1, 9 - 4 with a season of 2; 2 - 1, 4 - 2 with a season of 1
    assert naive_error(history, 2).tolist() == [4.0, 0.0]
    assert naive_error(history, 1).tolist() == [1.5, 0.0]
    assert naive_error(history[:2], 2).tolist() == [0.0, 0.0]
