"""`Encoding`: all that is learnt from the training part, and how it makes arrays of series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.calendar import (
    calendar_of,
    cycles_of,
    feature_names,
    season_of,
)
from seqforge_tasks.forecasting.series.encoded_panel import EncodedPanel
from seqforge_tasks.forecasting.series.matching import require_all, require_columns
from seqforge_tasks.forecasting.series.options import Scaling, SeriesOptions
from seqforge_tasks.forecasting.series.panel import Panel
from seqforge_tasks.forecasting.series.scaling import (
    Floats,
    Scales,
    parts_of,
    scale_columns,
    scale_series,
    scale_together,
    seasonal_error,
    without_gaps,
)
from seqforge_tasks.forecasting.series.storing import stored

SERIES = "series"
"""The category that tells series apart."""


@dataclass(frozen=True)
class Encoding:
    """Turns series into what networks read, in training and at inference alike.

    All of it is learnt from training parts. A series that it knows by name keeps its scale; another
    one gets its scale by the same recipe from its own history.

    Attributes:
        context: Steps of a context, `L`.
        horizon: Steps of a horizon, `H`.
        lead: Steps from the end of the context to the first of the horizon.
        channels: Names of the target's channels (K,).
        past: Names of the covariates known up to the present (P,).
        known: Names of those known in advance, without the calendar (C,).
        static: Names of the numbers that describe a series (S,).
        cycles: Names of the calendar's cycles.
        season: Steps of a season.
        frequency: The step, as a pandas offset alias; None without dates.
        scaling: What 0 and 1 mean.
        shared: Whether all series have one scale, `together`.
        series: Scales of the series that it knows, in the order of `categories["series"]`.
        together: The scale of all of them as one `(1, K)`.
        naive_error: Error of the seasonal naive forecast on their training parts `(N, K)`, in the
            units of the data.
        covariates: Scales of past, known and static columns, `(1, …)` each.
        categories: Values of each category; those of "series" are names. What is not among them
            is encoded as 0, the first as 1.
        missing: Whether the training part has missing values, or series shorter than a window.
    """

    context: int
    horizon: int
    lead: int
    channels: tuple[str, ...]
    past: tuple[str, ...]
    known: tuple[str, ...]
    static: tuple[str, ...]
    cycles: tuple[str, ...]
    season: int
    frequency: str | None
    scaling: Scaling
    shared: bool
    series: Scales
    together: Scales
    naive_error: Floats
    covariates: Mapping[str, Scales]
    categories: Mapping[str, Sequence[str]]
    missing: bool

    @classmethod
    def fit(cls, panel: Panel, ends: NDArray[np.int64], options: SeriesOptions) -> Self:
        """Learn from the training parts of series, and from nothing else.

        Args:
            panel: The series.
            ends: First row behind each series' training part (N,); 0: the series does not train.
            options: Sizes, scaling, season and calendar.

        Raises:
            UserError: The calendar is not one that the series have, or a column has the name that
                stands for the series.
        """
        if SERIES in panel.categories:
            raise UserError(
                f"a static column is called '{SERIES}', as the series themselves are",
                where="data.static",
                todo="give it another name",
            )
        trained = np.flatnonzero(ends)
        columns = {"past": panel.past, "known": panel.known}
        covariates = {
            key: scale_together(panel, each, ends, "standard") for key, each in columns.items()
        }
        covariates["static"] = without_gaps(scale_columns(panel.static[trained], "standard"))
        season = options.season or season_of(panel.frequency)
        together = scale_together(panel, panel.values, ends, options.scaling)
        own = _filled(scale_series(panel, ends, options.scaling), together)
        window = options.context + options.lead - 1 + options.horizon
        return cls(
            context=options.context,
            horizon=options.horizon,
            lead=options.lead,
            channels=panel.channels,
            past=panel.past_names,
            known=panel.known_names,
            static=panel.static_names,
            cycles=cycles_of(options.calendar, panel.frequency),
            season=season,
            frequency=panel.frequency,
            scaling=options.scaling,
            shared=options.split == "series",
            series=Scales(own.location[trained], own.scale[trained]),
            together=together,
            naive_error=seasonal_error(panel, ends, season)[trained],
            covariates=covariates,
            categories={
                SERIES: [panel.names[place] for place in trained.tolist()],
                **{
                    name: sorted({values[place] for place in trained.tolist()})
                    for name, values in panel.categories.items()
                },
            },
            missing=bool((ends[trained] < window).any())
            or any(np.isnan(part).any() for part in parts_of(panel, panel.values, ends)),
        )

    @property
    def known_features(self) -> tuple[str, ...]:
        """Names of all that is known in advance: covariates, then features of the calendar."""
        return self.known + feature_names(self.cycles)

    def encode(
        self, panel: Panel, ends: NDArray[np.int64] | None = None, horizon: int | None = None
    ) -> EncodedPanel:
        """Return series in the scale of the network.

        Args:
            panel: Series with the columns of those that were learnt from.
            ends: Steps of each series (N,) from which one that is not known gets its scale, and its
                error of the seasonal naive forecast; None: its whole history.
            horizon: Steps of a horizon, if it is not to be the trained one.

        Raises:
            UserError: A column is missing, or the dates that a calendar needs.
        """
        columns = {
            "target": (self.channels, panel.channels),
            "past": (self.past, panel.past_names),
            "known": (self.known, panel.known_names),
            "static": (self.static, panel.static_names),
        }
        for role, (names, given) in columns.items():
            require_columns(role, names, given)
        require_all("static", tuple(self.categories)[1:], tuple(panel.categories))
        _require_dates(self, panel)
        horizon = self.horizon if horizon is None else horizon
        scales, naive_error = self._series_scales(panel, panel.history if ends is None else ends)
        values, observed = stored(panel.values, scales, panel.offsets)
        calendar = None
        if self.cycles:
            assert panel.starts is not None
            assert panel.frequency is not None
            lengths = np.maximum(np.diff(panel.offsets), panel.history + self.lead - 1 + horizon)
            calendar = calendar_of(self.cycles, panel.starts, lengths, panel.frequency)
        return EncodedPanel(
            context=self.context,
            horizon=horizon,
            lead=self.lead,
            season=self.season,
            values=values,
            observed=observed,
            past=self._covariate("past", panel.past, panel.offsets),
            known=self._covariate("known", panel.known, panel.offsets),
            calendar=calendar,
            static=self._static(panel),
            categories=self._codes(panel),
            scales=scales,
            naive_error=(naive_error / scales.scale).astype(np.float32),
            offsets=panel.offsets,
            history=panel.history,
            names=tuple(panel.names),
            starts=panel.starts,
            frequency=panel.frequency,
        )

    def to_spec(self) -> dict[str, Any]:
        """Return all of it as plain JSON values."""
        return {
            "context": self.context,
            "horizon": self.horizon,
            "lead": self.lead,
            "channels": list(self.channels),
            "past": list(self.past),
            "known": list(self.known),
            "static": list(self.static),
            "cycles": list(self.cycles),
            "season": self.season,
            "frequency": self.frequency,
            "scaling": self.scaling,
            "shared": self.shared,
            "series": _plain(self.series),
            "together": _plain(self.together),
            "naive_error": self.naive_error.tolist(),
            "covariates": {key: _plain(each) for key, each in self.covariates.items()},
            "categories": {key: list(each) for key, each in self.categories.items()},
            "missing": self.missing,
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Return the encoding that `to_spec` wrote."""
        channels = len(spec["channels"])
        widths = {key: len(spec[key]) for key in ("past", "known", "static")}
        arrays: dict[str, Any] = {
            "series": _from_plain(spec["series"], channels),
            "together": _from_plain(spec["together"], channels),
            "naive_error": np.array(spec["naive_error"], dtype=np.float64).reshape(-1, channels),
            "covariates": {
                key: _from_plain(each, widths[key]) for key, each in spec["covariates"].items()
            },
        }
        names = ("channels", "past", "known", "static", "cycles")
        return cls(**{**spec, **{name: tuple(spec[name]) for name in names}, **arrays})

    def _series_scales(self, panel: Panel, ends: NDArray[np.int64]) -> tuple[Scales, Floats]:
        """Return scales and errors of the seasonal naive forecast of each series (N, K)."""
        places = {name: place for place, name in enumerate(self.categories[SERIES])}
        known = np.array([places.get(name, -1) for name in panel.names], dtype=np.int64)
        new = np.flatnonzero(known < 0)
        location, scale = (np.empty((len(panel), len(self.channels))) for _ in range(2))
        naive_error = np.zeros_like(location)
        old = np.flatnonzero(known >= 0)
        location[old], scale[old] = (each[known[old]] for each in self.series)
        naive_error[old] = self.naive_error[known[old]]
        if len(new):
            counted = np.where(known < 0, ends, 0)
            own = _filled(scale_series(panel, counted, self.scaling), self.together)
            location[new], scale[new] = (each[new] for each in own)
            naive_error[new] = seasonal_error(panel, counted, self.season)[new]
        if self.shared:
            location[:], scale[:] = self.together
            # Series that were split apart are of one kind, so that the others' error tells theirs.
            naive_error[new] = self.naive_error.mean(axis=0) if len(self.naive_error) else 0.0
        return Scales(location, scale), naive_error

    def _covariate(
        self, key: str, columns: Floats, offsets: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        return stored(columns, self.covariates[key], offsets)[0]

    def _static(self, panel: Panel) -> NDArray[np.float32]:
        location, scale = self.covariates["static"]
        return np.nan_to_num((panel.static - location) / scale, nan=0.0).astype(np.float32)

    def _codes(self, panel: Panel) -> NDArray[np.int64]:
        columns = []
        for key, values in self.categories.items():
            codes = {value: code for code, value in enumerate(values, start=1)}
            given = panel.names if key == SERIES else panel.categories[key]
            columns.append([codes.get(value, 0) for value in given])
        return np.array(columns, dtype=np.int64).T.reshape(len(panel), len(columns))


def _require_dates(encoding: Encoding, panel: Panel) -> None:
    if encoding.cycles and panel.starts is None:
        raise UserError(
            "the series have no dates, and the calendar needs them",
            where="the series",
            todo="give a column of dates, as training had",
        )


def _filled(own: Scales, together: Scales) -> Scales:
    """Return scales, that of all series together where one has no value of its own."""
    unknown = np.isnan(own.location)
    return Scales(
        np.where(unknown, together.location, own.location),
        np.where(unknown, together.scale, own.scale),
    )


def _plain(scales: Scales) -> dict[str, Any]:
    return {"location": scales.location.tolist(), "scale": scales.scale.tolist()}


def _from_plain(spec: Mapping[str, Any], width: int) -> Scales:
    location, scale = (
        np.array(spec[key], dtype=np.float64).reshape(-1, width) if width else np.empty((1, 0))
        for key in ("location", "scale")
    )
    return Scales(location, scale)
