"""Windows as samples."""

from typing import Any

import numpy as np

from seqforge_tasks.forecasting.baselines.naive2 import naive2
from seqforge_tasks.forecasting.series.chunks import SeriesChunks
from seqforge_tasks.forecasting.series.encoding import Encoding
from seqforge_tasks.forecasting.series.options import SeriesOptions
from seqforge_tasks.forecasting.series.sliding import SlidingWindows
from seqforge_tasks.forecasting.series.window_samples import WindowSamples
from tests.tasks.forecasting.series.panels import panel_of

LENGTHS = [60, 50]


def samples(lead: int = 1, **choices: Any) -> WindowSamples:
    panel = panel_of(LENGTHS)
    panel.values[:, 0] += 300 + 9 * np.sin(np.arange(110))  # above 0, as Naive2 is for
    options = SeriesOptions(context=5, horizon=3, lead=lead, season=4)
    encoded = Encoding.fit(panel, panel.history, options).encode(panel)
    windows = SlidingWindows((np.array([50, 45]), np.array(LENGTHS)), 5, 3, lead)
    return WindowSamples(encoded, windows, **choices)


def test_a_batch_is_made_of_the_windows_of_its_samples() -> None:
    each = samples()

    batch = each.collate([9, -3], [each[9], each[2]])

    assert len(each) == 11
    assert batch.ids.tolist() == [9, -3]
    assert batch.series.tolist() == [1, 0]
    assert batch.cuts.tolist() == [46, 52]
    assert (batch.starts, batch.calibration, batch.naive, batch.naive2) == (None,) * 4


def test_marks_go_with_their_windows() -> None:
    each = samples(references=True)
    each.calibrates = np.arange(11) >= 9

    batch = each.collate([8, 9, 10], [8, 9, 10])

    assert batch.calibration is not None
    assert batch.calibration.tolist() == [False, True, True]
    assert batch.naive is not None


def test_naive2_is_that_of_the_series_up_to_the_cut_off() -> None:
    each = samples(lead=3, adjusted=True)

    batch = each.collate([0, 6], [0, 6])

    assert batch.naive2 is not None
    found = batch.naive2 * batch.scale[:, None] + batch.location[:, None]
    for row in range(2):
        number, cut = int(batch.series[row]), int(batch.cuts[row])
        history = each.panel.data_values(number, cut)[:, 0]
        np.testing.assert_allclose(found[row, :, 0], naive2(history, 5, 4)[2:], rtol=1e-4)


def test_chunks_say_where_a_series_starts() -> None:
    each = samples()
    each.cutting = SeriesChunks((np.zeros(2, np.int64), np.array(LENGTHS)), 5, 3, 1, lanes=2)

    batch = each.collate([0, 1], [0, 1])

    assert batch.starts is not None
    assert batch.starts.tolist() == [True, False]
    assert batch.cuts.tolist() == [5, 10]
