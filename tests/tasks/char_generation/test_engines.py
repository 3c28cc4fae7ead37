"""The engines write and score what the network says."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from seqforge.decoding import Step, sample
from seqforge.encoders import LSTM, EncoderFactory
from seqforge.engines import Engine
from seqforge.state import repeat
from seqforge.text import CharacterVocabulary
from seqforge_tasks.char_generation import CharGeneration, GenerationOptions
from seqforge_tasks.char_generation import language_model as language_models
from seqforge_tasks.char_generation.scoring import score

TEXT = "the cat sat on the mat, and the dog lay on the log.\n"
PLAIN = GenerationOptions(length=60, temperature=1.0, echo=False)


@pytest.fixture(scope="module")
def trained() -> CharGeneration:
    """A network that has learnt a line by heart, about."""
    torch.manual_seed(0)
    vocabulary = CharacterVocabulary("".join(sorted(set(TEXT))))
    made = CharGeneration(embedding_size=16)
    encoders = EncoderFactory(partial(LSTM, hidden_size=64, num_layers=2), {})
    made.build(encoders, {"vocabulary": vocabulary.spec()})
    numbers = torch.from_numpy(vocabulary.encode("\n" + TEXT * 2)).long()
    optimizer = torch.optim.Adam(made.parameters(), lr=0.01)
    for _ in range(60):
        outputs, _ = made.encoder(made.embedding(numbers[None, :-1]))
        loss = torch.nn.functional.cross_entropy(made.head(outputs)[0], numbers[1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 1.0
    return made.eval()


@pytest.fixture(scope="module", params=["onnx", "int8"])
def engine(request: pytest.FixtureRequest) -> Engine:
    name: Engine = request.param
    return name


@pytest.fixture(scope="module")
def step(trained: CharGeneration, engine: Engine) -> Step:
    return trained.language_model.steps(engine)


def test_held_out_text_is_as_likely(trained: CharGeneration, engine: Engine, step: Step) -> None:
    text = "the dog sat on the cat, and the mat lay on the log.\n" * 4
    expected = trained.score(text, "on ").nats_per_unit

    found = score(trained.language_model, text, "on ", step).nats_per_unit

    assert found == pytest.approx(expected, abs=1e-5 if engine == "onnx" else 0.005)
    assert found != expected


def test_a_written_text_is_scored_with_what_it_was_drawn_with(
    trained: CharGeneration, step: Step
) -> None:
    model = trained.language_model
    first, state = model.begin("the ")
    drawn = list(sample(step, first, state, length=40, seeds=[3]))
    text = model.vocabulary.decode(int(each.tokens) for each in drawn)

    scored = score(model, text, "the ", step)

    assert scored.log_probs.tolist() == [float(each.log_probs) for each in drawn]


def test_a_long_text_is_scored_in_chunks(
    trained: CharGeneration, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = score(trained.language_model, TEXT, "", step).log_probs
    monkeypatch.setattr(language_models, "CHUNK", 7)

    assert score(trained.language_model, TEXT, "", step).log_probs.tolist() == whole.tolist()


def test_rows_of_a_batch_are_written_alone(trained: CharGeneration, step: Step) -> None:
    first, state = trained.language_model.begin("the ")

    def rows(seeds: list[int]) -> torch.Tensor:
        many = repeat(state, len(seeds))
        steps = sample(step, first.repeat(len(seeds)), many, length=30, seeds=seeds)
        return torch.stack([each.tokens for each in steps], dim=1)

    together = rows([5, 6, 7])
    assert torch.equal(together, torch.cat([rows([seed]) for seed in (5, 6, 7)]))


@pytest.mark.parametrize("top_p", [0.8, 1.0])
def test_a_seed_writes_the_same_in_float32(trained: CharGeneration, top_p: float) -> None:
    options = replace(PLAIN, top_p=top_p, seed=7, samples=2)

    by_engine = trained.generate("the ", replace(options, engine="onnx"))
    streamed = trained.stream("the ", replace(options, engine="onnx"))

    assert by_engine == trained.generate("the ", options)
    assert "".join(streamed) == by_engine[0]


def test_one_engine_serves_all_prompts(
    trained: CharGeneration, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0

    def counting(*words: object) -> Step:
        nonlocal made
        made += 1
        return trained.language_model.steps()

    monkeypatch.setattr(language_models, "engine_step", counting)
    options = replace(PLAIN, engine="int8", length=3)

    assert len(list(trained.infer(["the ", "a", "on "], options))) == 5
    assert made == 1
    list(trained.infer(["the ", "a"], replace(options, score=True)))
    assert made == 2


def test_the_unknown_character_is_not_written() -> None:
    vocabulary = CharacterVocabulary("ab\n")
    made = CharGeneration(embedding_size=4)
    made.build(EncoderFactory(partial(LSTM, hidden_size=4), {}), {"vocabulary": vocabulary.spec()})
    with torch.no_grad():
        made.head.bias[vocabulary.unknown] = 1e4

    (text,) = made.eval().generate("a", replace(PLAIN, engine="onnx", length=20))

    assert len(text) == 20
    assert "\ufffd" not in text
    assert made.score("Ä", engine="onnx").log_probability == pytest.approx(0.0)
