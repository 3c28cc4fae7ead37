"""Options of series that are refused."""

from typing import Any

import pytest

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.options import SeriesOptions


@pytest.mark.parametrize(
    ("changes", "message", "where"),
    [
        ({"context": 0}, "context is 0", "data.context"),
        ({"horizon": 0}, "horizon is 0", "data.horizon"),
        ({"lead": 0}, "lead is 0", "data.lead"),
        ({"stride": 0}, "stride is 0", "data.stride"),
        ({"eval_stride": -1}, "eval_stride is -1", "data.eval_stride"),
        ({"calibration": 1.0}, "calibration is 1.0", "data.calibration"),
        ({"season": 0}, "season is 0", "data.season"),
        ({"split": "fraction"}, "split is 'fraction'", "data.split"),
        ({"scaling": "minmax"}, "scaling is 'minmax'", "data.scaling"),
        ({"carried": True, "calibration": 0.5}, "one window", "data.calibration"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str, where: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        SeriesOptions(**changes)

    assert caught.value.where == where
    assert len(str(caught.value).splitlines()) <= 5


def test_the_nearest_choice_is_named() -> None:
    with pytest.raises(UserError) as caught:
        SeriesOptions(split="fraction")  # type: ignore[arg-type]

    assert caught.value.closest == "fractions"


def test_options_are_picked_from_among_other_values() -> None:
    values = {"horizon": 3, "calendar": ["hour"], "path": "series.csv"}

    assert SeriesOptions.of(values) == SeriesOptions(horizon=3, calendar=("hour",))
