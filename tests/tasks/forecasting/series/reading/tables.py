"""Files and messages that tests of reading share."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.panel import Panel
from seqforge_tasks.forecasting.series.reading import Reading, panel_from_frame, read_panel


def csv(folder: Path, *lines: str, name: str = "table.csv") -> Path:
    """Write lines into a file."""
    file = folder / name
    file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return file


def targets(panel: Panel) -> dict[str, list[float]]:
    """Return the history of each series of one channel, by its name."""
    return {name: panel.target(index)[:, 0].tolist() for index, name in enumerate(panel.names)}


def dates(panel: Panel, series: int = 0) -> list[str]:
    """Return the dates of all rows of a series."""
    assert panel.starts is not None
    count = int(panel.offsets[series + 1] - panel.offsets[series])
    index = pd.date_range(panel.starts[series], periods=count, freq=panel.frequency)
    return [str(date) for date in index]


def refusal(source: Path | pd.DataFrame, layout: Layout | None = None) -> str:
    """Return the message that refuses a table."""
    with pytest.raises(UserError) as caught:
        _read(source, layout)
    message = str(caught.value)
    assert len(message.splitlines()) <= 5
    return message


def _read(source: Path | pd.DataFrame, layout: Layout | None) -> Reading:
    if isinstance(source, pd.DataFrame):
        return panel_from_frame(source, layout)
    return read_panel(source, layout)


def same(one: Panel, other: Panel) -> None:
    """Require that two panels hold the same."""
    assert list(one.names) == list(other.names)
    assert one.channels == other.channels
    assert one.frequency == other.frequency
    for name in ("values", "offsets", "history", "past", "known", "static"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert {key: list(each) for key, each in one.categories.items()} == {
        key: list(each) for key, each in other.categories.items()
    }
    if one.starts is None or other.starts is None:
        assert one.starts is other.starts
    else:
        np.testing.assert_array_equal(one.starts, other.starts)
