"""`Reading`: what a file, a frame or arrays held."""

from __future__ import annotations

from dataclasses import dataclass

from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.panel import Panel


@dataclass(frozen=True)
class Reading:
    """Series as they were read.

    Attributes:
        panel: The series.
        layout: The layout, with all that was found out: the kind, every column by name, the
            frequency, and the zone if the panel's dates are those of UTC. It says how to write
            forecasts in the shape of the input.
        notes: One line for each thing that was done to the series, such as sorted rows, missing
            steps, or columns that were left out; and for constant series.
        source: What messages call it, such as the path of its file; empty: the layout's name.
    """

    panel: Panel
    layout: Layout
    notes: tuple[str, ...] = ()
    source: str = ""

    @property
    def place(self) -> str:
        """What messages call it."""
        return self.source or self.layout.name
