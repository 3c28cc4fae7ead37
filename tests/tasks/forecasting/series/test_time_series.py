"""Series from files, data sets, frames and arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from seqforge.errors import UserError
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.series.layout import Layout
from seqforge_tasks.forecasting.series.options import SeriesOptions
from seqforge_tasks.forecasting.series.series_data import SeriesData
from seqforge_tasks.forecasting.series.time_series import TimeSeries

SIZES: dict[str, Any] = {"context": 8, "horizon": 4}


def frame(columns: int = 2, rows: int = 60) -> pd.DataFrame:
    chance = np.random.default_rng(0)
    dates = pd.date_range("2020-01-01", periods=rows, freq="D")
    values = {f"v{place}": chance.normal(size=rows) for place in range(columns)}
    return pd.DataFrame({"date": dates, **values})


def first_test_batch(data: SeriesData) -> ForecastBatch:
    data.prepare_data()
    data.setup("fit")
    batch = next(iter(data.test_dataloader()["test"]))
    assert isinstance(batch, ForecastBatch)
    return batch


def same(first: ForecastBatch, second: ForecastBatch) -> bool:
    return all(
        value is None or value.equal(getattr(second, name)) for name, value in vars(first).items()
    )


def test_a_file_and_a_frame_give_the_same_windows(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    frame().to_csv(path, index=False)

    of_file = TimeSeries(str(path), calendar=["day_of_week"], **SIZES)
    options = SeriesOptions(**SIZES, calendar=("day_of_week",))
    of_frame = TimeSeries.from_frame(frame(), options)

    assert same(first_test_batch(of_file), first_test_batch(of_frame))
    assert of_file.spec()["known"] == ["day_of_week_sin", "day_of_week_cos"]
    assert of_file.spec()["frequency"] == "D"
    assert of_file.spec()["season"] == 7
    assert of_file.spec()["channels"] == of_frame.spec()["channels"]


def test_columns_may_be_channels_and_covariates(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    frame(4).to_csv(path, index=False)

    data = TimeSeries(str(path), multivariate=True, past=["v2"], known=["v3"], **SIZES)
    batch = first_test_batch(data)

    assert batch.context.shape[2] == 2
    assert batch.past.shape[2] == batch.known.shape[2] == batch.known_future.shape[2] == 1
    spec = data.spec()
    assert (spec["channels"], spec["past"], spec["known"]) == (["v0", "v1"], ["v2"], ["v3"])
    assert Layout.from_spec(spec["layout"]).multivariate


def test_arrays_of_any_lengths() -> None:
    values = [np.arange(40.0), np.arange(30.0) ** 2]

    data = TimeSeries.from_arrays(values, SeriesOptions(**SIZES), names=["a", "b"])

    first_test_batch(data)
    assert data.spec()["categories"] == {"series": ["a", "b"]}
    assert data.spec()["frequency"] is None


def test_a_test_file_of_its_own(tmp_path: Path) -> None:
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    table = frame(1)
    table[:50].to_csv(train, index=False)
    table[50:].to_csv(test, index=False)
    options: dict[str, Any] = {"split": "horizons", "train": None, "validation": 1}
    options |= {"context": 8, "horizon": 5}

    data = TimeSeries(str(train), test_path=str(test), **options)
    batch = first_test_batch(data)

    assert batch.cuts.tolist() == list(range(50, 56))
    trained = table["v0"].to_numpy()[:45]
    values = (table["v0"].to_numpy()[42:55] - trained.mean()) / trained.std()
    found = torch.cat([batch.context[0], batch.target[0]]).flatten()
    np.testing.assert_allclose(found, values, rtol=1e-5, atol=1e-6)


def test_a_data_set(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    frame().to_csv(path, index=False)

    data = TimeSeries(dataset="csv", files=str(path), **SIZES)

    assert same(first_test_batch(data), first_test_batch(TimeSeries(str(path), **SIZES)))


@pytest.mark.parametrize(
    ("arguments", "message", "where"),
    [
        ({}, "neither a path nor a dataset is given", "data.path, data.dataset"),
        ({"path": "a.csv", "dataset": "b"}, "a path and a dataset are", "data.path, data.dataset"),
        ({"dataset": "b", "test_path": "c"}, "goes with a path", "data.test_path"),
        ({"path": "a.csv", "horizon": 0}, "horizon is 0", "data.horizon"),
        ({"path": "a.csv", "past": ["x"], "known": ["x"]}, "'x' is named twice", "data.past and"),
        ({"path": "a.csv", "num_workers": -1}, "num_workers is -1", "data.num_workers"),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], message: str, where: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        TimeSeries(**arguments)

    assert caught.value.where.startswith(where)
    assert len(str(caught.value).splitlines()) <= 5


def test_a_data_set_that_is_not_there_is_met_in_setup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    data = TimeSeries(dataset=str(tmp_path / "absent"), **SIZES)

    data.prepare_data()

    with pytest.raises(UserError):
        data.setup("fit")


def test_the_usual_split_of_etth1(data_root: Path) -> None:
    path = str(data_root / "timeseries" / "ETTh1.csv.gz")
    values = pd.read_csv(path).to_numpy()[:, 1:].astype(np.float64)
    expected = (values - values[:8640].mean(axis=0)) / values[:8640].std(axis=0)
    sizes: dict[str, Any] = {"split": "steps", "train": 8640, "validation": 2880, "test": 2880}

    for context in (96, 720):
        data = TimeSeries(path, context=context, horizon=96, **sizes)
        batch = first_test_batch(data)

        assert len(data.test_dataloader()["test"].samples) == 7 * 2785  # type: ignore[arg-type]
        assert batch.cuts[0] == 11520
        reached = expected[11520 - context : 11520, 0]
        np.testing.assert_allclose(batch.context[0, :, 0], reached, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(batch.target[0, :, 0], expected[11520:11616, 0], atol=1e-4)


def test_naive2_of_m4_is_the_published_one(data_root: Path) -> None:
    folder = data_root / "timeseries"
    data = TimeSeries(
        str(folder / "Hourly-train.csv.gz"),
        test_path=str(folder / "Hourly-test.csv.gz"),
        context=96,
        horizon=48,
        season=24,
        split="horizons",
        train=None,
        validation=1,
        naive2=True,
        batch_size=512,
    )

    batch = first_test_batch(data)

    assert batch.naive2 is not None
    scale, location = batch.scale[:, None].double(), batch.location[:, None].double()
    truth, forecast = batch.target * scale + location, batch.naive2 * scale + location
    smape = (200 * (truth - forecast).abs() / (truth.abs() + forecast.abs())).mean()
    mase = ((batch.target - batch.naive2).abs().mean(dim=1) / batch.naive_error).mean()
    assert len(batch.ids) == 414
    assert round(float(smape), 3) == 18.383
    assert round(float(mase), 3) == 2.395
