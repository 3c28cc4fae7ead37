import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge.errors import UserError
from seqforge_tasks.forecasting.conformal import (
    ConformalIntervals,
    require_windows,
    windows_needed,
)


def everywhere(target: Tensor) -> Tensor:
    return torch.ones_like(target, dtype=torch.bool)


def calibrated(levels: list[float], errors: Tensor) -> ConformalIntervals:
    """Calibrate by the errors `(B, H, K)` of a point forecast of 0."""
    intervals = ConformalIntervals(levels, errors.size(1))
    zero = torch.zeros(*errors.shape, len(levels))
    intervals.update(zero, zero, errors, everywhere(errors))
    intervals.finish()
    return intervals


def test_around_a_point_it_is_the_ordinary_split_conformal_interval() -> None:
    errors = torch.tensor([3.0, -1.0, 7.0, 2.0, -9.0, 4.0, 8.0, -5.0, 6.0]).view(9, 1, 1)
    intervals = calibrated([50.0, 80.0], errors)
    low, high = intervals.corrected(torch.ones(1, 1, 1, 2), torch.ones(1, 1, 1, 2))

    # Of the sizes 1 … 9, ranks ceil(10 * 0.5) = 5 and ceil(10 * 0.8) = 8
    assert low.flatten().tolist() == [-4.0, -7.0]
    assert high.flatten().tolist() == [6.0, 9.0]


def test_intervals_that_are_too_wide_are_narrowed_to_a_point_at_most() -> None:
    intervals = ConformalIntervals([50.0], 1)
    target = torch.tensor([0.5, 1.0, -1.0]).view(3, 1, 1)
    wide = torch.full((3, 1, 1, 1), 10.0)
    intervals.update(-wide, wide, target, everywhere(target))
    intervals.finish()
    found = [
        [
            float(bound)
            for bound in intervals.corrected(
                torch.tensor(low).view(1, 1, 1, 1), torch.tensor(high).view(1, 1, 1, 1)
            )
        ]
        for low, high in ((-10.0, 10.0), (-20.0, 20.0), (0.0, 2.0))
    ]

    # Scores -9.5, -9, -9; rank ceil(4 * 0.5) = 2: -9
    assert found == [[-1.0, 1.0], [-11.0, 11.0], [1.0, 1.0]]


@pytest.mark.parametrize("wrong", [False, True])
def test_intervals_cover_as_often_as_they_say_also_those_of_a_wrong_model(wrong: bool) -> None:
    """Exchangeable noise whose size grows with the step; the wrong model knows nothing of it."""
    chance = torch.Generator().manual_seed(8)
    growth = torch.tensor([1.0, 3.0, 10.0]).view(1, 3, 1)
    calibration, test = (growth * torch.randn(n, 3, 2, generator=chance) for n in (1000, 5000))
    levels = [50.0, 80.0, 95.0]
    scores = torch.special.ndtri(torch.tensor([0.75, 0.9, 0.975]))

    def bounds(target: Tensor) -> tuple[Tensor, Tensor]:
        if not wrong:
            right = (growth.unsqueeze(-1) * scores).expand(*target.shape, 3)
            return -right, right
        # biased, of the wrong width, and another for every window
        middle = 2 + torch.rand(len(target), 1, 1, 1, generator=chance).expand(*target.shape, 3)
        return middle - 0.5, middle + 0.1

    intervals = ConformalIntervals(levels, 3)
    for part in calibration.split(128):
        intervals.update(*bounds(part), part, everywhere(part))
    intervals.finish()
    low, high = intervals.corrected(*bounds(test))
    inside = (low <= test.unsqueeze(-1)) & (test.unsqueeze(-1) <= high)
    covered = inside.double().mean(dim=(0, 2))  # (H, N)

    for number, level in enumerate(levels):
        share = level / 100
        # 2,000 values calibrate a step and 10,000 test it, two of each in a window of their own
        error = math.sqrt(share * (1 - share) * (1 / 2000 + 1 / 10000) * 2)
        assert (covered[:, number] - share).abs().max() < 4 * error
    assert bool((low.diff(dim=-1) <= 0).all())
    assert bool((high.diff(dim=-1) >= 0).all())


