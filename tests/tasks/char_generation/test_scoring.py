"""Scores: what generation computes, in chunks of any size, against a plain loop."""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.cli.infer import write
from seqforge.decoding import sample
from seqforge.encoders import GRU, LSTM, RNN, Encoder
from seqforge.errors import UserError
from seqforge.state import leaves, repeat
from seqforge.task import Table
from seqforge_tasks.char_generation import CharGeneration, GenerationOptions, Score
from seqforge_tasks.char_generation.scoring import shortened
from tests.tasks.char_generation.networks import byte_task, task

each_encoder = pytest.mark.parametrize("encoder", [RNN, LSTM, GRU])
SCORE = GenerationOptions(score=True)


def reference(made: CharGeneration, prompt: str, text: str) -> list[float]:
    """Step through a new line, prompt and text, one number at a time, by the encoder's step."""
    before, numbers = made.vocabulary.encode("\n" + prompt), made.vocabulary.encode(text)
    state, found = made.start(1), []
    with torch.no_grad():
        for number, wanted in zip([*before, *numbers], [*before[1:], *numbers, 0], strict=True):
            output, state = made.encoder.step(made.embedding(torch.tensor([number])), state)
            exponentials = [math.exp(score) for score in made.head(output)[0].tolist()]
            found.append(math.log(exponentials[wanted] / sum(exponentials)))
    return found[len(before) - 1 : -1]


@each_encoder
@torch.no_grad()
def test_the_score_is_what_generation_computes(encoder: Callable[..., Encoder]) -> None:
    made, prompt, rows = task(encoder).float(), "head of a", 3
    model = made.language_model
    token, state = model.begin(prompt)
    steps = list(
        sample(
            model.stepper(),
            token.repeat(rows),
            repeat(state, rows),
            length=30,
            temperature=1.3,
            top_k=9,
            top_p=0.95,
            seeds=[5, 6, 7],
        )
    )
    options = GenerationOptions(30, 1.3, top_k=9, top_p=0.95, seed=5, samples=rows, echo=False)
    texts = made.generate(prompt, options)

    for row, text in enumerate(texts):
        drawn = torch.stack([step.log_probs[row] for step in steps])
        score = made.score(text, prompt)
        assert text == made.vocabulary.decode(int(step.tokens[row]) for step in steps)
        assert score.log_probability == pytest.approx(float(drawn.sum()), abs=1e-4)
        np.testing.assert_allclose(score.log_probs, drawn.double(), atol=1e-4)


@each_encoder
@torch.no_grad()
def test_the_state_after_a_prompt_is_the_state_after_scoring_it(
    encoder: Callable[..., Encoder],
) -> None:
    made, text = task(encoder), "head of a bee\nfed"
    model = made.language_model
    _, begun = model.begin(text)
    step, stepped, read = model.stepper(), made.start(1), model.tokens("\n" + text)[:-1]
    for number in read:
        _, stepped, _ = step(number[None], stepped)
    _, scored = made.encoder(made.embedding(read[None]), made.start(1))

    for one, two, three in zip(leaves(begun), leaves(stepped), leaves(scored), strict=True):
        torch.testing.assert_close(one, two)
        torch.testing.assert_close(one, three)


@pytest.mark.parametrize("made", [task(), byte_task()], ids=["characters", "bytes"])
@pytest.mark.parametrize("prompt", ["head ", "Ä", "", "\n", "\nhead "])
def test_a_score_is_the_sum_of_a_plain_loop(made: CharGeneration, prompt: str) -> None:
    text = "a bee Ä fed"
    score, expected = made.score(text, prompt), reference(made, prompt, text)

    np.testing.assert_allclose(score.log_probs, expected, rtol=1e-9)
    assert score.count == len(made.vocabulary.encode(text))
    assert score.log_probability == pytest.approx(sum(expected))
    assert score.nats_per_unit == pytest.approx(-sum(expected) / len(expected))
    assert score.bits_per_unit == pytest.approx(score.nats_per_unit / math.log(2))
    assert score.perplexity == pytest.approx(2**score.bits_per_unit)


@pytest.mark.parametrize("made", [task(), byte_task()], ids=["characters", "bytes"])
@settings(deadline=None, max_examples=25)
@given(parts=st.tuples(*[st.text("ab \nÄ€", max_size=6)] * 2).filter(lambda parts: parts[1]))
def test_two_parts_have_together_the_score_of_the_whole(
    made: CharGeneration, parts: tuple[str, str]
) -> None:
    first, second = parts
    after = made.score(second, first).log_probs

    whole = made.score(first + second).log_probs

    before = made.score(first).log_probs if first else np.zeros(0)
    np.testing.assert_allclose(np.concatenate([before, after]), whole, rtol=1e-12)


