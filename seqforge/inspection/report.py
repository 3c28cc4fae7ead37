"""From checkpoints that read a text to a folder of figures, a table and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge.inspection.colours import scaled
from seqforge.inspection.figures import as_array, gradient_findings
from seqforge.inspection.gradients import GradientCurve, fresh_encoders, gradient_by_lag
from seqforge.inspection.page import SHOWN, Page
from seqforge.inspection.pictures import draw_pictures
from seqforge.inspection.ranking import Ranking, Unit, rank_units
from seqforge.inspection.trace import Trace, evaluating, gate_names, trace
from seqforge.task import Reading

LEAST_SYMBOLS = 20
MOST_SYMBOLS = 5_000
FILES = ("index.html", "units.csv", "units.png", "gradients.png", "gates.png", "saturation.png")


class Subject(NamedTuple):
    """A checkpoint that is looked into.

    Attributes:
        label: What it is called in the figures.
        reading: The text as it reads it.
    """

    label: str
    reading: Reading


class Report(NamedTuple):
    """What was found, and what to write.

    Attributes:
        findings: The sentences of the titles, for the terminal.
        notes: What was cut or left out, and why.
        files: The contents of each file, by name.
    """

    findings: Sequence[str]
    notes: Sequence[str]
    files: Mapping[str, bytes]

    def write(self, folder: Path) -> None:
        """Write all files into a folder, which is made; those of an earlier report go.

        Raises:
            UserError: The folder cannot be made or written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in FILES:
                (folder / name).unlink(missing_ok=True)
            for name, data in self.files.items():
                (folder / name).write_bytes(data)
        except OSError as error:
            raise UserError(
                f"cannot write to '{folder}': {error.strerror}",
                where="--output",
                todo="give a folder that can be made and written",
            ) from error


def look(
    subjects: Sequence[Subject],
    *,
    lags: int = 50,
    wanted: Sequence[Unit] = (),
    notes: Sequence[str] = (),
) -> Report:
    """Look into checkpoints that have read the same text.

    Gates and units are those of the first one; gradients are compared. A single one is compared
    with untrained networks of its sizes. Encoders read without dropout, whatever their mode, which
    stays as it is.

    Args:
        subjects: At least one.
        lags: The largest lag of the gradients; at most half the text is used.
        wanted: Units to show besides the ranked ones.
        notes: What the reader should know of the text.

    Returns:
        The report; nothing is written yet.

    Raises:
        UserError: The text is too short, a unit does not exist, or a network has diverged.
        EncoderError: If an encoder is not causal.
    """
    for subject in subjects:
        require_symbols(subject.reading)
    first = subjects[0]
    with evaluating([subject.reading.encoder for subject in subjects]):
        traces = [trace(subject.reading) for subject in subjects]
        layers = traces[0].layers
        units = [layer.units for layer in layers]
        _require_units(wanted, [layer.size(1) for layer in units])
        curves = _curves(subjects, traces, lags)
    references = _references(first.reading, len(layers), lags) if len(subjects) == 1 else {}
    ranking = rank_units(first.reading.symbols, units)
    all_notes = [*notes, *_told(subjects), *_cut(subjects, lags)]
    all_notes += _left_out(ranking, traces[0], subjects)
    activations = _shown_units(ranking, traces[0], wanted)
    pictures = draw_pictures(first.reading, traces[0], ranking, activations, curves, references)
    page = Page(
        title=f"Inside {first.label}",
        subjects=[_described(*pair) for pair in zip(subjects, traces, strict=True)],
        notes=all_notes,
        symbols=first.reading.symbols,
        ranking=ranking,
        activations=activations,
        wanted=wanted,
        pictures=pictures,
    )
    files = {f"{name}.png": picture.png for name, picture in pictures.items()}
    files["units.csv"] = ranking.table.to_csv(index=False, float_format="%.4f").encode()
    files["index.html"] = page.html().encode()
    return Report([*gradient_findings(curves), *_unit_findings(ranking)], all_notes, files)


