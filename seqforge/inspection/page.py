"""One HTML page that needs nothing else: figures, the ranking of units, and the coloured text."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqforge.inspection.colours import HIGH, INK, LOW, MIDDLE, css
from seqforge.inspection.ranking import Ranking, Unit

TEMPLATE = Path(__file__).with_name("page.html")
SHOWN = 5
"""Units of each feature on the page; the others are in the table beside it."""

Floats = NDArray[np.float64]


class Picture(NamedTuple):
    """A figure of the page.

    Attributes:
        png: The file's bytes.
        description: What it shows, for readers who cannot see it.
        caption: How to read it.
    """

    png: bytes
    description: str
    caption: str


class Page(NamedTuple):
    """All that the page shows.

    Attributes:
        title: The heading.
        subjects: One line about each checkpoint.
        notes: What was cut or left out, and why.
        symbols: `T` symbols.
        ranking: The units by feature.
        activations: Those of the units that can be chosen, `(T,)` in [-1, 1]; wanted ones first.
        wanted: The units that the user asked for.
        pictures: By name: "units" and "gradients"; "gates" and "saturation" if there are gates.
    """

    title: str
    subjects: Sequence[str]
    notes: Sequence[str]
    symbols: Sequence[str]
    ranking: Ranking
    activations: Mapping[Unit, Floats]
    wanted: Sequence[Unit]
    pictures: Mapping[str, Picture]

    def html(self) -> str:
        """Write the page; every text in it is escaped."""
        pictures = {name: _figure(picture) for name, picture in self.pictures.items()}
        gates = "\n".join(pictures[name] for name in ("gates", "saturation") if name in pictures)
        template = Template(TEMPLATE.read_text(encoding="utf-8"))
        return template.substitute(
            title=escape(self.title),
            subjects="<br>".join(map(escape, self.subjects)),
            notes="\n".join(f'<p class="faint">{escape(note)}</p>' for note in self.notes),
            units=self._units() + pictures.get("units", ""),
            gradients=pictures["gradients"],
            gates=f"<h2>What the gates do</h2>\n{gates}" if gates else "",
            data=self._data(),
            ink=css(INK),
            low=css(LOW),
            middle=css(MIDDLE),
            high=css(HIGH),
        )

    def _units(self) -> str:
        wanted = ""
        if self.wanted:
            buttons = " ".join(_button(unit) for unit in self.wanted)
            wanted = f"<h3>chosen by you</h3>\n<p>{buttons}</p>\n"
        tables = "\n".join(
            _table(feature, self.ranking.best(feature, SHOWN)) for feature in self.ranking.features
        )
        return f"""<p>Each unit is ranked by how sharply it follows a feature of the text: 1 if its
activation alone tells where the feature is, 0 if it tells nothing; a minus says that it goes down.
Units were chosen on the first half of the text; the second half had no part in that, and its value
is the one to believe.</p>
<div class="seer">
<nav class="ranking" aria-label="units by feature">
{wanted}{tables}
</nav>
<div class="panel">
<p><strong id="unit"></strong>, its activation after each symbol</p>
<p class="legend">-1 <span role="img" aria-label="from blue over white to red"></span> 1</p>
<div id="text" tabindex="0" role="region" aria-label="the text, coloured by the chosen unit"></div>
<p id="status" class="faint" aria-live="polite"></p>
<noscript><p>Choosing units needs JavaScript; the picture below does without.</p></noscript>
</div>
</div>
"""

    def _data(self) -> str:
        data = {
            "symbols": list(self.symbols),
            "units": {str(unit): _packed(values) for unit, values in self.activations.items()},
            "first": str(next(iter(self.activations))),
            "low": LOW,
            "middle": MIDDLE,
            "high": HIGH,
        }
        # A text may hold "</script>"; a lone surrogate cannot be written as UTF-8, an escape can.
        return json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")


def _figure(picture: Picture) -> str:
    data = base64.b64encode(picture.png).decode()
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{escape(picture.description)}">\n'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>\n"
    )


def _table(feature: str, rows: pd.DataFrame) -> str:
    lines = []
    for row in rows.to_dict("records"):
        unit = Unit(int(row["layer"]), int(row["unit"]))
        values = f"<td>{row['first_half']:+.2f}</td><td>{row['second_half']:+.2f}</td>"
        lines.append(f"<tr><td>{_button(unit)}</td>{values}</tr>")
    statistic = escape(str(rows["statistic"].iloc[0]))
    return (
        f'<h3>{escape(feature)} <span class="faint">({statistic})</span></h3>\n'
        "<table><tr><th>layer:unit</th><th>first half</th><th>second half</th></tr>\n"
        + "\n".join(lines)
        + "</table>"
    )


def _button(unit: Unit) -> str:
    return f'<button type="button" data-unit="{unit}" aria-pressed="false">{unit}</button>'


def _packed(values: Floats) -> str:
    """Give activations in [-1, 1] as one byte each, in base64."""
    return base64.b64encode(np.round((values + 1) * 127.5).astype(np.uint8).tobytes()).decode()
