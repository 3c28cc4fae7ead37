"""Series that go on in a second file."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.continuation import continued
from tests.tasks.forecasting.series.panels import panel_of


def test_steps_are_put_behind_those_of_the_same_name() -> None:
    panel, more = panel_of([5, 4, 3], covariates=True), panel_of([2, 1], seed=1, covariates=True)
    more = replace(more, names=["s2", "s0"])

    joint = continued(panel, more)

    assert joint.history.tolist() == [6, 4, 5]
    assert joint.offsets.tolist() == [0, 6, 10, 15]
    np.testing.assert_array_equal(
        joint.target(0), np.concatenate([panel.target(0), more.target(1)])
    )
    np.testing.assert_array_equal(joint.target(1), panel.target(1))
    np.testing.assert_array_equal(
        joint.target(2), np.concatenate([panel.target(2), more.target(0)])
    )
    np.testing.assert_array_equal(joint.known[10:13], panel.known[9:])
    np.testing.assert_array_equal(joint.known[13:], more.known[:2])


def test_rows_of_the_future_give_way() -> None:
    panel = panel_of([5], future=3, covariates=True)
    more = panel_of([2], future=1, seed=1, covariates=True)

    joint = continued(panel, more)

    assert joint.history.tolist() == [7]
    assert joint.offsets.tolist() == [0, 8]
    np.testing.assert_array_equal(joint.known[5:], more.known)


def test_dates_go_on_too() -> None:
    panel, more = panel_of([5], frequency="h"), panel_of([2], frequency="h")
    begin = np.array(["2020-01-01 05:00"], dtype="datetime64[ns]")

    assert continued(panel, replace(more, starts=begin)).history.tolist() == [7]
    with pytest.raises(UserError, match="'s0' goes on with 2020-01-01 06:00:00") as caught:
        continued(panel, replace(more, starts=np.array(["2020-01-01 06:00"], dtype=begin.dtype)))
    assert caught.value.where == "data.test_path"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": ["S1"]}, "'S1' is in the test file alone"),
        ({"channels": ("y",)}, "channels columns of the test file are y, and those .* c0"),
        ({"known_names": ("a", "z")}, "known columns"),
    ],
)
def test_what_does_not_fit(changes: dict[str, Any], message: str) -> None:
    panel, more = panel_of([5, 3], covariates=True), panel_of([2], covariates=True)

    with pytest.raises(UserError, match=message) as caught:
        continued(panel, replace(more, **changes))

    assert caught.value.where == "data.test_path"
    assert len(str(caught.value).splitlines()) <= 5
