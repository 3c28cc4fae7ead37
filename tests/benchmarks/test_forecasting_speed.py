"""The parts of the benchmark of forecasting run, tiny; neuralforecast itself is not run."""

from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks import forecasting_speed
from benchmarks.forecasting_runner import ACTIONS
from benchmarks.forecasting_speed import Bench, parsed, segrnn_settings, table
from benchmarks.peers.segrnn_loop import HourlyWindows, SegRNN
from seqforge.encoders import GRU, EncoderFactory
from seqforge_tasks.forecasting import Forecasting, TimeSeries

ROWS = 14_400
SMALL = {"context": 8, "horizon": 4, "layers": 1, "size": 4, "steps": 1, "pairs": 1}


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table as long as ETTh1's parts, with two channels."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(ROWS, 2)).cumsum(axis=0).round(3)
    frame = pd.DataFrame(values, columns=["one", "two"])
    frame.insert(0, "date", pd.date_range("2016-07-01", periods=ROWS, freq="h"))
    file = tmp_path_factory.mktemp("hours") / "hours.csv"
    frame.to_csv(file, index=False)
    return file


def _runner(action: str, **options: Any) -> dict[str, Any]:
    defaults = {"batch_size": 512, "batches": None, "every_step": False, "table": None}
    return ACTIONS[action](Namespace(**(SMALL | defaults | options)))


def test_both_train_the_same_network(hours: Path) -> None:
    context, horizon, segment, size = 24, 8, 4, 6
    data = TimeSeries(
        path=str(hours),
        context=context,
        horizon=horizon,
        split="steps",
        train=8640,
        validation=2880,
        test=2880,
    )
    data.setup("fit")
    task = Forecasting(mode="segments", segment=segment, embedding_size=size, identity=size // 2)
    task.build(EncoderFactory(partial(GRU, hidden_size=size)), data.spec())
    peer = SegRNN(context, horizon, 2, segment, size, dropout=0.5).eval()
    _copy(peer, task)
    windows = HourlyWindows(hours, context, horizon)
    values, target = windows[100]
    assert data.panel is not None

    batch = data.panel.batch([0, 1], [0, 1], [100 + context] * 2)
    with torch.no_grad():
        own = task.eval().predictive(batch).point()  # (2, H, 1)
        expected = peer(torch.from_numpy(values).unsqueeze(0))  # (1, H, 2)

    torch.testing.assert_close(batch.target[:, :, 0].T, torch.from_numpy(target))
    torch.testing.assert_close(own[:, :, 0].T, expected[0], rtol=1e-4, atol=1e-5)


def _copy(peer: SegRNN, task: Forecasting) -> None:
    """Give our network the peer's weights: a sum of half vectors is their concatenation."""
    mode, half = task.network.mode, peer.positions.size(1)
    with torch.no_grad():
        names: dict[str, torch.Tensor] = {
            "embedding.weight": peer.get_parameter("embedding.0.weight"),
            "embedding.bias": peer.get_parameter("embedding.0.bias"),
            "output.weight": peer.get_parameter("output.1.weight"),
            "output.bias": peer.get_parameter("output.1.bias"),
            "positions": torch.cat([peer.positions, torch.zeros_like(peer.positions)], dim=1),
            "series.weight": torch.cat([torch.zeros(half, half), torch.eye(half)]),
            "series.bias": torch.zeros(2 * half),
        }
        names |= {
            f"encoder.layers.0.rnn.{name}": each for name, each in peer.rnn.named_parameters()
        }
        own = dict(mode.named_parameters())
        assert own.keys() == names.keys()
        for name, weight in names.items():
            own[name].copy_(weight)
        (identities,) = task.network.description.parameters()
        identities.copy_(peer.get_parameter("channels"))


def test_both_are_told_the_same() -> None:
    settings = segrnn_settings(512, "32-true")

    chosen, data = settings["model"]["task"]["init_args"], settings["data"]["init_args"]
    size = settings["model"]["encoder"]["init_args"]["hidden_size"]
    assert (data["context"], data["horizon"], chosen["segment"], size) == (720, 96, 48, 512)
    assert chosen["embedding_size"] == size == 2 * chosen["identity"]
    assert data["batch_size"] == 64 * 7
    assert (chosen["normalisation"], chosen["dropout"], chosen["error"]) == ("last", 0.5, "mse")


def test_training_is_timed_in_turn(hours: Path, tmp_path: Path) -> None:
    options = ["--pairs", "1", "--seconds", "0.01", "--warm", "0", "--size", "8"]
    chosen = parsed(["train", *options, "--precisions", "32-true"])

    text = forecasting_speed.train(Bench(tmp_path, hours, threads=1), chosen)

    assert "seqforge in 32-true" in text
    assert "| 1 |" in text


@pytest.mark.slow
def test_the_recipe_is_measured_in_each_precision(hours: Path, tmp_path: Path) -> None:
    chosen = parsed(["precision", "--precisions", "32-true", "--epochs", "1", "--batches", "2"])

    text = forecasting_speed.precision(Bench(tmp_path, hours, threads=1), chosen)

    assert "| 32-true | " in text
    assert "**0.0000** apart" in text


def test_backtests_count_every_cut_off_of_every_series(hours: Path) -> None:
    windowed = _runner("backtest", table=hours, batches=2)
    whole = _runner("backtest", table=hours, every_step=True)

    assert windowed["windows"] == 2 * 512
    # All but the first, which has nothing of the part before it.
    assert whole["windows"] == 2 * (2880 - 4)
    assert min(windowed["windows_per_second"], whole["windows_per_second"]) > 0


def test_loading_compares_the_same_steps(hours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"tiny": {"context": 8, "segment": 4, "size": 4}}
    monkeypatch.setattr("benchmarks.forecasting_runner.NETWORKS", sizes)

    (share,) = _runner("loading", table=hours, steps=3, pairs=2).values()

    assert len(share["ready"]) == len(share["loaded"]) == 2
    assert share["share"] > 0


def test_memory_is_that_of_the_series_above_the_model() -> None:
    line = _runner("memory", series=60, points=300)

    assert (line["series"], line["points"]) == (60, 300)
    assert line["model_mebibytes"] > 0
    assert line["peak_above_mebibytes"] >= line["kept_above_mebibytes"]


def test_ratios_are_taken_pair_by_pair() -> None:
    # The medians of the columns, 100 and 300, would give 3.
    text = table("rows/s", "them", "us", [(100.0, 200.0), (50.0, 300.0), (200.0, 800.0)])

    assert "| pair | them, rows/s | us, rows/s | ratio |" in text
    assert "| 2 | 50.0 | 300.0 | 6.00 |" in text
    assert text.endswith("Median ratio: **4.00**.")


def test_a_process_that_fails_is_named_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"ended with 3, see .*part\.log"):
        Bench(tmp_path, tmp_path, 1).measured("part", "sh", "-c", "exit 3", "--report")
