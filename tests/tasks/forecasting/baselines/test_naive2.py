import csv
import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from seqforge_tasks.forecasting.baselines.naive2 import is_seasonal, naive2, seasonal_indices
from seqforge_tasks.forecasting.baselines.seasonal_naive import naive_error

Values = NDArray[np.float64]

FACTORS = np.array([0.5, 1.5, 0.8, 1.2])


def read(file: Path) -> dict[str, Values]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = csv.reader(lines)
        next(rows)
        return {row[0]: np.array([float(cell) for cell in row[1:] if cell]) for row in rows}


def test_it_has_the_published_scores_on_m4_hourly(data_root: Path) -> None:
    """Makridakis et al. 2020: sMAPE 18.383 and MASE 2.395 over 414 series."""
    train, test = (
        read(data_root / "timeseries" / f"Hourly-{part}.csv.gz") for part in ("train", "test")
    )
    percentages, scaled = [], []
    for name, history in train.items():
        target, forecast = test[name], naive2(history, 48, 24)
        error = np.abs(target - forecast)
        percentages.append(np.mean(200 * error / (np.abs(target) + np.abs(forecast))))
        scaled.append(error.mean() / naive_error(history[:, None], 24)[0])

    assert len(scaled) == 414
    assert np.mean(percentages) == pytest.approx(18.383, abs=5e-4)
    assert np.mean(scaled) == pytest.approx(2.395, abs=5e-4)


def test_a_seasonal_series_keeps_its_season_and_its_last_level() -> None:
    history = 10 * np.tile(FACTORS, 6)[:22]

    np.testing.assert_allclose(seasonal_indices(history, 4), FACTORS)
    # the last value is of the second phase
    np.testing.assert_allclose(naive2(history, 6, 4), 10 * FACTORS[[2, 3, 0, 1, 2, 3]])


def test_indices_of_an_odd_season_by_hand() -> None:
    # The trend is 3, 4, 5, the ratios 6 / 3, 2 / 4, 7 / 5 of phases 1, 2, 0.
    found = seasonal_indices(np.array([1.0, 6, 2, 4, 9]) * 1.0, 3)
    raw = np.array([4 / 5, 6 / 3, 2 / 4])

    np.testing.assert_allclose(found, raw / raw.mean())


def test_the_test_of_seasonality_by_hand() -> None:
    """The limit is 1.645 * sqrt((1 + 2 * sum of squares before) / T)."""
    history = np.array([1.0, -1, 1, -1, 1, -1, 1, -1])
    # autocorrelations -7 / 8 and 6 / 8 against 1.645 * sqrt((1 + 2 * 49 / 64) / 8) = 0.925
    assert not is_seasonal(history, 2)
    long = np.tile(history, 4)
    # -31 / 32 and 30 / 32 against 1.645 * sqrt((1 + 2 * (31 / 32)²) / 32) = 0.493
    assert is_seasonal(long, 2)


def test_series_too_short_for_a_test_are_not_seasonal() -> None:
    history = np.tile(np.arange(1.0, 25.0), 3)  # T = 72, and 10 log10 72 = 18.6 is below 24

    assert not is_seasonal(history, 24)
    assert is_seasonal(np.tile(np.arange(1.0, 25.0), 11), 24)
    assert not is_seasonal(np.tile(FACTORS, 3)[:11], 4)
    assert naive2(history, 3, 24).tolist() == [24.0, 24.0, 24.0]


@pytest.mark.parametrize(
    ("history", "season"),
    [
        (np.full(40, 3.0), 4),
        (np.tile([1.0, -1.0], 20), 2),  # the trend is 0
        (np.tile([0.0, 2.0], 20), 2),  # and here a factor
        (np.arange(30.0), 1),
    ],
)
def test_series_that_cannot_be_adjusted_get_their_last_value(history: Values, season: int) -> None:
    assert naive2(history, 3, season).tolist() == [history[-1]] * 3


def test_missing_values_lie_on_lines() -> None:
    whole = 10 * np.tile(FACTORS, 8) + np.linspace(0, 1, 32)
    holed = whole.copy()
    holed[[3, 13]] = math.nan
    filled = whole.copy()
    filled[[3, 13]] = [(whole[2] + whole[4]) / 2, (whole[12] + whole[14]) / 2]

    np.testing.assert_allclose(naive2(holed, 5, 4), naive2(filled, 5, 4))
    np.testing.assert_allclose(naive2(np.array([math.nan, 2.0, math.nan]), 2, 1), [2.0, 2.0])
    assert np.isnan(naive2(np.array([math.nan]), 2, 1)).all()
