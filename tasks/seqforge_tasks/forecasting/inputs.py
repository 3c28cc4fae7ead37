"""What a user gives to be forecast: files, standard input, frames, and numbers typed inline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.frequencies import to_offset

from seqforge.errors import UserError
from seqforge.task import Source, Spec
from seqforge_tasks.forecasting.forecasting_options import ForecastingOptions
from seqforge_tasks.forecasting.series.layout import Kind, Layout
from seqforge_tasks.forecasting.series.reading import Reading, panel_from_arrays, read_panel
from seqforge_tasks.forecasting.series.reading.files import STANDARD_INPUT

UNLIKE = 1.25
"""How many times longer a step may be than in training, or shorter."""

_OPTIONS = {
    "data.path": "-i",
    "data.kind": "--layout",
    "data.date": "--date",
    "data.id": "--id",
    "data.target": "--target",
    "data.frequency": "--frequency",
    "data.past": "the covariates of training",
    "data.known": "the covariates of training",
    "data.static": "the columns of training that describe a series",
    # Without an option: a checkpoint keeps what was set in training.
    "data.date_format": "data.date_format in training",
    "data.duplicates": "data.duplicates in training",
    "data.timezone": "data.timezone in training",
}
_KEY = re.compile(r"data\.\w+")


def input_layout(spec: Spec, options: ForecastingOptions) -> Layout:
    """Return how series to forecast lie: as in training, but for what the user says.

    Args:
        spec: The data module's.
        options: What the user says.

    Raises:
        UserError: There is no such frequency.
    """
    layout = Layout.from_spec(spec["layout"])
    if len(spec["channels"]) > 1 and not layout.target:
        # Named, so that one that is missing is missed.
        layout = replace(layout, target=tuple(spec["channels"]))
    # New categories may look like numbers, and be missing altogether.
    categories = tuple(name for name in layout.static if name in spec["categories"])
    layout = replace(layout, texts=categories)
    if options.layout != "trained":
        layout = replace(layout, kind=options.layout)
    with in_words_of_options():
        return replace(
            layout,
            name=Layout.name,
            date=options.date or layout.date,
            id=options.id or layout.id,
            target=tuple(options.target) or layout.target,
            frequency=options.frequency or layout.frequency,
        )


def readings(
    inputs: Iterable[Source], spec: Spec, options: ForecastingOptions
) -> Iterator[Reading]:
    """Read a user's inputs: each file, and all that was typed inline as one.

    Args:
        inputs: Files, and numbers typed inline: a text with numbers is a series.
        spec: The data module's.
        options: What the user says of the files.

    Raises:
        UserError: A file cannot be read, a text holds something else than numbers, or the series
            are not like those of training.
    """
    layout = input_layout(spec, options)
    inline: list[str] = []
    for source in inputs:
        if isinstance(source, Path):
            with in_words_of_options():
                reading = read_panel(source, layout)
            standard_input = str(source) == STANDARD_INPUT
            name = "standard input" if standard_input else str(source)
            yield like_training(replace(reading, source=name), spec)
        else:
            inline.append(source)
    if inline:
        yield like_training(_typed(inline, layout), spec)


@contextmanager
def in_words_of_options() -> Iterator[None]:
    """Let mistakes in what is read name options of `infer`, not keys of a configuration."""
    try:
        yield
    except UserError as mistake:
        mistake.where = _OPTIONS.get(mistake.where, mistake.where)
        mistake.todo = _KEY.sub(lambda key: _OPTIONS.get(key[0], key[0]), mistake.todo)
        raise


def like_training(reading: Reading, spec: Spec) -> Reading:
    """Return series, if they are like those of training.

    Args:
        reading: Series.
        spec: The data module's.

    Raises:
        UserError: They have other channels, or their steps have another length.
    """
    panel, channels = reading.panel, spec["channels"]
    if len(panel.channels) != len(channels):
        raise UserError(
            f"channels of a series: {len(panel.channels)}, and the network forecasts "
            f"{len(channels)}: {', '.join(channels)}",
            where=reading.place,
            todo="give series with these channels",
        )
    trained, given = spec["frequency"], panel.frequency
    if trained and given and not _alike(trained, given):
        raise UserError(
            f"steps of '{given}', and the network was trained on steps of '{trained}'",
            where=reading.place,
            todo="give series with that step",
        )
    return reading


def _typed(texts: Sequence[str], layout: Layout) -> Reading:
    covariates = [*layout.past, *layout.known]
    if covariates:
        raise UserError(
            f"numbers typed inline, and the network also reads {', '.join(covariates)}",
            where="inputs",
            todo="give a file that has them by -i",
        )
    series = [_numbers(text, place) for place, text in enumerate(texts, start=1)]
    names = [f"series {place}" for place in range(1, len(texts) + 1)] if len(texts) > 1 else None
    reading = panel_from_arrays(series, names, Layout(missing=layout.missing, name="forecast"))
    # Of series that end at different steps, a row each step would be full of holes.
    kind: Kind = "plain" if len(texts) == 1 else "long"
    return replace(reading, layout=replace(reading.layout, kind=kind, date=None), source="inputs")


def _numbers(text: str, place: int) -> NDArray[np.float64]:
    words = text.replace(",", " ").split()
    if not words:
        raise UserError(
            "no series to forecast" if place == 1 else f"input {place} is empty",
            where="inputs",
            todo='give a file by -i, or the values of a series, the latest last: "112 118 132"',
        )
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        wrong = next(word for word in words if not _is_number(word))
        raise UserError(
            f"'{wrong}' in input {place} is no number",
            where="inputs",
            todo='give the values of a series, the latest last: "112 118 132"; files come by -i',
        ) from None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _alike(one: str, other: str) -> bool:
    """Say whether two steps are about as long, such as month starts and month ends."""
    lengths = sorted(_days(alias) for alias in (one, other))
    return lengths[1] <= UNLIKE * lengths[0]


def _days(alias: str) -> float:
    """Return the mean length of a step in days."""
    dates = pd.date_range("2001-01-01", periods=29, freq=to_offset(alias))
    return float((dates[-1] - dates[0]) / pd.Timedelta(days=1)) / 28
