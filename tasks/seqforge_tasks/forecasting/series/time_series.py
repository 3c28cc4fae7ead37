"""Series from files and data sets as the data of forecasting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from numpy.typing import ArrayLike

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.continuation import continued
from seqforge_tasks.forecasting.series.layout import Duplicates, Kind, Layout, Missing
from seqforge_tasks.forecasting.series.options import Amount, Scaling, SeriesOptions, SplitKind
from seqforge_tasks.forecasting.series.reading import (
    panel_from_arrays,
    panel_from_dataset,
    panel_from_frame,
    read_panel,
)
from seqforge_tasks.forecasting.series.series_data import SeriesData, Source
from seqforge_tasks.forecasting.series.series_in_memory import SeriesInMemory


class TimeSeries(SeriesData):
    """Series of a CSV, Parquet or text file, or of a data set, cut into windows.

    Args:
        path: CSV (also packed by gzip), Parquet, or one number a line; None: see `dataset`.
        test_path: A file in which the series go on, all of which is the test part; None: the test
            part is the end of the series.
        dataset: Instead of a path a data set: its name on the Hugging Face Hub, a local folder, or
            a builder such as "csv".
        configuration: The data set's configuration, if it has several.
        dataset_split: The data set's split.
        files: For builders and folders: the files to read.
        revision: Branch, tag or commit on the Hub; None: the newest.
        context: Steps that a window knows; short series have shorter contexts.
        horizon: Steps that it forecasts.
        lead: Steps from the end of the context to the first of the horizon.
        stride: Steps from one training window to the next.
        eval_stride: Steps from one cut-off to the next in validation and test.
        batch_size: Windows in a batch, over all processes together.
        split: What the parts are given in: "fractions" or "steps" of each series from its beginning
            on; "horizons": validation and test are the last so many horizons; "dates": the first
            day of validation and of test; "series": series of their own.
        train: Training part; not given for horizons and dates.
        validation: Validation part; null: there is none.
        test: Test part; null: there is none.
        calibration: Share of the validation windows, the latest, that calibrates intervals and is
            not scored.
        scaling: "standard": each series minus the mean of its training part, over its standard
            deviation; "mean_abs": over the mean absolute value; "none".
        season: Steps of a season; null: a usual one of the frequency, such as 24 of hours.
        calendar: Features of the date: "auto", "none", or names such as "hour" and "day_of_week".
        carried: Whether training reads series in consecutive chunks of `context` steps with the
            state carried on, and validation and test read each as one window.
        naive2: Whether M4's Naive2 forecast is made of each window measured, for OWA.
        kind: How series lie in the table: "wide" (a column each), "long" (a row each step of each),
            "ragged" (a row each), "plain" (one number a line), or "auto".
        date: Column with the dates; null: found out.
        id: Column with the names of series, of long tables; null: found out.
        target: Columns to forecast; none: all columns of numbers that are no covariates, or `y`.
        past: Columns with covariates that are known up to the present alone.
        known: Columns with covariates that are known in advance.
        static: Columns that describe a series, of long tables: numbers or text.
        multivariate: Whether the target's columns are channels of one series.
        frequency: The step, as a pandas offset alias such as "h"; null: the most common.
        date_format: Format of the dates; null: found out.
        timezone: Zone of dates that name none; null: they are taken as written.
        duplicates: What becomes of rows with the same date.
        missing: "mask" missing values, or "refuse" them.
        num_workers: Processes that load data, for each training process.
        seed: What the order of windows is drawn from; null: the run's seed.

    Raises:
        UserError: An argument is out of range.
    """

    def __init__(
        self,
        path: str | None = None,
        test_path: str | None = None,
        dataset: str | None = None,
        configuration: str | None = None,
        dataset_split: str = "train",
        files: str | list[str] | None = None,
        revision: str | None = None,
        context: int = 96,
        horizon: int = 24,
        lead: int = 1,
        stride: int = 1,
        eval_stride: int = 1,
        batch_size: int = 64,
        split: SplitKind = "fractions",
        train: Amount = 0.7,
        validation: Amount = 0.1,
        test: Amount = 0.2,
        calibration: float = 0.0,
        scaling: Scaling = "standard",
        season: int | None = None,
        calendar: str | list[str] = "none",
        carried: bool = False,
        naive2: bool = False,
        kind: Kind = "auto",
        date: str | None = None,
        id: str | None = None,
        target: Sequence[str] = (),
        past: Sequence[str] = (),
        known: Sequence[str] = (),
        static: Sequence[str] = (),
        multivariate: bool = False,
        frequency: str | None = None,
        date_format: str | None = None,
        timezone: str | None = None,
        duplicates: Duplicates = "refuse",
        missing: Missing = "mask",
        num_workers: int = 0,
        seed: int | None = None,
    ) -> None:
        given = dict(locals())  # the options and the layout have fields of the same names
        options, layout = SeriesOptions.of(given), Layout.from_spec(given)
        super().__init__(options, batch_size, num_workers, seed, layout)
        self.path = path
        self.test_path = test_path
        self.dataset = dataset
        self.configuration = configuration
        self.dataset_split = dataset_split
        self.files = files
        self.revision = revision
        self._mistake: UserError | None = None
        _require_one_source(path, dataset, test_path)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        options: SeriesOptions | None = None,
        layout: Layout | None = None,
        batch_size: int = 64,
        num_workers: int = 0,
        seed: int | None = None,
    ) -> SeriesInMemory:
        """Return the series of a pandas frame as a data module.

        Args:
            frame: Wide or long, as a file would be.
            options: How the series are split, scaled and cut.
            layout: What the columns mean; None: found out.
            batch_size: Windows in a batch, over all processes together.
            num_workers: Processes that load data, for each training process.
            seed: What the order of windows is drawn from; None: the run's seed.

        Raises:
            UserError: The contents are refused, or `batch_size` is below 1.
        """
        reading = panel_from_frame(frame, layout)
        return SeriesInMemory(
            reading, options or SeriesOptions(), batch_size, num_workers, seed, layout
        )

    @classmethod
    def from_arrays(
        cls,
        values: ArrayLike,
        options: SeriesOptions | None = None,
        names: Sequence[str] | None = None,
        layout: Layout | None = None,
        batch_size: int = 64,
        num_workers: int = 0,
        seed: int | None = None,
    ) -> SeriesInMemory:
        """Return series without dates, from arrays, as a data module.

        Args:
            values: `(T,)`, `(T, K)`, or a list of series of any lengths, see `panel_from_arrays`.
            options: How the series are split, scaled and cut.
            names: Names of the series or channels; None: numbers from 0.
            layout: `multivariate`, `missing` and `name` count.
            batch_size: Windows in a batch, over all processes together.
            num_workers: Processes that load data, for each training process.
            seed: What the order of windows is drawn from; None: the run's seed.

        Raises:
            UserError: The contents are refused, or `batch_size` is below 1.
        """
        reading = panel_from_arrays(values, names, layout)
        return SeriesInMemory(
            reading, options or SeriesOptions(), batch_size, num_workers, seed, layout
        )

    def prepare_data(self) -> None:
        """Download a data set, on one process of each machine; files are left to `setup`."""
        self._mistake = None
        if self.dataset is None:
            return
        try:
            self.read()
        except UserError as mistake:
            # Here the others would wait for one that gave up. All of them meet it in `setup`.
            self._mistake = mistake

    def read(self) -> Source:
        """Return the series of the file or the data set.

        Raises:
            UserError: They cannot be read.
        """
        if self._mistake is not None:
            raise self._mistake
        if self.dataset is not None:
            return Source(
                panel_from_dataset(
                    self.dataset,
                    self.configuration,
                    self.dataset_split,
                    self.files,
                    self.revision,
                    self.layout,
                )
            )
        assert self.path is not None
        reading = read_panel(Path(self.path), self.layout)
        if self.test_path is None:
            return Source(reading)
        following = read_panel(Path(self.test_path), self.layout)
        panel = continued(reading.panel, following.panel)
        notes = tuple(dict.fromkeys((*reading.notes, *following.notes)))
        return Source(
            replace(reading, panel=panel, notes=notes), panel.history - reading.panel.history
        )


def _require_one_source(path: str | None, dataset: str | None, test_path: str | None) -> None:
    if (path is None) == (dataset is None):
        given = "neither a path nor a dataset is" if path is None else "a path and a dataset are"
        raise UserError(
            f"{given} given", where="data.path, data.dataset", todo="give one of the two"
        )
    if dataset is not None and test_path is not None:
        raise UserError(
            "test_path goes with a path, not with a dataset",
            where="data.test_path",
            todo="leave it out: data.split, data.validation and data.test cut the test part",
        )
