"""Features of the date."""

import numpy as np
import pandas as pd
import pytest

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.calendar import (
    calendar_of,
    cycles_of,
    feature_names,
    season_of,
)


@pytest.mark.parametrize(
    ("frequency", "season", "cycles"),
    [
        ("h", 24, ("hour", "day_of_week", "day_of_year")),
        ("30min", 48, ("minute", "hour", "day_of_week", "day_of_year")),
        ("2h", 12, ("hour", "day_of_week", "day_of_year")),
        ("7h", 1, ("hour", "day_of_week", "day_of_year")),
        ("D", 7, ("day_of_week", "day_of_month", "day_of_year")),
        ("B", 5, ("day_of_week", "day_of_month", "day_of_year")),
        ("7D", 52, ("day_of_year",)),
        ("W-SUN", 52, ("day_of_year",)),
        ("MS", 12, ("month",)),
        ("ME", 12, ("month",)),
        ("3MS", 4, ("month",)),
        ("5MS", 1, ("month",)),
        ("QE-DEC", 4, ("month",)),
        ("YS-JAN", 1, ()),
        (None, 1, ()),
    ],
)
def test_what_is_usual_at_a_frequency(
    frequency: str | None, season: int, cycles: tuple[str, ...]
) -> None:
    assert season_of(frequency) == season
    assert cycles_of("auto", frequency) == cycles


def test_features_turn_with_the_date() -> None:
    starts = np.array(["2020-02-29 22:00"], dtype="datetime64[ns]")

    calendar = calendar_of(("hour", "day_of_week"), starts, np.array([4]), "h")

    dates = pd.date_range("2020-02-29 22:00", periods=4, freq="h")
    hour, day = 2 * np.pi * dates.hour / 24, 2 * np.pi * dates.day_of_week / 7
    expected = np.stack([np.sin(hour), np.cos(hour), np.sin(day), np.cos(day)], axis=1)
    np.testing.assert_allclose(calendar.table, expected, atol=1e-6)
    assert feature_names(("hour", "day_of_week"))[:2] == ("hour_sin", "hour_cos")


@pytest.mark.parametrize("frequency", ["h", "MS", "B", "ME"])
def test_each_series_has_the_features_of_its_own_dates(frequency: str) -> None:
    grid = pd.date_range("2020-03-02", periods=40, freq=frequency)
    starts = grid[[5, 0, 5, 17]]
    if frequency == "h":  # one series off the grid of the others
        starts = pd.DatetimeIndex([*starts[:3], pd.Timestamp("2020-03-02 00:30")])
    lengths = np.array([3, 9, 30, 4])

    calendar = calendar_of(
        ("hour", "day_of_week", "month"), np.asarray(starts, "datetime64[ns]"), lengths, frequency
    )

    for series, (start, length) in enumerate(zip(starts, lengths.tolist(), strict=True)):
        own = calendar_of(
            ("hour", "day_of_week", "month"),
            np.array([start], dtype="datetime64[ns]"),
            np.array([length]),
            frequency,
        )
        first = int(calendar.first[series])
        np.testing.assert_array_equal(calendar.table[first : first + length], own.table[:length])
    assert len(calendar.table) < lengths.sum()


def test_a_cycle_that_does_not_exist() -> None:
    with pytest.raises(UserError, match="no calendar feature 'day_of_weak'") as caught:
        cycles_of(("hour", "day_of_weak"), "h")

    assert caught.value.closest == "day_of_week"
    assert caught.value.where == "data.calendar"


def test_a_calendar_without_dates() -> None:
    with pytest.raises(UserError, match="no dates") as caught:
        cycles_of(("hour",), None)

    assert caught.value.where == "data.calendar"
    assert cycles_of("none", "h") == ()
