"""The metrics of a run in one CSV file, which a resumed run goes on with."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

STEP = "step"


class MetricHistory(Logger):
    """Writes one row for each call, at once, so that a kill loses nothing.

    A run that is killed has often logged steps after its last checkpoint; when it goes on it takes
    those steps again. Their first rows are therefore cut off at the start, and the file ends up
    as if the run had never been interrupted.

    Args:
        folder: Where `metrics.csv` lies.
        keep: Optimiser steps whose rows are kept, that is, those the checkpoint has taken.
    """

    def __init__(self, folder: str | Path, keep: int = 0) -> None:
        super().__init__()
        self._file = Path(folder) / "metrics.csv"
        self._keep = keep
        self._columns: list[str] | None = None

    @property
    def name(self) -> str:
        """The name of the run's folder of logs."""
        return self._file.parent.name

    @property
    def version(self) -> str:
        """Empty: a run has one history."""
        return ""

    @property
    def save_dir(self) -> str:
        """The folder of the file."""
        return str(self._file.parent)

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the run's configuration lies in its config.yaml."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Append a row.

        Args:
            metrics: Values by name.
            step: Optimiser steps taken.
        """
        columns = self._open() if self._columns is None else self._columns
        row = {STEP: str(step), **{name: repr(float(value)) for name, value in metrics.items()}}
        new = [name for name in row if name not in columns]
        if new:
            rows = self._rows()
            self._columns = columns = [*columns, *new]
            self._rewrite([*rows, row])
            return
        with self._file.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, columns, restval="", lineterminator="\n").writerow(row)

    def _open(self) -> list[str]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        rows = [row for row in self._rows() if int(row[STEP]) <= self._keep]
        self._columns = list(rows[0]) if rows else [STEP]
        self._rewrite(rows)
        return self._columns

    def _rows(self) -> list[dict[str, str]]:
        if not self._file.exists():
            return []
        text = self._file.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]  # a kill in the middle of a row cuts it short
        return list(csv.DictReader(io.StringIO(whole)))

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns or [STEP], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        part = self._file.with_suffix(".part")
        part.write_text(text.getvalue(), encoding="utf-8")
        part.replace(self._file)
