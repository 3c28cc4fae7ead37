from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from seqforge_tasks.forecasting.baselines.linear import STRENGTHS, LinearBaseline, filled
from seqforge_tasks.forecasting.batch import ForecastBatch
from tests.tasks.forecasting import windows


def cut(
    values: Tensor, context: int, horizon: int, cuts: Iterable[int] | None = None, lead: int = 1
) -> ForecastBatch:
    """Return windows of one series `(T, K)`, in the order of their cut-offs; all by default."""
    if cuts is None:
        cuts = range(context, len(values) - horizon - lead + 2)
    ends = list(cuts)
    spec = windows.spec(context=context, horizon=horizon, channels=["x"] * values.size(1))
    made = windows.batch(spec, rows=len(ends))
    return replace(
        made,
        context=values.unfold(0, context, 1).transpose(1, 2)[torch.tensor(ends) - context],
        target=values.unfold(0, horizon, 1).transpose(1, 2)[torch.tensor(ends) + lead - 1],
        cuts=torch.tensor(ends),
    )


def parts(batch: ForecastBatch, size: int) -> Callable[[], Iterable[ForecastBatch]]:
    return lambda: (batch.rows(rows) for rows in torch.arange(len(batch.ids)).split(size))


def waves(steps: int, noise: float = 0.0) -> Tensor:
    """Return two channels, each with a linear recurrence, and perhaps some noise."""
    time = torch.arange(steps, dtype=torch.float64)
    chance = torch.Generator().manual_seed(5)
    clean = torch.stack([torch.sin(0.3 * time), torch.cos(0.3 * time) + 2], dim=1)
    return clean + noise * torch.randn(steps, 2, generator=chance, dtype=torch.float64)


def test_a_series_with_a_linear_recurrence_is_forecast_nearly_exactly() -> None:
    values = waves(400)
    baseline = LinearBaseline(12, 5)
    baseline.fit(parts(cut(values[:300], 12, 5), 64))
    test = cut(values[300:], 12, 5)

    assert float((baseline(test) - test.target).abs().max()) < 1e-3


def test_it_is_ridge_regression_on_the_rows_themselves() -> None:
    """Against the normal equations of stacked rows, solved by numpy."""
    batch = cut(waves(120, noise=0.3), 6, 3)
    baseline = LinearBaseline(6, 3).double()
    baseline.fit(parts(batch, 17))
    rows = batch.context.transpose(1, 2).reshape(-1, 6).numpy()
    target = batch.target.transpose(1, 2).reshape(-1, 3).numpy()
    last = rows[:, -1:] * float(baseline.subtracts)
    inputs, outputs = rows - last, target - last
    centred, wanted = inputs - inputs.mean(axis=0), outputs - outputs.mean(axis=0)
    square = centred.T @ centred
    candidates = [
        np.linalg.solve(square + each * np.trace(square) / 6 * np.eye(6), centred.T @ wanted)
        for each in STRENGTHS
    ]
    nearest = min(candidates, key=lambda each: np.abs(each - baseline.weight.numpy()).max())

    np.testing.assert_allclose(baseline.weight.numpy(), nearest, rtol=1e-6, atol=1e-8)
    bias = outputs.mean(axis=0) - inputs.mean(axis=0) @ nearest
    np.testing.assert_allclose(baseline.bias.numpy(), bias, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("drift", "subtracts"), [(3.0, True), (0.0, False)])
def test_whether_to_subtract_is_chosen_on_the_last_tenth(drift: float, subtracts: bool) -> None:
    """A level that moves away asks for the last value; white noise around a level does not."""
    chance = torch.Generator().manual_seed(2)
    noise = torch.randn(600, 1, generator=chance, dtype=torch.float64)
    values = drift * noise.cumsum(0) if drift else noise
    values[500:] += 50 * drift
    baseline = LinearBaseline(8, 4)
    baseline.fit(parts(cut(values, 8, 4), 100))

    assert bool(baseline.subtracts) == subtracts


