"""Generation and scoring are one and the same model; scores are total nats over characters."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from seqforge.data import TokenBatch
from seqforge.decoding import sample
from seqforge.encoders import GRU, LSTM, RNN, Encoder, EncoderFactory
from seqforge.errors import UserError
from seqforge.state import leaves
from seqforge.task import Piece, Progress, Text
from seqforge.text import CharacterVocabulary
from seqforge.training.evaluation import Evaluation
from seqforge_tasks.char_generation import CharGeneration, GenerationOptions, TextFile
from tests.cli.tiny import text

START = Progress(0, 0, 0.0)
each_encoder = pytest.mark.parametrize("encoder", [RNN, LSTM, GRU])


def task(encoder: Callable[..., Encoder] = LSTM, characters: str = "abcdefgh \n") -> CharGeneration:
    """Return a network of random weights, two layers deep, in float64."""
    torch.manual_seed(0)
    made = CharGeneration(embedding_size=5)
    vocabulary = CharacterVocabulary(characters)
    factory = EncoderFactory(partial(encoder, hidden_size=7, num_layers=2, dropout=0.4), {})
    made.build(factory, {"vocabulary": vocabulary.spec()})
    for parameter in made.parameters():
        parameter.data.mul_(4.0)  # far from uniform, so that mistakes show
    return made.double().eval()


def batch(tokens: torch.Tensor, lengths: list[int] | None = None) -> TokenBatch:
    """Return rows of tokens (B, T + 1) as a batch of T steps."""
    rows, steps = tokens.shape[0], tokens.shape[1] - 1
    return TokenBatch(
        ids=torch.arange(rows),
        starts=torch.ones(rows, dtype=torch.bool),
        inputs=tokens[:, :-1],
        targets=tokens[:, 1:],
        lengths=torch.tensor(lengths or [steps] * rows),
    )


def random_tokens(rows: int, length: int, symbols: int = 11) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(1, symbols, (rows, length), generator=generator)


# -- generation is scoring ---------------------------------------------------------------------


@each_encoder
@torch.no_grad()
def test_what_is_written_has_the_probability_that_scoring_gives_it(
    encoder: Callable[..., Encoder],
) -> None:
    made, prompt = task(encoder), "head of a"
    tokens = torch.from_numpy(made.vocabulary.encode(prompt))
    _, state = made.encoder(made.embedding(tokens[None, :-1]), made.start(1))
    steps = list(sample(made._stepper(), tokens[-1:], state, length=30, seeds=[5]))
    written = torch.cat([step.tokens for step in steps])

    whole = torch.cat([tokens, written])[None]
    logits, _ = made._logits(whole[:, :-1], made.start(1), torch.tensor([whole.shape[1] - 1]))
    scores = logits.log_softmax(dim=-1).gather(2, whole[:, 1:, None])[0, len(tokens) - 1 :, 0]

    torch.testing.assert_close(torch.cat([step.log_probs for step in steps]), scores)
    options = GenerationOptions(length=30, temperature=1.0, seed=5)
    assert "".join(made.generate(prompt, options)) == made.vocabulary.decode(written.tolist())


@each_encoder
@torch.no_grad()
def test_the_state_after_steps_is_the_state_after_scoring(encoder: Callable[..., Encoder]) -> None:
    made, tokens = task(encoder), random_tokens(1, 20)
    _, scored = made._logits(tokens, made.start(1), torch.tensor([20]))
    step, state = made._stepper(), made.start(1)
    for token in tokens[0]:
        _, state, _ = step(token[None], state)

    for left, right in zip(leaves(state), leaves(scored), strict=True):
        torch.testing.assert_close(left, right)


def test_a_temperature_near_zero_takes_the_likeliest() -> None:
    made = task()

    def written(temperature: float) -> str:
        return "".join(made.generate("a", GenerationOptions(60, temperature)))

    assert written(0.0) == written(1e-9) == written(1e-300)
    assert written(1.0) != written(0.0)


def test_a_seed_writes_one_text_whatever_goes_on_around_it() -> None:
    made = task()
    options = GenerationOptions(length=40, temperature=1.0, seed=3)
    torch.manual_seed(1)
    first, before = "".join(made.generate("a", options)), torch.get_rng_state()
    torch.manual_seed(2)
    second = "".join(made.generate("a", options))
    torch.manual_seed(1)

    assert first == second
    assert torch.equal(torch.get_rng_state(), before)
    tokens = torch.from_numpy(made.vocabulary.encode("bac"))
    rows = list(sample(made._stepper(), tokens, made.start(3), length=40, seeds=[9, 3, 4]))
    assert made.vocabulary.decode(int(row.tokens[1]) for row in rows) == first
    assert "".join(made.generate("a", GenerationOptions(40, 1.0, seed=4))) != first


def test_the_unknown_character_is_read_but_never_written() -> None:
    made = task()
    with torch.no_grad():
        made.head.bias[0] = 1e4

    written = "".join(made.generate("Ä", GenerationOptions(50, 1.0)))

    assert len(written) == 50
    assert "\ufffd" not in written


@pytest.mark.parametrize(("characters", "opening"), [("ab\n ", "\n"), ("ab ", " "), ("ab", "a")])
def test_an_empty_prompt_begins_after_a_line(characters: str, opening: str) -> None:
    made, options = task(characters=characters), GenerationOptions(20, 1.0)

    assert "".join(made.generate("", options)) == "".join(made.generate(opening, options))


# -- the loss ----------------------------------------------------------------------------------


@each_encoder
def test_the_loss_is_the_lectures_sum(encoder: Callable[..., Encoder]) -> None:
    made, tokens = task(encoder), random_tokens(3, 13)
    found = made.loss(batch(tokens), made.start(3), START).terms["loss"]

    total = 0.0
    for row in tokens:
        outputs, _ = made.encoder(made.embedding(row[None, :-1]), made.start(1))
        for output, target in zip(outputs[0], row[1:], strict=True):
            scores = made.head.weight @ output + made.head.bias
            exponentials = [math.exp(score) for score in scores.tolist()]
            total -= math.log(exponentials[int(target)] / sum(exponentials))
    assert found.total.item() == pytest.approx(total, rel=1e-12)
    assert int(found.count) == 36


@each_encoder
@torch.no_grad()
def test_padding_changes_nothing(encoder: Callable[..., Encoder]) -> None:
    made, tokens = task(encoder), random_tokens(2, 11)
    plain = made.loss(batch(tokens), made.start(2), START)
    padded = batch(F.pad(tokens, (0, 6)), lengths=[10, 10])
    longer = made.loss(padded, made.start(2), START)

    assert int(longer.terms["loss"].count) == 20
    torch.testing.assert_close(longer.terms["loss"].total, plain.terms["loss"].total)
    for left, right in zip(leaves(longer.state), leaves(plain.state), strict=True):
        torch.testing.assert_close(left, right)


@each_encoder
@torch.no_grad()
def test_lanes_do_not_see_each_other_nor_what_comes_next(encoder: Callable[..., Encoder]) -> None:
    made, tokens = task(encoder), random_tokens(3, 16)
    lengths = torch.tensor([16, 16, 16])
    plain, _ = made._logits(tokens, made.start(3), lengths)
    disturbed = tokens.clone()
    disturbed[1, 9:] = 10 - disturbed[1, 9:] % 9
    other, _ = made._logits(disturbed, made.start(3), lengths)

    assert torch.equal(plain[[0, 2]], other[[0, 2]])
    torch.testing.assert_close(plain[1, :9], other[1, :9], rtol=0, atol=1e-14)
    assert not torch.allclose(plain[1, 9:], other[1, 9:])


@torch.no_grad()
def test_prediction_scores_rows_by_themselves() -> None:
    made, tokens = task(), random_tokens(2, 9)
    rows = made.predict(batch(tokens, lengths=[8, 5]))
    alone = made.predict(batch(tokens[1:, :6]))

    assert [row["characters"] for row in rows] == [8, 5]
    assert rows[1]["nats"] == pytest.approx(alone[0]["nats"], rel=1e-12)


# -- validation --------------------------------------------------------------------------------


def _score(folder: Path, made: CharGeneration, seq_len: int, batch_size: int) -> float:
    data = TextFile(str(folder / "text.txt"), seq_len, batch_size, validation=0.5)
    data.setup("validate")
    assert data.spec()["vocabulary"] == made.vocabulary.spec()
    evaluation = Evaluation(made)
    evaluation.begin(["stateful"])
    with torch.no_grad():
        for index, chunk in enumerate(data.val_dataloader()["stateful"]):
            evaluation.add(chunk, index, 0, START)
    return evaluation.finish(world_size=1)["loss"]


@pytest.mark.parametrize(("lines", "lanes"), [(30, 1), (150, 2)])
def test_validation_is_total_nats_over_total_characters(
    tmp_path: Path, lines: int, lanes: int
) -> None:
    content = text(lines)
    (tmp_path / "text.txt").write_text(content, encoding="utf-8")
    made = task(characters="".join(sorted(set(content))))

    tokens = torch.from_numpy(made.vocabulary.encode(content[len(content) - len(content) // 2 :]))
    length, total = -(-(len(tokens) - 1) // lanes), 0.0
    with torch.no_grad():
        for first in range(0, len(tokens) - 1, length):
            part = tokens[first : first + length + 1]
            outputs, _ = made.encoder(made.embedding(part[None, :-1]))
            total += F.cross_entropy(made.head(outputs[0]), part[1:], reduction="sum").item()

    for seq_len, batch_size in ((10, 4), (7, 4), (64, 1), (1, 2)):
        score = _score(tmp_path, made, seq_len, batch_size)
        assert score == pytest.approx(total / (len(tokens) - 1), abs=1e-9)


# -- what a user sees --------------------------------------------------------------------------


def test_previews_begin_with_the_prompt_where_it_is_known() -> None:
    made = task()
    made.sample_prompt, made.sample_length = "head ", 8
    (shown,) = made.preview(batch(random_tokens(1, 4)))
    made.sample_prompt = "Head "
    (unknown,) = made.preview(batch(random_tokens(1, 4)))

    assert isinstance(shown, Text)
    assert isinstance(unknown, Text)
    assert (shown.body[:5], len(shown.body), len(unknown.body)) == ("head ", 13, 8)


def test_inference_streams_the_prompt_and_each_character() -> None:
    made = task()
    outputs = made.infer(["ab", "c"], GenerationOptions(length=3, samples=2))

    assert next(outputs) == Piece("ab")
    rest = list(outputs)
    assert [piece for piece in rest if isinstance(piece, Piece) and piece.last] == [
        Piece("", last=True)
    ] * 4
    assert len(rest) == 4 * 5 - 1


@pytest.mark.parametrize(
    "options",
    [
        {"length": -1},
        {"samples": 0},
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"seed": -1},
    ],
)
def test_options_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(UserError) as caught:
        next(task().infer(["a"], GenerationOptions(**options)))

    assert caught.value.where == f"--{next(iter(options))}"


def test_weights_that_have_run_away_still_write_something() -> None:
    made = task()
    with torch.no_grad():
        made.head.weight.fill_(math.nan)

    assert len("".join(made.generate("a", GenerationOptions(9)))) == 9
