"""The table of the network beside the baselines."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seqforge.errors import UserError
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.heads.gaussian import GaussianHead
from seqforge_tasks.forecasting.heads.point import PointPredictive
from seqforge_tasks.forecasting.intervals import bounds
from seqforge_tasks.forecasting.scores import ForecastTable
from tests.distributed import launches
from tests.tasks.forecasting import score_ranks, windows


def two_windows() -> ForecastBatch:
    """Targets 1, 3 and 2, 0 in the network's scale: 12, 16 and 14, 10 in that of the data."""
    batch = windows.batch(windows.spec(context=2, horizon=2), rows=2)
    return replace(
        batch,
        target=torch.tensor([[[1.0], [3.0]], [[2.0], [0.0]]]),
        location=torch.full((2, 1), 10.0),
        scale=torch.full((2, 1), 2.0),
        naive_error=torch.tensor([[0.5], [4.0]]),
        naive=torch.tensor([[[1.0], [1.0]], [[2.0], [2.0]]]),
        naive2=torch.tensor([[[2.0], [2.0]], [[2.0], [2.0]]]),
    )


def values(*steps: float) -> torch.Tensor:
    return torch.tensor(steps).view(2, 2, 1)


def scored(units: str, batch: ForecastBatch, forecast: torch.Tensor) -> ForecastTable:
    table = ForecastTable(units)  # type: ignore[arg-type]
    linear = values(1.0, 3.0, 2.0, 1.0)
    table.update(batch, PointPredictive(forecast, "mse", 1.0), None, linear)
    return table


FORECAST = values(1.0, 2.0, 2.0, 2.0)  # errors 0, -1, 0, 2


def test_errors_in_the_units_of_the_data() -> None:
    found = scored("data", two_windows(), FORECAST).finish()

    assert found["mae"] == pytest.approx(2 * 3 / 4)
    assert found["mse"] == pytest.approx(4 * 5 / 4)
    assert found["crps"] == found["mae"]
    # MASE knows no units: mean errors 0.5 and 1 over 0.5 and 4
    assert found["mase"] == pytest.approx((0.5 / 0.5 + 1 / 4) / 2)
    # 12, 14, 14, 14 for 12, 16, 14, 10
    assert found["smape"] == pytest.approx((200 * 2 / 30 / 2 + 200 * 4 / 24 / 2) / 2)
    assert found["seasonal_naive_mae"] == pytest.approx(2 * (0 + 2 + 0 + 2) / 4)
    assert found["linear_mae"] == pytest.approx(2 * 1 / 4)


def test_errors_as_the_network_sees_them() -> None:
    data = scored("data", two_windows(), FORECAST).finish()
    found = scored("scaled", two_windows(), FORECAST).finish()

    assert found["mae"] == pytest.approx(3 / 4)
    assert found["mse"] == pytest.approx(5 / 4)
    for name in ("mase", "smape", "wql", "nrmse", "owa"):
        assert found[name] == pytest.approx(data[name])


def test_owa_divides_by_naive2() -> None:
    found = scored("data", two_windows(), FORECAST).finish()

    # Naive2 is off by 1, -1 and 0, 2: mean errors 1 and 1 over 0.5 and 4; 14 for 12, 16, 14, 10
    mase = (1 / 0.5 + 1 / 4) / 2
    smape = ((200 * 2 / 26 + 200 * 2 / 30) / 2 + 200 * 4 / 24 / 2) / 2
    assert found["owa"] == pytest.approx((found["smape"] / smape + found["mase"] / mase) / 2)
    assert "seasonal_naive_owa" in found
    without = scored("data", replace(two_windows(), naive2=None), FORECAST).finish()
    assert not [name for name in without if name.endswith("owa")]


def test_windows_that_calibrate_are_not_scored() -> None:
    batch = replace(two_windows(), calibration=torch.tensor([True, False]))
    found = scored("scaled", batch, FORECAST).finish()

    assert found["mae"] == pytest.approx(1.0)
    assert found["seasonal_naive_mae"] == pytest.approx(1.0)


