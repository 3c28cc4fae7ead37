"""Parts of series."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.options import SeriesOptions
from seqforge_tasks.forecasting.series.panel import Panel
from seqforge_tasks.forecasting.series.splits import Parts, split_series
from tests.tasks.forecasting.series.panels import panel_of

Bounds = list[tuple[int, int]]


def split(panel: Panel, tested: list[int] | None = None, **options: Any) -> list[Bounds]:
    counts = np.array(tested or [0] * len(panel), dtype=np.int64)
    parts = split_series(panel, SeriesOptions(**options), counts)
    return [bounds(each) for each in (parts.train, parts.validation, parts.test)]


def bounds(part: Any) -> Bounds:
    return list(zip(part[0].tolist(), part[1].tolist(), strict=True))


def test_by_fractions_of_each_series() -> None:
    found = split(panel_of([10, 1000, 3]))

    assert found[0] == [(0, 7), (0, 700), (0, 2)]
    assert found[1] == [(7, 8), (700, 800), (2, 2)]
    assert found[2] == [(8, 10), (800, 1000), (2, 3)]


def test_by_steps_from_the_beginning() -> None:
    found = split(panel_of([20, 12]), split="steps", train=10, validation=3, test=3)

    assert found == [[(0, 10), (0, 10)], [(10, 13), (10, 12)], [(13, 16), (12, 12)]]


def test_by_horizons_from_the_end() -> None:
    options: dict[str, Any] = {
        "split": "horizons",
        "horizon": 4,
        "train": None,
        "validation": 1,
        "test": 2,
    }

    found = split(panel_of([20, 6]), **options)

    assert found == [[(0, 8), (0, 0)], [(8, 12), (0, 0)], [(12, 20), (0, 6)]]


def test_by_dates_on_which_parts_begin() -> None:
    panel = panel_of([48, 30], frequency="h")
    options: dict[str, Any] = {
        "split": "dates",
        "train": None,
        "validation": "2020-01-02",
        "test": "2020-01-02 06",
    }

    assert split(panel, **options) == [[(0, 24)] * 2, [(24, 30)] * 2, [(30, 48), (30, 30)]]
    options["validation"] = None
    assert split(panel, **options)[:2] == [[(0, 30)] * 2, [(30, 30)] * 2]
    zoned = {**options, "test": "2020-01-02 06:00+01:00"}
    assert split(panel, **zoned)[0] == [(0, 29)] * 2


@pytest.mark.parametrize("amounts", [(2, 1, 1), (0.5, 0.25, 0.25)])
def test_by_series(amounts: tuple[float, ...]) -> None:
    train, validation, test = amounts
    found = split(
        panel_of([5, 6, 7, 8]), split="series", train=train, validation=validation, test=test
    )

    assert found[0] == [(0, 5), (0, 6), (0, 0), (0, 0)]
    assert found[1] == [(0, 0), (0, 0), (0, 7), (0, 0)]
    assert found[2] == [(0, 0), (0, 0), (0, 0), (0, 8)]


def test_a_test_part_of_its_own_is_not_split() -> None:
    panel = panel_of([24, 14])
    options: dict[str, Any] = {"split": "horizons", "horizon": 4, "train": None, "validation": 1}

    assert split(panel, [4, 4], **options) == [
        [(0, 16), (0, 6)],
        [(16, 20), (6, 10)],
        [(20, 24), (10, 14)],
    ]
    assert split(panel, [8, 6]) == [[(0, 14), (0, 7)], [(14, 16), (7, 8)], [(16, 24), (8, 14)]]


@given(
    lengths=st.lists(st.integers(0, 50), min_size=1, max_size=5),
    shares=st.tuples(*[st.floats(0, 1)] * 3).filter(lambda each: sum(each) <= 1),
)
def test_parts_follow_each_other_within_the_series(
    lengths: list[int], shares: tuple[float, float, float]
) -> None:
    train, validation, test = shares
    options = SeriesOptions(train=train, validation=validation, test=test)
    panel = panel_of(lengths)

    parts: Parts = split_series(panel, options, np.zeros(len(lengths), dtype=np.int64))

    assert (parts.train[0] == 0).all()
    assert (parts.train[1] == parts.validation[0]).all()
    assert (parts.validation[1] == parts.test[0]).all()
    assert (parts.test[0] <= parts.test[1]).all()
    assert (parts.test[1] <= panel.history).all()


@pytest.mark.parametrize(
    ("options", "message", "where"),
    [
        ({"train": 0.9}, "1.2 together", "data.train, data.validation, data.test"),
        ({"train": 8640}, "train is 8640", "data.train"),
        ({"test": "2020-01-01"}, "by fractions", "data.test"),
        ({"split": "steps"}, "train is 0.7", "data.train"),
        (
            {"split": "steps", "train": 30, "validation": 5, "test": 6},
            "41 steps together, and the longest series 40",
            "data.train, data.validation, data.test",
        ),
        ({"split": "horizons", "train": 1}, "train is 1", "data.train"),
        ({"split": "horizons", "test": 1}, "validation is 0.1", "data.validation"),
        ({"split": "horizons", "validation": 1, "test": -1}, "test is -1", "data.test"),
        ({"split": "dates"}, "test is 0.2, and the split is by dates", "data.test"),
        ({"split": "dates", "test": "soon"}, "test is 'soon'", "data.test"),
        (
            {"split": "dates", "validation": "2021-01-01", "test": "2020-01-02"},
            "not before the test",
            "data.validation, data.test",
        ),
        (
            {"split": "dates", "validation": None, "test": "2030-01-01"},
            "test begins on 2030-01-01 00:00:00, and all series end before",
            "data.test",
        ),
        (
            {"split": "dates", "validation": "2030-01-01", "test": None},
            "validation begins on 2030-01-01 00:00:00, and all series end before",
            "data.validation",
        ),
        (
            {"split": "series", "train": 3, "validation": 1, "test": 1},
            "5 series together, and there are 2",
            "data.train, data.validation, data.test",
        ),
    ],
)
def test_what_is_refused(options: dict[str, Any], message: str, where: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        split(panel_of([40, 30], frequency="h"), **options)

    assert caught.value.where == where
    assert len(str(caught.value).splitlines()) <= 5


def test_dates_are_needed_for_a_split_by_them() -> None:
    with pytest.raises(UserError, match="no dates") as caught:
        split(panel_of([9]), split="dates", train=None, test="2020-01-01")

    assert caught.value.where == "data.split"