def test_the_size_and_order_of_batches_change_nothing() -> None:
    batch = cut(waves(150, noise=0.1), 8, 4)
    whole, pieces = LinearBaseline(8, 4).double(), LinearBaseline(8, 4).double()
    whole.fit(lambda: [batch])
    order = torch.randperm(len(batch.ids), generator=torch.Generator().manual_seed(0))
    pieces.fit(parts(batch.rows(order), 7))

    torch.testing.assert_close(pieces.weight, whole.weight, rtol=1e-6, atol=1e-9)
    assert bool(pieces.subtracts) == bool(whole.subtracts)


def test_before_it_is_fitted_it_repeats_the_last_value() -> None:
    batch = cut(waves(40), 8, 4)

    torch.testing.assert_close(LinearBaseline(8, 4)(batch), batch.context[:, -1:].expand(-1, 4, -1))


def test_without_a_complete_window_it_stays_the_last_value() -> None:
    batch = cut(waves(40), 8, 4)
    batch.target_observed[:, 2] = False
    baseline = LinearBaseline(8, 4)
    baseline.fit(lambda: [batch])

    torch.testing.assert_close(baseline(batch), batch.context[:, -1:].expand(-1, 4, -1))


def test_windows_with_missing_targets_are_left_out() -> None:
    batch = cut(waves(150, noise=0.1), 8, 4)
    holed = cut(waves(150, noise=0.1), 8, 4)
    holed.target_observed[3:40, 1, 0] = False
    holed.target[3:40, 1, 0] = 1e6
    clean, found = LinearBaseline(8, 4), LinearBaseline(8, 4)
    clean.fit(lambda: [batch])
    found.fit(lambda: [holed])

    assert float((clean(batch) - found(batch)).abs().max()) < 0.1


def test_contexts_are_filled_from_the_right_and_by_what_was_before() -> None:
    batch = windows.batch(windows.spec(context=5, horizon=1), rows=3)
    nan = 99.0
    values = [[1.0, 2, 3, 4, 5], [1, nan, 3, 0, 0], [nan, 7, nan, nan, 0]]
    seen = [[1, 1, 1, 1, 1], [1, 0, 1, 0, 0], [0, 1, 0, 0, 0]]
    given = replace(
        batch,
        context=torch.tensor(values).unsqueeze(-1),
        observed=torch.tensor(seen).bool().unsqueeze(-1),
        lengths=torch.tensor([5, 3, 4]),
    )

    assert filled(given)[..., 0].tolist() == [[1, 2, 3, 4, 5], [1, 1, 1, 1, 3], [7, 7, 7, 7, 7]]


def test_the_map_travels_in_the_checkpoint() -> None:
    batch = cut(waves(100), 8, 4)
    first, second = LinearBaseline(8, 4), LinearBaseline(8, 4)
    first.fit(lambda: [batch])
    second.load_state_dict(first.state_dict())

    assert torch.equal(second(batch), first(batch))


def test_steps_that_are_skipped_are_forecast_over() -> None:
    values = waves(300)
    baseline = LinearBaseline(12, 3)
    baseline.fit(lambda: [cut(values[:200], 12, 3, lead=15)])
    test = cut(values[200:], 12, 3, lead=15)

    assert float((baseline(test) - test.target).abs().max()) < 1e-3


def test_it_is_as_good_as_dlinear_on_etth1(data_root: Path) -> None:
    """Look-back 96, horizon 96: DLinear is published with MSE 0.386 and MAE 0.400."""
    file = data_root / "timeseries" / "ETTh1.csv.gz"
    frame = pd.read_csv(file, nrows=8640 + 2 * 2880).drop(columns="date")
    raw = torch.from_numpy(frame.to_numpy(dtype="float32"))
    mean, deviation = raw[:8640].mean(dim=0), raw[:8640].std(dim=0, unbiased=False)
    values = (raw - mean) / deviation
    baseline = LinearBaseline(96, 96)
    baseline.fit(lambda: [cut(values[:8640], 96, 96)])
    test = cut(values[8640 + 2880 - 96 :], 96, 96)
    error = baseline(test) - test.target

    assert len(test.ids) == 2785
    assert float(error.square().mean()) == pytest.approx(0.386, abs=0.012)
    assert float(error.abs().mean()) == pytest.approx(0.400, abs=0.012)
