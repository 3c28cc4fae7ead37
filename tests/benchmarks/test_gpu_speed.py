"""The benchmark for GPUs, tiny and on a processor."""

import argparse
from pathlib import Path

import torch

from benchmarks import gpu_speed
from benchmarks.gpu_speed import last_measures, operations, parsed, peak

TINY = ["--device", "cpu", "--quick"]


def _chosen(*words: str) -> argparse.Namespace:
    return parsed([*TINY, *words])


def test_both_train_and_all_ways_step(tmp_path: Path) -> None:
    trained = gpu_speed.training(tmp_path, _chosen("--encoders", "GRU"))
    stepped = gpu_speed.stepping(tmp_path, _chosen("--rows", "2"))

    assert "of the roofline" in trained
    assert "seqforge in bf16-mixed" in trained
    assert "| 2 | nn.LSTM |" in stepped
    assert "| 2 | stepper |" in stepped


def test_the_operations_are_those_of_the_products() -> None:
    # 2 layers of 4 gates read 128 and 8, then 8 and 8, and a head of 5 symbols
    weights = 4 * 8 * (128 + 8) + 4 * 8 * (8 + 8) + 8 * 5
    assert operations("LSTM", 8, 5) == 3 * 2 * weights
    assert peak(torch.device("cpu"), 16) > 0


def test_the_last_value_of_each_measure_counts(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    rows = "step,loss,val/loss,val/bleu\n1,3,2,\n2,2,,10\n3,1,1.5,\n"
    (tmp_path / "logs" / "metrics.csv").write_text(rows, encoding="utf-8")
    assert last_measures(tmp_path) == "val/loss 1.5000, val/bleu 10.0000"
