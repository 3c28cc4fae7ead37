"""The benchmark of training runs, tiny: both learn the same, and are timed in turn."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import training_speed
from benchmarks.training_speed import Network, Timed, page, parsed, prepare, timed
from seqforge.encoders import GRU, LSTM, RNN, EncoderFactory
from seqforge_tasks.char_generation import CharGeneration

TINY = ["--quick", "--threads", "1", "--precisions", "32-true"]


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_the_loop_has_the_network_of_the_configuration(kind: str) -> None:
    encoder: Any = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}[kind]
    task = CharGeneration()
    task.build(
        EncoderFactory(partial(encoder, hidden_size=6, num_layers=2)),
        {"vocabulary": {"kind": "characters", "characters": "abc"}},
    )
    network = Network(kind, len(task.vocabulary), 6)
    inputs = torch.tensor([[0, 1, 2, 1], [2, 2, 0, 1]])

    network.take(task.state_dict())
    scores, _ = network(inputs, None)
    outputs, _ = task.encoder(task.embedding(inputs), task.start(2))

    torch.testing.assert_close(scores, task.head(outputs))
    assert sum(each.numel() for each in network.parameters()) == sum(
        each.numel() for each in task.parameters()
    )


def test_both_take_the_same_steps_and_are_timed_in_turn(tmp_path: Path) -> None:
    chosen = parsed(["--encoders", "GRU", *TINY])

    result = timed(prepare(tmp_path, chosen), "GRU", "32-true", chosen)
    text = page({("GRU", "32-true"): result})

    assert 0.0 < result.gap < 1e-4
    assert len(result.pairs) == len(result.beside) == 1
    assert min(*result.pairs[0], *result.beside[0]) > 0
    assert "seqforge in 32-true" in text


def test_losses_that_part_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_speed, "LEARNING_RATE", 0.01)  # of ours; the loop keeps its own
    chosen = parsed(["--encoders", "RNN", *TINY])

    with pytest.raises(SystemExit, match=r"RNN in 32-true: losses differ by .*, over 0\.001"):
        timed(prepare(tmp_path, chosen), "RNN", "32-true", chosen)


def test_the_page_takes_ratios_pair_by_pair() -> None:
    pairs = [(100.0, 200.0), (50.0, 300.0), (200.0, 800.0)]

    text = page({("LSTM", "bf16-mixed"): Timed(0.01, pairs, [(2.0, 5.0)] * 3)})

    # The medians of the columns, 100 and 300, would give 3.
    assert "| LSTM | bf16-mixed | **4.00** | 1.0e-02 | 2.0 | 5.0 |" in text
