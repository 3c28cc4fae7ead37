"""What a layout accepts, and its way through a checkpoint."""

import json
from dataclasses import replace
from typing import Any

import pytest

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.layout import Layout


def test_a_layout_is_the_same_after_json() -> None:
    layout = Layout(
        kind="long", date="ds", target=("y",), known=("price", "sale"), frequency="MS", name="shop"
    )

    for each in (layout, replace(layout, static=("size",), texts=("size",))):
        assert Layout.from_spec(json.loads(json.dumps(each.to_spec()))) == each


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"kind": "tall"}, ["kind is 'tall'", "data.kind", "wide"]),
        ({"duplicates": "means"}, ["duplicates is 'means'", "did you mean: mean"]),
        ({"missing": "drop"}, ["missing is 'drop'", "mask, refuse"]),
        ({"past": "load"}, ["past is 'load'", "write [load]"]),
        ({"date": "t", "known": ("t",)}, ["'t' is named twice", "data.date and data.known"]),
        ({"past": ("a", "a")}, ["'a' is named twice", "where: data.past\n"]),
        ({"frequency": "hourly"}, ["no frequency 'hourly'", "data.frequency", "MS"]),
        ({"timezone": "Berlin"}, ["no time zone 'Berlin'", "Europe/Berlin"]),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], expected: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        Layout(**options)

    assert all(part in str(caught.value) for part in expected), str(caught.value)
    assert len(str(caught.value).splitlines()) <= 5
