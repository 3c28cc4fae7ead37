"""Scales of series."""

import numpy as np
import pytest

from seqforge_tasks.forecasting.series.options import Scaling
from seqforge_tasks.forecasting.series.scaling import scale_series, scale_together, seasonal_error
from tests.tasks.forecasting.series.panels import panel_of


@pytest.mark.parametrize("kind", ["standard", "mean_abs", "none"])
def test_scales_are_those_of_the_steps_that_count(kind: Scaling) -> None:
    panel = panel_of([30, 40], channels=2, missing=0.2)

    location, scale = scale_series(panel, np.array([20, 40]), kind)

    for series, count in enumerate([20, 40]):
        part = panel.target(series)[:count]
        expected = {
            "standard": (np.nanmean(part, axis=0), np.nanstd(part, axis=0)),
            "mean_abs": (np.zeros(2), np.nanmean(np.abs(part), axis=0)),
            "none": (np.zeros(2), np.ones(2)),
        }[kind]
        np.testing.assert_allclose(location[series], expected[0], rtol=1e-12)
        np.testing.assert_allclose(scale[series], expected[1], rtol=1e-12)


@pytest.mark.parametrize("kind", ["standard", "mean_abs", "none"])
@pytest.mark.parametrize("value", [0.0, 0.1, -1e9])
def test_constants_are_scaled_by_a_number_above_0(kind: Scaling, value: float) -> None:
    panel = panel_of([7])
    panel.values[:] = value

    location, scale = scale_series(panel, panel.history, kind)

    scaled = (panel.values - location) / scale
    assert scale[0, 0] > 0
    assert np.isfinite(scaled).all()
    if kind == "standard":
        assert scale[0, 0] == 1
        assert np.abs(scaled).max() < 1e-6


def test_without_a_value_there_is_no_scale() -> None:
    panel = panel_of([7, 5])
    panel.values[:7] = np.nan

    location, scale = scale_series(panel, np.array([7, 0]), "standard")

    assert np.isnan(location).all()
    assert np.isnan(scale).all()


def test_all_series_together_have_the_scale_of_their_values() -> None:
    panel = panel_of([30, 40], channels=2, missing=0.2)

    location, scale = scale_together(panel, panel.values, np.array([20, 0]), "standard")

    np.testing.assert_allclose(location[0], np.nanmean(panel.values[:20], axis=0))
    np.testing.assert_allclose(scale[0], np.nanstd(panel.values[:20], axis=0))


def test_the_seasonal_error_by_hand() -> None:
    panel = panel_of([5, 5, 2])
    panel.values[:, 0] = [1, 2, 4, 8, 16, 3, np.nan, 5, 6, 9, 1, 1]

    # |4-1|, |8-2| and, in the fifth step, |16-4|; of the second |5-3| and |9-5|; none of the third
    errors = seasonal_error(panel, np.array([5, 5, 2]), season=2)
    assert errors[:, 0].tolist() == [7.0, 3.0, 0.0]
    assert seasonal_error(panel, np.array([4, 0, 0]), season=2)[:, 0].tolist() == [4.5, 0.0, 0.0]
