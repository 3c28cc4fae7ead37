"""What is learnt of the training part, and series encoded by it."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seqforge.errors import UserError
from seqforge_tasks.forecasting.series.encoding import Encoding
from seqforge_tasks.forecasting.series.options import SeriesOptions
from seqforge_tasks.forecasting.series.panel import Panel
from tests.tasks.forecasting.series.panels import panel_of

OPTIONS = SeriesOptions(context=5, horizon=3, calendar=("hour",))


def full_panel(**changes: Any) -> Panel:
    given: dict[str, Any] = {"lengths": [30, 40, 35], "covariates": True, "frequency": "h"}
    return panel_of(**{**given, **changes})


def fitted(panel: Panel, ends: list[int] | None = None, **changes: Any) -> Encoding:
    counts = panel.history if ends is None else np.array(ends)
    return Encoding.fit(panel, counts, replace(OPTIONS, **changes))


@pytest.mark.parametrize("covariates", [False, True])
def test_it_survives_being_written_as_json(covariates: bool) -> None:
    panel = full_panel(channels=2, missing=0.1, covariates=covariates)
    encoding = fitted(panel, [20, 0, 35])

    again = Encoding.from_spec(json.loads(json.dumps(encoding.to_spec())))

    assert json.dumps(again.to_spec()) == json.dumps(encoding.to_spec())
    numbers, series, cuts = range(3), [0, 1, 2], [10, 20, 30]
    expected = encoding.encode(panel).batch(numbers, series, cuts, references=True)
    found = again.encode(panel).batch(numbers, series, cuts, references=True)
    for name, value in vars(expected).items():
        other = getattr(found, name)
        assert value is other is None or value.equal(other), name


def test_nothing_behind_the_training_parts_is_learnt() -> None:
    panel = full_panel(missing=0.1)
    ends = [20, 0, 25]
    before = fitted(panel, ends).to_spec()

    for first, end, behind in zip(panel.offsets[:-1], ends, panel.offsets[1:], strict=True):
        for columns in (panel.values, panel.past, panel.known):
            columns[first + end : behind] = 1e9
    panel.static[1] = 1e9
    categories = {"kind": [panel.categories["kind"][0], "z", panel.categories["kind"][2]]}

    assert json.dumps(fitted(replace(panel, categories=categories), ends).to_spec()) == json.dumps(
        before
    )


def test_columns_are_scaled_by_their_training_parts() -> None:
    panel = full_panel()
    encoding = fitted(panel, [20, 0, 25])

    encoded = encoding.encode(panel)

    trained = np.concatenate([panel.past[:20], panel.past[70:95]])
    expected = (panel.past - trained.mean(axis=0)) / trained.std(axis=0)
    np.testing.assert_allclose(encoded.past, expected, rtol=1e-5, atol=1e-5)
    static = panel.static[[0, 2]]
    expected = (panel.static - static.mean(axis=0)) / static.std(axis=0)
    np.testing.assert_allclose(encoded.static, expected, rtol=1e-5, atol=1e-5)
    own = panel.values[70:95]
    expected = (panel.values[70:] - own.mean()) / own.std()
    np.testing.assert_allclose(encoded.values[70:], expected, rtol=1e-5, atol=1e-5)
    assert encoding.known_features == ("a", "b", "hour_sin", "hour_cos")
    assert encoding.season == 24


def test_a_known_series_keeps_its_scale_and_a_new_one_gets_its_own() -> None:
    panel = full_panel()
    encoding = fitted(panel)
    later = full_panel(lengths=[12, 10], seed=1)
    later = replace(later, names=["s2", "new"], categories={"kind": ["x", "never seen"]})

    encoded = encoding.encode(later)

    assert encoded.scales.location[0] == panel.values[70:].mean()
    assert encoded.scales.scale[1] == later.values[12:].std()
    assert encoded.categories.tolist() == [[3, 1], [0, 0]]
    naive = np.abs(panel.values[70 + 24 :] - panel.values[70:-24]).mean() / panel.values[70:].std()
    np.testing.assert_allclose(encoded.naive_error[0], naive, rtol=1e-6)


def test_a_new_series_may_be_scaled_by_its_beginning() -> None:
    encoding = fitted(full_panel())
    later = replace(full_panel(lengths=[12, 10], seed=1), names=["n0", "n1"])

    encoded = encoding.encode(later, ends=np.array([6, 0]))

    assert encoded.scales.location[0] == later.values[:6].mean()
    # what has no value of its own is scaled as all series of the training part together
    assert encoded.scales.location[1] == encoding.together.location
    assert encoded.scales.scale[1] == encoding.together.scale


def test_series_that_are_split_by_series_share_a_scale() -> None:
    panel = full_panel()
    encoding = fitted(panel, [30, 40, 0], split="series")

    encoded = encoding.encode(panel)

    np.testing.assert_allclose(encoded.scales.location, panel.values[:70].mean(), rtol=1e-12)
    np.testing.assert_allclose(encoded.naive_error[2], encoded.naive_error[:2].mean(), rtol=1e-6)


@pytest.mark.parametrize(
    ("lengths", "missing", "expected"),
    [([30], 0.0, False), ([30, 8], 0.0, False), ([30, 7], 0.0, True), ([30], 0.2, True)],
)
def test_it_knows_whether_windows_have_gaps(
    lengths: list[int], missing: float, expected: bool
) -> None:
    assert fitted(full_panel(lengths=lengths, missing=missing)).missing is expected


def test_gaps_behind_the_training_part_are_not_seen() -> None:
    panel = full_panel(lengths=[30])
    panel.values[25] = np.nan

    assert not fitted(panel, [20]).missing


@pytest.mark.parametrize(
    ("changes", "message", "closest"),
    [
        ({"channels": ("C0",)}, "no target column 'c0'", "C0"),
        ({"past_names": ("a", "B")}, "no past column 'b'", "B"),
        ({"known_names": ("b", "a")}, "known columns are b, a; training had a, b", ""),
        ({"static_names": ("a", "x")}, "no static column 'b'", ""),
        ({"categories": {"kinds": ["x"] * 3}}, "no static column 'kind'", "kinds"),
        ({"starts": None, "frequency": None}, "no dates", ""),
    ],
)
def test_series_with_other_columns_are_refused(
    changes: dict[str, Any], message: str, closest: str
) -> None:
    panel = full_panel()
    encoding = fitted(panel)

    with pytest.raises(UserError, match=message) as caught:
        encoding.encode(replace(panel, **changes))

    assert caught.value.closest == closest
    assert len(str(caught.value).splitlines()) <= 5


def test_a_category_may_not_be_called_as_the_series_are() -> None:
    panel = replace(full_panel(), categories={"series": ["x"] * 3})

    with pytest.raises(UserError, match="static column is called 'series'") as caught:
        fitted(panel)

    assert caught.value.where == "data.static"
