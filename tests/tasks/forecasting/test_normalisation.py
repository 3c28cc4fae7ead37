"""Each window in a scale of its own, by what was observed."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqforge.errors import UserError
from seqforge_tasks.forecasting.normalisation import EPSILON, KINDS, frame_of

CONTEXT = torch.tensor([[[1.0], [3.0], [8.0]], [[5.0], [99.0], [7.0]]], dtype=torch.float64)
OBSERVED = torch.tensor([[[True], [True], [True]], [[True], [False], [False]]])


@pytest.mark.parametrize(
    ("kind", "locations"), [("none", (0, 0)), ("last", (8, 5)), ("mean", (4, 5))]
)
def test_the_location_by_hand(kind: Any, locations: tuple[float, float]) -> None:
    frame = frame_of(kind, CONTEXT, OBSERVED)

    assert frame.location.flatten().tolist() == list(locations)
    assert frame.scale.flatten().tolist() == [1, 1]


def test_the_deviation_by_hand() -> None:
    frame = frame_of("standard", CONTEXT, OBSERVED)

    variance = (9 + 1 + 16) / 3
    expected = torch.tensor([variance + EPSILON, EPSILON], dtype=torch.float64).sqrt()
    torch.testing.assert_close(frame.scale.flatten(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_without_any_value_stays_as_it_is(kind: Any) -> None:
    frame = frame_of(kind, CONTEXT, torch.zeros_like(OBSERVED))

    assert frame.location.flatten().tolist() == [0, 0]
    assert frame.scale.flatten().tolist() == [1, 1]


@pytest.mark.parametrize("kind", KINDS)
@given(shift=st.floats(-1e3, 1e3), factor=st.floats(0.1, 100))
def test_it_is_undone(kind: Any, shift: float, factor: float) -> None:
    values = CONTEXT * factor + shift
    frame = frame_of(kind, values, OBSERVED)

    again = frame.apply(values) * frame.scale + frame.location
    torch.testing.assert_close(again, values, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_not_observed_counts_for_nothing(kind: Any) -> None:
    other = torch.where(OBSERVED, CONTEXT, torch.full_like(CONTEXT, -1e6))

    for one, two in zip(
        frame_of(kind, CONTEXT, OBSERVED), frame_of(kind, other, OBSERVED), strict=True
    ):
        assert torch.equal(one, two)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UserError, match="normalisation 'standart'") as caught:
        frame_of("standart", CONTEXT, OBSERVED)  # type: ignore[arg-type]
    assert caught.value.closest == "standard"
