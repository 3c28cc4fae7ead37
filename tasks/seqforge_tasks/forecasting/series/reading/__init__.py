"""Reading series: files, frames and arrays become a `Panel`."""

from seqforge_tasks.forecasting.series.reading.arrays import panel_from_arrays as panel_from_arrays
from seqforge_tasks.forecasting.series.reading.dataset import (
    panel_from_dataset as panel_from_dataset,
)
from seqforge_tasks.forecasting.series.reading.files import read_panel as read_panel
from seqforge_tasks.forecasting.series.reading.frames import panel_from_frame as panel_from_frame
from seqforge_tasks.forecasting.series.reading.reading import Reading as Reading

__all__ = ["Reading", "panel_from_arrays", "panel_from_dataset", "panel_from_frame", "read_panel"]
