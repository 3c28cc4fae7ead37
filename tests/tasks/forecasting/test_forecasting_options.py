"""Options of inference that are out of range are refused by name."""

from dataclasses import replace

import pytest

from seqforge.errors import UserError
from seqforge_tasks.forecasting.forecasting_options import ForecastingOptions, require_valid


def test_the_defaults_are_valid() -> None:
    require_valid(ForecastingOptions())
    require_valid(ForecastingOptions(horizon=96, levels=[80, 95, 99.9], batch_size=1))


@pytest.mark.parametrize(
    ("options", "given", "where"),
    [
        (ForecastingOptions(horizon=-1), "horizon is -1", "--horizon"),
        (ForecastingOptions(horizon=100_001), "horizon is 100001", "--horizon"),
        (ForecastingOptions(levels=[80, 100]), "levels is 100", "--levels"),
        (ForecastingOptions(levels=[0.8]), "levels is 0.8", "--levels"),
        (ForecastingOptions(levels=[0]), "levels is 0", "--levels"),
        (ForecastingOptions(levels=[float("nan")]), "levels is nan", "--levels"),
        (ForecastingOptions(levels=[80, 80]), "levels is 80 80", "--levels"),
        (ForecastingOptions(levels=[80], intervals=False), "intervals are turned off", "--levels"),
        (ForecastingOptions(batch_size=0), "batch_size is 0", "--batch-size"),
    ],
)
def test_values_out_of_range(options: ForecastingOptions, given: str, where: str) -> None:
    with pytest.raises(UserError, match=given) as caught:
        require_valid(options)
    assert caught.value.where == where
    assert caught.value.todo
    assert len(str(caught.value).splitlines()) <= 5


def test_no_intervals_are_a_choice() -> None:
    require_valid(replace(ForecastingOptions(), intervals=False))
