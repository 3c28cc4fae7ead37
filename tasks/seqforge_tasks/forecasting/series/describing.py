"""What a user is told of series at the start of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from seqforge_tasks.forecasting.series.encoded_panel import EncodedPanel
from seqforge_tasks.forecasting.series.splits import Parts

SHOWN = 3
"""Names that stand for the others."""


def describe(
    panel: EncodedPanel, parts: Parts, counts: Mapping[str, NDArray[np.int64]]
) -> Sequence[str]:
    """Return lines on the series, the windows of each part, and series that are too short.

    Args:
        panel: The series.
        parts: How they are split.
        counts: Windows of each series (N,), of each part.
    """
    shortest, longest = int(panel.history.min()), int(panel.history.max())
    steps = f"{longest:,}" if shortest == longest else f"{shortest:,} to {longest:,}"
    channels = panel.values.shape[1]
    lines = [
        f"series: {len(panel):,}"
        + (f", of {channels} channels" if channels > 1 else "")
        + f"   steps: {steps}"
        + (f", each {panel.frequency}" if panel.frequency else "")
        + f"   season: {panel.season}",
        "windows: " + "   ".join(f"{part}: {int(each.sum()):,}" for part, each in counts.items()),
    ]
    for part, (first, end) in (("train", parts.train), ("validation", parts.validation)):
        left_out = np.flatnonzero((counts[part] == 0) & (end > first))
        if len(left_out):
            names = [panel.names[place] for place in left_out[:SHOWN].tolist()]
            rest = len(left_out) - len(names)
            more = f" and {rest:,} more" if rest else ""
            lines.append(f"too short for a window of {part}: {', '.join(names)}{more}")
    return lines
