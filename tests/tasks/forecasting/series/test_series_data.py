"""Series as a data module: parts, loaders, and nothing of the future anywhere."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.trainer.states import TrainerFn

from seqforge.data import PlanLoader
from seqforge.errors import UserError
from seqforge_tasks.forecasting.batch import ForecastBatch
from seqforge_tasks.forecasting.series.panel import Panel
from seqforge_tasks.forecasting.series.series_data import SeriesData
from tests.tasks.forecasting.series.panels import data_of, panel_of

OPTIONS: dict[str, Any] = {"context": 8, "horizon": 4, "season": 3}


def set_up(panel: Panel, **options: Any) -> SeriesData:
    data = data_of(panel, **{**OPTIONS, **options})
    data.setup("fit")
    return data


def batches(loader: PlanLoader[int]) -> list[ForecastBatch]:
    found = list(loader)
    assert all(isinstance(each, ForecastBatch) for each in found)
    return found  # type: ignore[return-value]


def windows(loader: PlanLoader[int]) -> Iterator[tuple[int, int]]:
    for batch in batches(loader):
        yield from zip(batch.series.tolist(), batch.cuts.tolist(), strict=True)


def corrupted(panel: Panel, step: int) -> Panel:
    """Return series in which all is changed from some step on but what is known in advance."""
    changed = {name: getattr(panel, name).copy() for name in ("values", "past")}
    chance = np.random.default_rng(9)
    for first, end in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        for columns in changed.values():
            shape = columns[first + step : end].shape
            columns[first + step : end] = np.where(
                chance.random(shape) < 0.3, np.nan, 1e6 * chance.normal(size=shape)
            )
    return replace(panel, **changed)


def known_at(batch: ForecastBatch) -> dict[str, torch.Tensor]:
    """Return all of a batch but what lies behind its cut-offs."""
    hidden = {"gap", "target", "target_observed", "calibration"}
    return {k: v for k, v in vars(batch).items() if v is not None and k not in hidden}


def assert_same(first: ForecastBatch, second: ForecastBatch, rows: torch.Tensor) -> None:
    for name, value in known_at(first).items():
        assert value[rows].equal(getattr(second, name)[rows]), name


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("scaling", ["standard", "mean_abs"])
def test_no_fold_knows_what_comes_behind_its_cut_off(missing: float, scaling: str) -> None:
    panel = panel_of([60, 60], 2, missing=missing, covariates=True, frequency="h")
    options = {"scaling": scaling, "calendar": "auto", "calibration": 0.5, "naive2": True}
    plain = set_up(panel, **options)
    spec = json.dumps(plain.spec())
    training = batches(plain.train_dataloader())
    folds = batches(plain.val_dataloader()["validation"])
    tests = batches(plain.test_dataloader()["test"])
    folds_seen = 0

    for cut in (42, 44, 46, 48, 52, 55):  # 42 steps train, 6 validate
        other = set_up(corrupted(panel, cut), **options)

        assert json.dumps(other.spec()) == spec
        for one, two in zip(training, batches(other.train_dataloader()), strict=True):
            assert_same(one, two, torch.ones(len(one.ids), dtype=torch.bool))
            assert one.target.equal(two.target)
        for one, two in zip(folds, batches(other.val_dataloader()["validation"]), strict=True):
            assert_same(one, two, one.cuts <= cut)
            folds_seen += int((one.cuts <= cut).sum())
        if cut >= 48:  # the denominator of MASE is that of all steps before the test
            for one, two in zip(tests, batches(other.test_dataloader()["test"]), strict=True):
                assert_same(one, two, one.cuts <= cut)
                assert not one.target.equal(two.target)
    assert folds_seen > 20


def test_it_would_be_seen_if_the_future_leaked() -> None:
    panel = panel_of([60], covariates=True)
    plain, other = set_up(panel), set_up(corrupted(panel, 41))

    assert json.dumps(plain.spec()) != json.dumps(other.spec())


def test_targets_of_the_parts_do_not_overlap() -> None:
    data = set_up(panel_of([60, 45]), lead=2)
    reached: dict[str, set[tuple[int, int]]] = {}
    loaders = {
        "train": data.train_dataloader(),
        **data.val_dataloader(),
        **data.test_dataloader(),
    }

    for name, loader in loaders.items():
        reached[name] = {
            (series, step)
            for series, cut in windows(loader)
            for step in range(cut + 1, cut + 1 + 4)
        }

    assert list(reached) == ["train", "validation", "test"]
    assert sum(map(len, reached.values())) == len(set.union(*reached.values()))
    assert max(reached["test"]) == (1, 44)


def test_short_series_train_with_short_contexts_or_are_counted() -> None:
    panel = panel_of([60, 9, 5, 4])
    data = set_up(panel, train=1.0, validation=None, test=None)

    found = sorted(windows(data.train_dataloader()))

    assert [each for each in found if each[0]] == [(1, 5), (2, 1)]
    assert data.val_dataloader() == {}
    assert data.test_dataloader() == {}
    assert "too short for a window of train: s3" in data.notes()
    assert data.spec()["categories"]["series"] == ["s0", "s1", "s2"]
    assert data.spec()["missing"]
    short = next(each for each in batches(data.train_dataloader()) if (each.lengths < 8).any())
    row = int(short.lengths.argmin())
    length = int(short.lengths[row])
    assert not short.context[row, length:].any()
    assert not short.observed[row, length:].any()


def test_constant_and_missing_series_come_out_finite() -> None:
    panel = panel_of([60, 60, 60])
    panel.values[60:120] = 7.0
    panel.values[120:] = np.nan
    data = set_up(panel)

    for loader in (data.train_dataloader(), *data.test_dataloader().values()):
        for batch in batches(loader):
            for value in vars(batch).values():
                assert value is None or torch.isfinite(value).all()
            assert (batch.scale > 0).all()


def test_the_latest_validation_windows_calibrate() -> None:
    data = set_up(panel_of([80, 80], seed=3), validation=0.2, test=0.1, calibration=0.25)

    marked = [
        (cut, mark)
        for batch in batches(data.val_dataloader()["validation"])
        if batch.calibration is not None
        for cut, mark in zip(batch.cuts.tolist(), batch.calibration.tolist(), strict=True)
    ]

    assert sum(mark for _, mark in marked) == round(0.25 * len(marked))
    assert min(cut for cut, mark in marked if mark) >= max(cut for cut, mark in marked if not mark)
    assert all(batch.calibration is None for batch in batches(data.test_dataloader()["test"]))
    assert data.spec()["calibration"] == sum(mark for _, mark in marked)


def test_any_stride_of_the_backtest_keeps_the_newest_window() -> None:
    data = set_up(panel_of([60]), eval_stride=3)

    assert list(windows(data.test_dataloader()["test"])) == [(0, 50), (0, 53), (0, 56)]


def test_series_of_their_own_are_measured_from_their_beginning() -> None:
    panel = panel_of([30] * 4)
    data = set_up(panel, split="series", train=2, validation=1, test=1)

    assert {series for series, _ in windows(data.train_dataloader())} == {0, 1}
    assert list(windows(data.test_dataloader()["test"])) == [(3, cut) for cut in range(8, 27)]
    batch = batches(data.test_dataloader()["test"])[0]
    assert (batch.categories == 0).all()
    np.testing.assert_allclose(batch.location, panel.values[:60].mean(), rtol=1e-6)
    assert (batch.naive_error > 0).all()


def test_whole_series_are_read_with_the_state_carried() -> None:
    panel = panel_of([50] * 4)
    options = {"split": "series", "train": 2, "validation": 1, "test": 1, "carried": True}
    data = set_up(panel, **{**options, "lead": 3, "horizon": 1, "context": 10})

    training = batches(data.train_dataloader())
    test = batches(data.test_dataloader()["test"])

    assert [each.starts.tolist() for each in training if each.starts is not None] == [
        [True, True],
        *[[False, False]] * 3,
    ]
    assert [each.cuts.tolist() for each in training] == [[cut, cut] for cut in (10, 20, 30, 40)]
    joint = torch.cat([each.context for each in training], dim=1)[0, :, 0]
    assert data.panel is not None
    np.testing.assert_array_equal(joint, data.panel.values[:40, 0])
    chunk = training[0]
    following = torch.cat([chunk.context, chunk.gap, chunk.target], dim=1)[1, :, 0]
    np.testing.assert_array_equal(following, data.panel.values[50:63, 0])
    assert len(test) == 1
    assert test[0].context.shape == (1, 47, 1)
    assert test[0].starts is not None
    assert data.spec()["carried"]


def test_whole_series_of_different_lengths_are_not_padded() -> None:
    panel = panel_of([50, 50, 40, 30])
    data = set_up(panel, split="series", train=2, validation=None, test=2, carried=True)

    test = batches(data.test_dataloader()["test"])

    assert [each.context.shape for each in test] == [(1, 36, 1), (1, 26, 1)]


def test_windows_to_solve_a_baseline_come_in_order_of_time() -> None:
    data = set_up(panel_of([60, 50]))
    everything = sorted(windows(data.train_dataloader()), key=lambda each: each[1])

    found = list(data.training_windows())
    some = [cut for batch in data.training_windows(limit=10) for cut in batch.cuts.tolist()]

    assert [cut for batch in found for cut in batch.cuts.tolist()] == [c for _, c in everything]
    assert len(some) == 10
    assert some == sorted(some)


def test_a_checkpoints_encoding_is_used_for_other_series() -> None:
    spec = json.loads(json.dumps(set_up(panel_of([60, 60])).spec()))
    other = replace(panel_of([40, 40], seed=7), names=["s1", "new"])
    data = data_of(other, context=3, horizon=9)

    data.adopt(spec)
    data.setup("test")

    batch = batches(data.test_dataloader()["test"])[0]
    assert batch.context.shape[1:] == (8, 1)
    assert batch.target.shape[1:] == (4, 1)
    assert data.spec()["encoding"] == spec["encoding"]
    assert data.panel is not None
    assert data.panel.scales.location[0] == spec["encoding"]["series"]["location"][1]
    # a series that it does not know: from what comes before validation and test
    assert data.panel.scales.location[1] == other.values[40 : 40 + 28].mean()


def test_a_run_does_not_go_on_with_other_series() -> None:
    panel = panel_of([60])
    data, same = set_up(panel), set_up(corrupted(panel, 42))
    changed = set_up(corrupted(panel, 41))

    saved = data.state_dict()

    for fitting in (data, same, changed):
        fitting.trainer = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
        fitting.trainer.state.fn = TrainerFn.FITTING
    same.load_state_dict(saved)
    with pytest.raises(UserError, match="not the one that the run was trained on") as caught:
        changed.load_state_dict(saved)

    assert caught.value.where == "data"
    changed.trainer.state.fn = TrainerFn.TESTING  # type: ignore[union-attr]
    changed.load_state_dict(saved)


def test_what_the_user_is_told() -> None:
    data = set_up(panel_of([60, 50], 2, frequency="h"), season=None)

    assert list(data.notes()) == [
        "series: 2, of 2 channels   steps: 50 to 60, each h   season: 24",
        "windows: train: 55   validation: 5   test: 16",
    ]


@pytest.mark.parametrize("carried", [False, True])
def test_series_that_are_all_too_short(carried: bool) -> None:
    with pytest.raises(UserError, match="longest training part has 4 steps") as caught:
        set_up(panel_of([5, 6]), carried=carried)

    assert caught.value.where == "data.horizon, data.train"


def test_carried_series_are_complete_also_behind_training() -> None:
    panel = panel_of([60, 60])
    panel.values[60 + 50] = np.nan
    options: dict[str, Any] = {"split": "series", "train": 1, "validation": 1, "test": None}
    with pytest.raises(UserError, match="has no value at step 51") as caught:
        set_up(panel, carried=True, **options)

    assert panel.names[1] in caught.value.given
    assert caught.value.where == "data.carried"


def test_batches_hold_a_window() -> None:
    with pytest.raises(UserError, match="batch_size is 0") as caught:
        data_of(panel_of([9]), batch_size=0)

    assert caught.value.where == "data.batch_size"