def require_symbols(reading: Reading) -> None:
    """Refuse a text that is too short to say anything.

    Raises:
        UserError: It has fewer than `LEAST_SYMBOLS` positions.
    """
    length = len(reading.symbols)
    if length < LEAST_SYMBOLS:
        raise UserError(
            f"the text has {length} symbols to read: that shows nothing",
            where="--text",
            todo=f"give at least {LEAST_SYMBOLS + 1} characters, better some thousands",
        )


def _require_units(wanted: Sequence[Unit], sizes: Sequence[int]) -> None:
    for unit in wanted:
        if not (1 <= unit.layer <= len(sizes) and 1 <= unit.number <= sizes[unit.layer - 1]):
            raise UserError(
                f"there is no unit {unit}",
                where="--unit",
                accepted=[f"{layer}:1 to {layer}:{size}" for layer, size in enumerate(sizes, 1)],
                todo="give LAYER:NUMBER, both counted from 1",
            )


def _curves(
    subjects: Sequence[Subject], traces: Sequence[Trace], lags: int
) -> dict[str, GradientCurve]:
    return {
        subject.label: gradient_by_lag(subject.reading, seen, _lags(subject.reading, lags))
        for subject, seen in zip(subjects, traces, strict=True)
    }


def _references(reading: Reading, num_layers: int, lags: int) -> dict[str, GradientCurve]:
    curves = {}
    for name, encoder in fresh_encoders(reading.encoder, num_layers).items():
        other = reading._replace(encoder=encoder)
        curves[name] = gradient_by_lag(other, trace(other), _lags(reading, lags))
    return curves


def _lags(reading: Reading, lags: int) -> int:
    return min(lags, len(reading.symbols) // 2)


def _told(subjects: Sequence[Subject]) -> list[str]:
    """List the notes of the readings; with the checkpoint's label where there are several."""
    return [
        note if len(subjects) == 1 else f"{subject.label}: {note}"
        for subject in subjects
        for note in subject.reading.notes
    ]


def _cut(subjects: Sequence[Subject], lags: int) -> list[str]:
    used = min(_lags(subject.reading, lags) for subject in subjects)
    return [f"Gradients are followed back over {used} steps, half the text."] * (used < lags)


def _shown_units(
    ranking: Ranking, seen: Trace, wanted: Sequence[Unit]
) -> dict[Unit, NDArray[np.float64]]:
    chosen = list(wanted)
    for feature in ranking.features:
        best = ranking.best(feature, SHOWN)
        chosen += [Unit(int(a), int(b)) for a, b in zip(best["layer"], best["unit"], strict=True)]
    chosen = chosen or [Unit(1, 1)]
    return {unit: _activations(seen, unit) for unit in chosen}


def _activations(seen: Trace, unit: Unit) -> NDArray[np.float64]:
    return scaled(as_array(seen.layers[unit.layer - 1].units[:, unit.number - 1]))


def _left_out(ranking: Ranking, seen: Trace, subjects: Sequence[Subject]) -> list[str]:
    notes = []
    if len(subjects) > 1:
        notes.append(f"Units and gates are those of the first checkpoint, {subjects[0].label}.")
    if ranking.left_out:
        names = ", ".join(ranking.left_out)
        notes.append(f"Left out, as a half of the text hardly has them: {names}.")
    if not gate_names(seen.layers):
        kind = type(subjects[0].reading.encoder).__name__
        notes.append(f"The figures of gates are left out: {kind} has none to show.")
    return notes


def _unit_findings(ranking: Ranking) -> list[str]:
    found = []
    for feature in ranking.features:
        row = ranking.best(feature, 1).iloc[0]
        unit = Unit(int(row["layer"]), int(row["unit"]))
        values = (
            f"{row['first_half']:+.2f} on the first half, {row['second_half']:+.2f} on the rest"
        )
        found.append(f"{feature}: unit {unit} ({row['statistic']} = {values})")
    return found


def _described(subject: Subject, seen: Trace) -> str:
    kind = type(subject.reading.encoder).__name__
    sizes = " and ".join(str(layer.units.size(1)) for layer in seen.layers)
    length = len(subject.reading.symbols)
    return f"{subject.label}: {kind} with layers of {sizes} units, read {length} symbols"
