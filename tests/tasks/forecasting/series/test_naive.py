"""Seasonal naive forecasts of many windows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seqforge_tasks.forecasting.baselines.seasonal_naive import seasonal_naive
from seqforge_tasks.forecasting.series.naive import seasonal_naive_values


@given(
    seed=st.integers(0, 2**16),
    season=st.integers(1, 6),
    lead=st.integers(1, 4),
    missing=st.sampled_from([0.0, 0.3, 0.9]),
)
def test_it_is_the_forecast_of_each_history(
    seed: int, season: int, lead: int, missing: float
) -> None:
    chance = np.random.default_rng(seed)
    lengths = chance.integers(1, 20, 5)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = chance.normal(size=(offsets[-1], 2))
    gone = chance.random(values.shape) < missing
    series = chance.integers(0, 5, 8)
    cuts = chance.integers(1, lengths[series] + 1)

    found = seasonal_naive_values(
        np.where(gone, 0, values).astype(np.float32),
        ~gone if missing else None,
        offsets[series],
        cuts,
        season,
        lead,
        7,
    )

    known = np.where(gone, np.nan, values)
    for row, (number, cut) in enumerate(zip(series, cuts, strict=True)):
        history = known[offsets[number] : offsets[number] + cut]
        expected = np.nan_to_num(seasonal_naive(history, 7, season, lead), nan=0.0)
        np.testing.assert_allclose(found[row], expected, rtol=1e-6)
