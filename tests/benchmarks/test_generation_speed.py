"""The benchmark of generation runs, tiny; its loops write what seqforge writes."""

from functools import partial

import pytest
import torch

from benchmarks import generation_speed
from benchmarks.generation_speed import PerStep, known_only, measured, parsed, ways, written
from seqforge.encoders import LSTM, EncoderFactory
from seqforge.engines import export_step
from seqforge.state import repeat
from seqforge.text import CharacterVocabulary
from seqforge_tasks.char_generation import CharGeneration
from seqforge_tasks.char_generation.token_network import TokenNetwork


@pytest.fixture
def task() -> CharGeneration:
    torch.manual_seed(0)
    made = CharGeneration(embedding_size=5)
    spec = {"vocabulary": CharacterVocabulary("abcdef \n").spec()}
    made.build(EncoderFactory(partial(LSTM, hidden_size=7, num_layers=2), {}), spec)
    for parameter in made.parameters():
        parameter.data.mul_(4.0)
    return made.eval()


def test_all_ways_write_the_same(task: CharGeneration) -> None:
    model = task.language_model
    network = TokenNetwork(model.embedding, model.encoder, model.head, model.never())
    chosen = ways(model, {"onnx": export_step(network, model.encoder.start(1))})
    first, state = model.begin("")
    expected = written(model.stepper(), first.repeat(3), repeat(state, 3), 12)
    with torch.inference_mode():
        loop = known_only(PerStep(model), 0)(first, PerStep(model).start(1)).log_probs
        torch.testing.assert_close(loop, model.stepper()(first, state).log_probs)

    assert len(chosen) == 4
    for way in chosen.values():
        assert torch.equal(way(3, 12), expected)


def test_the_first_round_is_not_counted() -> None:
    rounds: list[str] = []

    def way(name: str, rows: int, length: int) -> torch.Tensor:
        rounds.append(name)
        return torch.zeros(rows, length)

    chosen = {name: partial(way, name) for name in "ab"}

    found = generation_speed.rates(chosen, 2, 3, rounds=3)

    assert rounds == ["a", "b"] * 4
    assert [len(rates) for rates in found.values()] == [3, 3]


def test_quick_runs_through(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = torch.get_num_threads()
    try:
        text = measured(parsed(["--quick", "--threads", "1", "--precision", "32-true"]))
    finally:
        torch.set_num_threads(threads)

    assert "Characters a second (median), 1 threads" in text
    assert "| 128 | " in text
    assert "| int8 | " in text
    assert "60 characters of held-out text" in text
    assert "| threads | float32, µs | 8 bits, µs |" in text
