import csv
from pathlib import Path

from seqforge.training import MetricHistory


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_on_disk_at_once_and_columns_may_come_later(tmp_path: Path) -> None:
    history = MetricHistory(tmp_path)
    history.log_metrics({"train/loss": 0.1}, 1)
    assert _rows(tmp_path) == [{"step": "1", "train/loss": "0.1"}]
    history.log_metrics({"val/loss": 0.5}, 2)
    history.log_metrics({"train/loss": 0.25}, 3)
    assert _rows(tmp_path) == [
        {"step": "1", "train/loss": "0.1", "val/loss": ""},
        {"step": "2", "train/loss": "", "val/loss": "0.5"},
        {"step": "3", "train/loss": "0.25", "val/loss": ""},
    ]


def test_values_survive_to_the_last_bit(tmp_path: Path) -> None:
    MetricHistory(tmp_path).log_metrics({"loss": 1 / 3}, 1)
    assert float(_rows(tmp_path)[0]["loss"]) == 1 / 3


def test_a_resumed_run_takes_its_lost_steps_again(tmp_path: Path) -> None:
    whole, killed = MetricHistory(tmp_path / "whole"), MetricHistory(tmp_path / "killed")
    for step in range(1, 7):
        whole.log_metrics({"loss": step / 7}, step)
    for step in range(1, 5):
        killed.log_metrics({"loss": step / 7}, step)
    with (tmp_path / "killed" / "metrics.csv").open("a") as file:
        file.write("5,0.71")  # killed while it wrote the row
    resumed = MetricHistory(tmp_path / "killed", keep=3)
    for step in range(4, 7):
        resumed.log_metrics({"loss": step / 7}, step)
    names = [tmp_path / name / "metrics.csv" for name in ("whole", "killed")]
    assert names[0].read_bytes() == names[1].read_bytes()


def test_a_run_that_starts_afresh_forgets_what_was_there(tmp_path: Path) -> None:
    MetricHistory(tmp_path).log_metrics({"loss": 1.0}, 1)
    MetricHistory(tmp_path).log_metrics({"loss": 2.0}, 1)
    assert _rows(tmp_path) == [{"step": "1", "loss": "2.0"}]
