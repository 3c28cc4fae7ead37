"""Windows, beside a slow and plain way to cut them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seqforge_tasks.forecasting.series.encoded_panel import EncodedPanel
from seqforge_tasks.forecasting.series.encoding import Encoding
from seqforge_tasks.forecasting.series.options import SeriesOptions
from seqforge_tasks.forecasting.series.panel import Panel
from tests.tasks.forecasting.series.panels import Floats, panel_of


def encoded(panel: Panel, **changes: Any) -> EncodedPanel:
    options = SeriesOptions(
        **{"context": 5, "horizon": 3, **changes},
        calendar=("hour",) if panel.frequency else "none",
    )
    return Encoding.fit(panel, panel.history, options).encode(panel)


def scaled(columns: Floats, location: Floats, scale: Floats) -> Floats:
    return np.nan_to_num((columns - location) / scale, nan=0.0)


def padded(columns: NDArray[Any], first: int, count: int, behind: int) -> Floats:
    """Return rows, 0 from `behind` on."""
    found = np.zeros((count, columns.shape[1]))
    for row in range(count):
        if first + row < behind:
            found[row] = columns[first + row]
    return found


@settings(max_examples=40)
@given(
    lengths=st.lists(st.integers(2, 14), min_size=1, max_size=4),
    future=st.integers(0, 3),
    context=st.integers(1, 7),
    horizon=st.integers(1, 4),
    lead=st.integers(1, 3),
    missing=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 99),
)
def test_windows_are_what_a_loop_would_cut(
    lengths: list[int],
    future: int,
    context: int,
    horizon: int,
    lead: int,
    missing: float,
    seed: int,
) -> None:
    panel = panel_of(lengths, 2, seed, future, missing, covariates=True)
    store = encoded(panel, context=context, horizon=horizon, lead=lead)
    chance = np.random.default_rng(seed)
    series = chance.integers(0, len(lengths), 6)
    cuts = chance.integers(1, np.array(lengths)[series] + 1)

    batch = store.batch(range(6), series, cuts)

    for row, (number, cut) in enumerate(zip(series.tolist(), cuts.tolist(), strict=True)):
        begin, end = panel.offsets[number : number + 2].tolist()
        present, known_until = begin + cut, begin + lengths[number]
        location, scale = store.scales.location[number], store.scales.scale[number]
        values = scaled(panel.values, location, scale)
        seen = ~np.isnan(panel.values) * 1.0
        length = min(cut, context)
        first = present - length
        ahead = present + lead - 1
        expected = {
            "context": padded(values, first, context, present),
            "observed": padded(seen, first, context, present),
            "past": padded(store.past, first, context, present),
            "known": padded(store.known, first, context, present),
            "known_future": padded(store.known, ahead, horizon, end),
            "gap": padded(values, present, lead - 1, known_until),
            "target": padded(values, ahead, horizon, known_until),
            "target_observed": padded(seen, ahead, horizon, known_until),
        }
        for name, value in expected.items():
            found = getattr(batch, name)[row].double().numpy()
            np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-5, err_msg=name)
        assert batch.lengths[row] == length
    assert batch.series.tolist() == series.tolist()
    assert batch.cuts.tolist() == cuts.tolist()
    np.testing.assert_allclose(batch.location.numpy(), store.scales.location[series], rtol=1e-6)
    assert batch.categories.tolist() == store.categories[series].tolist()


def test_batches_have_the_types_that_networks_read() -> None:
    batch = encoded(panel_of([20, 9], 2, covariates=True)).batch([4, -7], [0, 1], [10, 9], True)

    kinds = {name: value.dtype for name, value in vars(batch).items() if value is not None}
    whole = {"ids", "lengths", "series", "cuts", "categories"}
    marks = {"observed", "target_observed"}
    for name, kind in kinds.items():
        expected = torch.int64 if name in whole else torch.bool if name in marks else torch.float32
        assert kind == expected, name
    assert batch.ids.tolist() == [4, -7]
    assert batch.naive is not None
    assert batch.naive.shape == batch.target.shape


def test_calendar_features_are_those_of_each_step() -> None:
    panel = panel_of([40, 30], frequency="h", covariates=True)
    store = encoded(panel, context=4, horizon=3)

    batch = store.batch(range(2), [0, 1], [40, 9])

    hours = [np.arange(36, 43), np.arange(5, 12)]
    for row, each in enumerate(hours):
        angle = 2 * np.pi * (each % 24) / 24
        found = np.concatenate([batch.known[row], batch.known_future[row]])[:, 2:]
        expected = np.stack([np.sin(angle), np.cos(angle)], axis=1)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_contexts_may_have_lengths_of_their_own() -> None:
    panel = panel_of([20, 9])
    store = encoded(panel)

    batch = store.batch(range(2), [0, 1], [18, 6], lengths=[12, 2])

    assert batch.context.shape == (2, 12, 1)
    np.testing.assert_array_equal(batch.context[0], store.values[6:18])
    np.testing.assert_array_equal(batch.context[1, :2], store.values[24:26])
    assert not batch.context[1, 2:].any()
    assert batch.observed.sum(dim=1).flatten().tolist() == [12, 2]


def test_every_step_ahead_of_it_may_be_forecast_when_inferring() -> None:
    panel = panel_of([20], frequency="h")
    encoding = Encoding.fit(
        panel, panel.history, SeriesOptions(context=5, horizon=3, calendar=("hour",))
    )

    batch = encoding.encode(panel, horizon=50).batch([0], [0], [20], references=True)

    assert batch.known_future.shape == (1, 50, 2)
    assert batch.target.shape == (1, 50, 1)
    assert not batch.target_observed.any()


@pytest.mark.parametrize("frequency", ["h", "MS", "ME", "B", "W-SUN", "QS-OCT"])
def test_dates_go_on_in_the_series_own_frequency(frequency: str) -> None:
    panel = panel_of([6, 9], frequency="h")
    dates = pd.date_range("2019-11-20", periods=20, freq=frequency)
    moved = Panel(**{**vars(panel), "starts": dates[[0, 2]].to_numpy(), "frequency": frequency})
    store = encoded(moved)

    found = store.dates(1, 9, 4)

    assert isinstance(found, pd.DatetimeIndex)
    assert found.tolist() == dates[11:15].tolist()
    assert len(store.dates(0, 3, 0)) == 0


def test_steps_without_dates_are_counted() -> None:
    assert encoded(panel_of([6])).dates(0, 6, 3) == range(6, 9)


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_the_way_back_to_the_units_of_the_data(missing: float) -> None:
    panel = panel_of([9, 30], 2, missing=missing)

    values = encoded(panel).data_values(1, 20)

    np.testing.assert_allclose(values, panel.target(1)[:20], rtol=1e-5, atol=1e-4)


def shuffled(panel: Panel, order: Sequence[int]) -> Panel:
    rows = np.concatenate([np.arange(*panel.offsets[place : place + 2]) for place in order])
    lengths = np.diff(panel.offsets)[list(order)]
    changes = {
        "names": [panel.names[place] for place in order],
        "values": panel.values[rows],
        "past": panel.past[rows],
        "known": panel.known[rows],
        "static": panel.static[list(order)],
        "history": panel.history[list(order)],
        "offsets": np.concatenate([[0], np.cumsum(lengths)]),
        "categories": {k: [each[p] for p in order] for k, each in panel.categories.items()},
    }
    return Panel(**{**vars(panel), **changes})


def test_the_order_of_series_changes_no_window() -> None:
    panel, order = panel_of([12, 20, 9], covariates=True, missing=0.1), [2, 0, 1]
    options = SeriesOptions(context=5, horizon=3)
    encoding = Encoding.fit(panel, panel.history, options)
    other = shuffled(panel, order)

    first = encoding.encode(panel).batch(range(3), order, [9, 10, 11], references=True)
    second = encoding.encode(other).batch(range(3), range(3), [9, 10, 11], references=True)

    for name, value in vars(first).items():
        if value is not None and name != "series":
            assert value.equal(getattr(second, name)), name