@given(count=st.integers(1, 60), level=st.floats(1, 99), seed=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_of_all_equally_likely_places_of_a_new_error_enough_are_covered(
    count: int, level: float, seed: int
) -> None:
    """A new error falls between any two of `count` others with chance `1 / (count + 1)`."""
    errors = torch.rand(count, 1, 1, generator=torch.Generator().manual_seed(seed))
    if count < windows_needed(level):
        assert not calibrated([level], errors).calibrated
        return
    zero = torch.zeros(1, 1, 1, 1)
    high = float(calibrated([level], errors).corrected(zero, zero)[1])
    places = int((errors <= high).sum()) / (count + 1)

    assert level / 100 - 1e-9 <= places < level / 100 + 1 / (count + 1) + 1e-9


def test_missing_targets_do_not_count() -> None:
    errors = torch.arange(1.0, 11.0).repeat(2).view(2, 10).T.reshape(10, 2, 1)
    observed = everywhere(errors)
    observed[::2, 1] = False  # of the second step 2, 4, … 10 are left
    errors = torch.where(observed, errors, 1e9)
    intervals = ConformalIntervals([50.0], 2)
    zero = torch.zeros(10, 2, 1, 1)
    intervals.update(zero, zero, errors, observed)
    intervals.finish()

    # ranks ceil(11 * 0.5) = 6 of 10, and ceil(6 * 0.5) = 3 of 5
    assert intervals.corrections.tolist() == [[6.0], [6.0]]
    assert intervals.corrected(zero, zero)[1][0].flatten().tolist() == [6.0, 6.0]


def test_too_few_windows_leave_the_intervals_as_they_were() -> None:
    enough = calibrated([80.0, 95.0], torch.randn(19, 2, 1))
    before = enough.corrections.clone()
    zero, few = torch.zeros(18, 2, 1, 2), torch.randn(18, 2, 1)
    assert enough.notes() == []
    enough.update(zero, zero, few, everywhere(few))
    enough.finish()

    assert bool(enough.calibrated)
    assert torch.equal(enough.corrections, before)
    assert enough.notes() == [
        "the pass had 18 windows to calibrate intervals, and those of 95 % need 19: the intervals "
        "stay as they were"
    ]
    enough.finish()
    assert enough.notes() == []  # a pass without any, as a test is, has nothing to say
    short = calibrated([80.0, 95.0], few)
    assert not short.calibrated
    assert not short.corrections.any()


def test_data_that_are_too_few_are_refused_with_the_number_that_is_needed() -> None:
    require_windows([80.0, 95.0], 19)
    with pytest.raises(UserError) as caught:
        require_windows([80.0, 95.0], 18)

    assert str(caught.value).splitlines() == [
        "intervals of 95 % need 19 windows to be calibrated, and the data have 18",
        "  where: model.task.conformal, data.calibration",
        "  to do: give data.calibration, a share of the validation windows, such as 0.5; or more "
        "validation, or lower model.task.levels",
    ]
    assert [windows_needed(level) for level in (50.0, 80.0, 90.0, 99.0)] == [1, 4, 9, 99]


def test_without_windows_the_last_calibration_stays() -> None:
    intervals = ConformalIntervals([80.0], 2)
    intervals.finish()
    assert not intervals.calibrated
    intervals = calibrated([80.0], torch.randn(20, 2, 1))
    before = intervals.corrections.clone()
    intervals.finish()

    assert bool(intervals.calibrated)
    assert torch.equal(intervals.corrections, before)


def test_corrections_travel_in_the_checkpoint() -> None:
    first = calibrated([50.0, 80.0], torch.randn(20, 3, 1))
    second = ConformalIntervals([50.0, 80.0], 3)
    second.load_state_dict(first.state_dict())

    assert set(first.state_dict()) == {"corrections", "calibrated"}
    zero = torch.zeros(2, 3, 1, 2)
    torch.testing.assert_close(second.corrected(zero, zero), first.corrected(zero, zero))


def test_other_horizons_and_some_of_the_levels() -> None:
    intervals = calibrated(
        [50.0, 80.0], torch.randn(20, 3, 1) * torch.tensor([1.0, 5, 9]).view(3, 1)
    )
    zero = torch.zeros(1, 5, 1, 1)
    high = intervals.corrected(zero, zero, [1])[1].flatten()

    assert high[:3].tolist() == intervals.corrections[:, 1].tolist()
    assert high[3:].tolist() == [high[2]] * 2
    assert torch.equal(intervals.corrected(zero[:, :2], zero[:, :2], [1])[1].flatten(), high[:2])


@pytest.mark.parametrize("levels", [[], [0.0], [100.0], [95.0, 80.0], [80.0, 80.0]])
def test_levels_out_of_range_or_order_are_refused(levels: list[float]) -> None:
    with pytest.raises(UserError) as caught:
        ConformalIntervals(levels, 1)

    assert str(caught.value).splitlines() == [
        f"levels {levels} are no increasing percentages between 0 and 100",
        "  where: model.task.levels",
        "  to do: give levels such as [80, 95]",
    ]
