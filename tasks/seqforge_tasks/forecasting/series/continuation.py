"""Series that go on in a second file."""

from __future__ import annotations

import numpy as np
import pandas as pd

from seqforge.errors import UserError, closest_match
from seqforge_tasks.forecasting.series.panel import Panel


def continued(panel: Panel, following: Panel) -> Panel:
    """Return series with the steps of a second file behind their own.

    Args:
        panel: The series.
        following: How some of them go on: known by their names, with the same channels.

    Returns:
        All series of `panel`, in its order. Rows that it has for what is known in advance are
        replaced by those of `following`.

    Raises:
        UserError: A series of the second file is not in the first, its columns differ, or its dates
            do not go on where the first one's end.
    """
    places = {name: place for place, name in enumerate(following.names)}
    for name in places.keys() - set(panel.names):
        raise UserError(
            f"the series '{name}' is in the test file alone",
            where="data.test_path",
            closest=closest_match(name, panel.names),
            todo="name series alike in both files",
        )
    for role in ("channels", "past_names", "known_names"):
        if getattr(panel, role) != getattr(following, role):
            raise UserError(
                f"the {role.removesuffix('_names')} columns of the test file are "
                f"{', '.join(getattr(following, role)) or 'none'}, and those of the first "
                f"{', '.join(getattr(panel, role)) or 'none'}",
                where="data.test_path",
                todo="give both files the same columns",
            )
    values, past, known, lengths, history = [], [], [], [], []
    for place, name in enumerate(panel.names):
        first, count = int(panel.offsets[place]), int(panel.history[place])
        chosen = [(panel, slice(first, first + count))]
        added = places.get(name)
        if added is not None:
            _require_joint(panel, place, following, added)
            chosen.append((following, slice(*following.offsets[added : added + 2].tolist())))
            count += int(following.history[added])
        values += [each.values[rows] for each, rows in chosen]
        past += [each.past[rows] for each, rows in chosen]
        known += [each.known[rows] for each, rows in chosen]
        lengths.append(sum(rows.stop - rows.start for _, rows in chosen))
        history.append(count)
    return Panel(
        names=panel.names,
        channels=panel.channels,
        values=np.concatenate(values),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        history=np.array(history, dtype=np.int64),
        past=np.concatenate(past),
        past_names=panel.past_names,
        known=np.concatenate(known),
        known_names=panel.known_names,
        static=panel.static,
        static_names=panel.static_names,
        categories=panel.categories,
        starts=panel.starts,
        frequency=panel.frequency,
        first_steps=panel.first_steps,
        step_length=panel.step_length,
    )


def _require_joint(panel: Panel, place: int, following: Panel, added: int) -> None:
    """Refuse dates that do not go on one step behind the last one."""
    if panel.starts is None or following.starts is None:
        return
    count = int(panel.history[place])
    expected = pd.date_range(panel.starts[place], periods=count + 1, freq=panel.frequency)[-1]
    given = pd.Timestamp(following.starts[added])
    if given != expected:
        raise UserError(
            f"the series '{panel.names[place]}' goes on with {given} in the test file, not with "
            f"{expected}",
            where="data.test_path",
            todo="let the test file begin one step behind the other's end",
        )