@torch.no_grad()
def test_what_is_written_first_is_drawn_with_the_score_of_that_character() -> None:
    made = task()
    for prompt in ("", "a", "\n", "head of"):
        token, state = made.language_model.begin(prompt)
        (drawn,) = made.language_model.stepper()(token, state).log_probs
        scores = [made.score(sign, prompt).log_probability for sign in "abcdefgh \n"]

        np.testing.assert_allclose(drawn[1:], scores, rtol=1e-12)
        assert drawn[0] == -math.inf  # the unknown one is not written, but has its score:
        assert sum(map(math.exp, scores)) < 1
        assert sum(map(math.exp, [*scores, made.score("Ä", prompt).log_probability])) == (
            pytest.approx(1)
        )


@pytest.mark.parametrize("chunk", [1, 3, 64, 200])
def test_chunks_change_nothing(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made, text = task(), "head of a bee\n" * 10
    whole = made.score(text, "fed")
    monkeypatch.setattr("seqforge_tasks.char_generation.language_model.CHUNK", chunk)
    longest = 0

    def reading(module: object, inputs: tuple[torch.Tensor, ...]) -> None:
        nonlocal longest
        longest = max(longest, inputs[0].shape[1])

    made.encoder.register_forward_pre_hook(reading)
    found = made.score(text, "fed")

    np.testing.assert_allclose(found.log_probs, whole.log_probs, rtol=1e-12)
    assert longest == min(chunk, len(text))


def test_a_network_in_training_scores_without_dropout() -> None:
    made = task()
    expected = made.score("head of a bee").log_probability
    made.train()

    assert made.score("head of a bee").log_probability == expected
    assert all(module.training for module in made.modules())


def test_an_empty_text_has_no_score() -> None:
    with pytest.raises(UserError, match="there is no text to score"):
        task().score("", "a prompt")


def test_an_input_without_a_text_is_named_before_any_is_scored(tmp_path: Path) -> None:
    made, file = task(), tmp_path / "empty.txt"
    file.write_text("\n", encoding="utf-8")
    made.encoder.register_forward_pre_hook(lambda *_: pytest.fail("something was scored"))
    cases: list[tuple[list[str | Path], str]] = [
        (["a", "", "b"], "input 2 of 3"),
        (["a", file], f"input 2 of 2, '{file}'"),
    ]
    for inputs, where in cases:
        with pytest.raises(UserError, match="there is no text to score") as caught:
            list(made.infer(inputs, SCORE))
        assert caught.value.where == where


def test_a_note_tells_of_unknown_characters_of_the_prompt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    list(task().infer(["aÖ"], replace(SCORE, prompt="Äx")))

    prompt, text = capsys.readouterr().err.splitlines()
    assert prompt.startswith("note: 2 characters of the prompt, first 'Ä', read as unknown")
    assert text.startswith("note: 1 character of the input, first 'Ö', read as unknown")


def test_unknown_characters_can_be_refused() -> None:
    made = task()
    for text, prompt in (("aÄ", ""), ("a", "bÄ")):
        with pytest.raises(UserError, match="'Ä' at place 1"):
            made.score(text, prompt, unknown="refuse")
    with pytest.raises(UserError, match="'Ä' at place 1"):
        list(made.infer(["a"], replace(SCORE, prompt="bÄ", unknown="refuse")))


def test_a_hopeless_text_has_an_endless_perplexity() -> None:
    assert Score(np.array([-1e9])).perplexity == math.inf


def test_inference_scores_its_inputs_in_one_table(tmp_path: Path) -> None:
    made, long = task(), "head of\n" * 20
    (tmp_path / "long.txt").write_text(long + "\n", encoding="utf-8")
    (table,) = made.infer(["bad", tmp_path / "long.txt"], replace(SCORE, prompt="a "))
    assert isinstance(table, Table)
    stream = io.StringIO()
    write([table], stream, Path("x"))

    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert len(stream.getvalue().splitlines()) == 3
    assert [row["text"] for row in rows] == ["bad", " ".join(["head of"] * 5) + " …"]
    for row, text in zip(rows, ["bad", long], strict=True):
        score = made.score(text, "a ")
        assert int(row["characters"]) == len(text)
        assert float(row["log_probability"]) == score.log_probability
        assert float(row["nats_per_character"]) == score.nats_per_unit
        assert float(row["bits_per_character"]) == score.bits_per_unit
        assert float(row["perplexity"]) == score.perplexity
    (table,) = byte_task().infer(["é"], SCORE)
    assert isinstance(table, Table)
    assert table.columns[1] == "bytes"
    assert table.rows[0][1] == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", "a b"),
        ("a\n\nb", "a b"),
        ("x" * 40, "x" * 40),
        ("x" * 41, "x" * 40 + "…"),
        ("a " * 10**6, "a " * 20 + "…"),
    ],
)
def test_a_shortened_text_stands_on_one_line(text: str, expected: str) -> None:
    assert shortened(text) == expected