def test_coverage_and_width_of_the_corrected_intervals() -> None:
    batch = two_windows()
    table = ForecastTable("data", [80.0])
    predictive = GaussianHead()(torch.zeros(2, 2, 1, 2), torch.zeros(2, 1, 1), torch.ones(2, 1, 1))
    low, high = bounds(predictive, [80.0])
    table.update(batch, predictive, (low, high), None)
    found = table.finish()

    # Of 1, 3, 2, 0 two lie within ± 1.2816, in the data ± 2.5631.
    assert found["coverage_80"] == pytest.approx(50)
    assert found["width_80"] == pytest.approx(2 * 2 * 1.281552, rel=1e-5)
    assert "linear_mae" not in found
    assert "seasonal_naive_coverage_80" not in found


def test_the_table_has_a_column_for_each_model_and_blanks() -> None:
    batch = two_windows()
    table = ForecastTable("data", [80.0])
    predictive = GaussianHead()(torch.zeros(2, 2, 1, 2), torch.zeros(2, 1, 1), torch.ones(2, 1, 1))
    table.update(batch, predictive, bounds(predictive, [80.0]), values(1.0, 3.0, 2.0, 1.0))
    table.finish()
    shown = table.table()

    assert shown.title == "errors in units of the data"
    assert list(shown.columns) == ["", "network", "seasonal naive", "linear"]
    rows = {str(name): cells for name, *cells in shown.rows}
    assert rows["MAE"] == ["3", "2", "0.5"]
    assert rows["in 80 %"] == ["50", "", ""]
    assert rows["width 80 %"] == ["5.126", "", ""]
    assert list(rows)[:4] == ["MSE", "MAE", "RMSE", "NRMSE"]


def test_notes_say_when_a_network_is_not_worth_it() -> None:
    batch = replace(two_windows(), naive_error=torch.tensor([[0.5], [0.0]]))
    table = scored("data", batch, FORECAST)
    table.finish()

    assert table.notes() == [
        "MAE: the network (1.5) is worse than linear (0.5)",
        "MASE leaves out 1 windows of series whose seasonal naive error in training is 0 or not "
        "known",
    ]
    better = scored("data", two_windows(), two_windows().target)
    assert better.notes() == []
    better.finish()
    assert better.notes() == []


def test_large_numbers_are_shown_in_full() -> None:
    batch = replace(two_windows(), scale=torch.full((2, 1), 1e5))
    table = scored("data", batch, FORECAST)
    table.finish()

    rows = {str(name): cells for name, *cells in table.table().rows}
    assert rows["MAE"][0] == "75000"


def test_a_pass_without_a_window_has_no_measures() -> None:
    table = ForecastTable()

    assert table.finish() == {}
    assert list(table.table().rows) == []


def test_unknown_units_are_named() -> None:
    with pytest.raises(UserError) as caught:
        ForecastTable("scale")  # type: ignore[arg-type]

    assert str(caught.value).splitlines() == [
        "measures have no units 'scale'",
        "  where: model.task.units",
        "  accepted: data, scaled",
        "  did you mean: scaled",
    ]


def test_nothing_of_it_goes_into_the_checkpoint() -> None:
    assert ForecastTable("data", [80.0]).state_dict() == {}


@pytest.mark.distributed
@pytest.mark.timeout(240)
def test_two_ranks_find_what_one_finds_also_if_one_has_nothing(tmp_path: Path) -> None:
    script = Path(score_ranks.__file__)
    command = [*launches.TORCHRUN, "--nproc-per-node", "2", str(script), str(tmp_path)]
    variables = launches.environment(tmp_path, "ranks") | {"SEQFORGE_PLUGINS": ""}
    ended = launches.run(command, tmp_path, variables, patience=200)
    assert ended.code == 0, ended.err[-3000:]
    assert "before the ``update``" not in ended.err

    first, second, corrections = score_ranks.found(score_ranks.SHARES[0])
    for rank in range(2):
        found = json.loads((tmp_path / f"{rank}.json").read_text(encoding="utf-8"))
        assert found[0] == pytest.approx(first, rel=1e-12)
        assert found[1] == pytest.approx(second, rel=1e-12)
        assert found[2] == corrections
    assert {"mae", "crps", "mase", "owa", "coverage_80", "linear_mae"} <= set(first)
