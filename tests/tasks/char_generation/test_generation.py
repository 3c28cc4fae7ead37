"""Writing: one text for a seed, whatever goes on around it; prompts, stops and streams."""

from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge.decoding import sample
from seqforge.errors import UserError
from seqforge.state import concatenate
from seqforge.task import Output, Piece, Text
from seqforge_tasks.char_generation import CharGeneration, GenerationOptions, language_model
from seqforge_tasks.char_generation.generation import Sample
from seqforge_tasks.char_generation.token_network import log_softmax
from tests.tasks.char_generation.networks import byte_task, task

PLAIN = GenerationOptions(length=40, temperature=1.0, echo=False)
TINY, BYTES = task(), byte_task()


def written(made: CharGeneration, prompt: str, options: GenerationOptions) -> str:
    """Return the one text that is written after a prompt."""
    (text,) = made.generate(prompt, replace(options, echo=False))
    return text


def answers(made: CharGeneration, inputs: list[str], options: GenerationOptions) -> list[Output]:
    return list(made.infer(inputs, options))


# -- chance --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part", [{"temperature": 1e-9}, {"temperature": 1e-300}, {"top_k": 1}, {"top_p": 0.0}]
)
def test_what_leaves_no_choice_takes_the_likeliest(part: dict[str, float]) -> None:
    greedy = written(TINY, "a", replace(PLAIN, temperature=0.0))

    assert written(TINY, "a", replace(PLAIN, **part)) == greedy  # type: ignore[arg-type]
    assert written(TINY, "a", PLAIN) != greedy


def test_a_seed_writes_one_text_whatever_goes_on_around_it() -> None:
    options = replace(PLAIN, seed=3)
    torch.manual_seed(1)
    first, before = written(TINY, "a", options), torch.get_rng_state()
    torch.manual_seed(2)
    second = written(TINY, "a", options)
    torch.manual_seed(1)

    assert first == second
    assert torch.equal(torch.get_rng_state(), before)
    step, begun = TINY.language_model.stepper(), [TINY.language_model.begin(p) for p in "bac"]
    tokens = torch.cat([token for token, _ in begun])
    state = concatenate([state for _, state in begun])
    rows = list(sample(step, tokens, state, length=40, seeds=[9, 3, 4]))
    assert TINY.vocabulary.decode(int(row.tokens[1]) for row in rows) == first
    assert written(TINY, "a", replace(options, seed=4)) != first


@pytest.mark.parametrize("made", [TINY, BYTES], ids=["characters", "bytes"])
@settings(deadline=None, max_examples=20)
@given(top_k=st.integers(0, 4), top_p=st.floats(0.3, 1.0), stop=st.sampled_from(["", "a", "ab"]))
def test_samples_are_those_of_their_seeds(
    made: CharGeneration, top_k: int, top_p: float, stop: str
) -> None:
    options = replace(PLAIN, length=15, top_k=top_k, top_p=top_p, stop=stop, seed=5)

    together = made.generate("he", replace(options, samples=4))

    assert together == [written(made, "he", replace(options, seed=seed)) for seed in range(5, 9)]


def test_a_network_in_training_writes_without_dropout() -> None:
    made = task()
    expected = written(made, "head of a", PLAIN)
    made.train()

    assert written(made, "head of a", PLAIN) == expected
    assert all(module.training for module in made.modules())


# -- prompts -------------------------------------------------------------------------------------


def test_the_unknown_character_is_read_but_never_written() -> None:
    made = task()
    with torch.no_grad():
        made.head.bias[0] = 1e4

    text = written(made, "Ä", replace(PLAIN, length=50))

    assert len(text) == 50
    assert "\ufffd" not in text


@pytest.mark.parametrize("prompt", ["", "a", "\n", "ab b"])
@pytest.mark.parametrize(
    ("made", "opening"),
    [
        (task(characters="ab\n "), "\n"),
        (task(characters="ab "), " "),
        (task(characters="ab"), "a"),
        (BYTES, "\n"),
    ],
    ids=["a line", "a space", "any", "bytes"],
)
@torch.no_grad()
def test_every_prompt_is_read_after_an_opening(
    made: CharGeneration, opening: str, prompt: str
) -> None:
    *before, last = torch.from_numpy(made.vocabulary.encode(opening + prompt))
    step, state = made.language_model.stepper(), made.start(1)
    for number in before:
        _, state, _ = step(number[None], state)
    drawn = sample(step, last[None], state, length=40, seeds=[0])

    expected = made.vocabulary.decode(int(each.tokens[0]) for each in drawn)
    assert written(made, prompt, PLAIN) == expected
    assert made.generate(prompt, replace(PLAIN, echo=True)) == [prompt + expected]


@pytest.mark.parametrize("made", [TINY, BYTES], ids=["characters", "bytes"])
@pytest.mark.parametrize("prompt", ["\ud800", "a\udcffb", "Äb \U0001f600"])
def test_an_echoed_prompt_is_the_users_own(made: CharGeneration, prompt: str) -> None:
    (text,) = made.generate(prompt, replace(PLAIN, echo=True))

    assert text == prompt + written(made, prompt, PLAIN)
    assert "".join(made.stream(prompt, replace(PLAIN, echo=True))) == text


def test_unknown_characters_of_a_prompt_can_be_refused() -> None:
    refusing = replace(PLAIN, unknown="refuse")
    for call in (TINY.generate, TINY.stream, lambda p, o: answers(TINY, [p], o)):
        with pytest.raises(UserError, match="'Ä' at place 1"):
            call("aÄ", refusing)

    assert BYTES.generate("aÄ", refusing) == BYTES.generate("aÄ", PLAIN)


def test_a_long_prompt_is_read_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = "head of a bee\n" * 9
    expected = written(TINY, prompt, PLAIN)
    monkeypatch.setattr("seqforge_tasks.char_generation.language_model.CHUNK", 5)
    longest = 0

    def reading(module: object, inputs: tuple[torch.Tensor, ...]) -> None:
        nonlocal longest
        longest = max(longest, inputs[0].shape[1])

    hook = TINY.encoder.register_forward_pre_hook(reading)
    try:
        assert written(TINY, prompt, PLAIN) == expected
    finally:
        hook.remove()
    assert longest == 5


# -- ends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [TINY, BYTES], ids=["characters", "bytes"])
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 99), place=st.integers(0, 30), size=st.integers(1, 4))
def test_a_text_ends_before_the_stop_string(
    made: CharGeneration, seed: int, place: int, size: int
) -> None:
    options = replace(PLAIN, length=35, seed=seed)
    whole = written(made, "a", options)
    stop = whole[place : place + size]  # it comes, across tokens
    assume(stop)  # bytes make fewer characters than there are tokens

    stopped = replace(options, stop=stop)

    assert written(made, "a", stopped) == whole.partition(stop)[0]
    assert "".join(made.stream("a", stopped)) == whole.partition(stop)[0]


def test_a_stop_string_in_the_prompt_ends_nothing() -> None:
    text = written(TINY, "head\n", replace(PLAIN, length=1))
    stop = "\n" + text  # begun by the prompt, ended by the text

    assert written(TINY, "head\n", replace(PLAIN, length=1, stop=stop)) == text
    assert written(TINY, "he\n", replace(PLAIN, stop="he")) != ""


def test_nothing_is_made_after_the_last_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = TINY.generate("a", replace(PLAIN, length=200, samples=3))
    stop = " "
    last = max(text.index(stop) for text in whole)
    steps = 0

    def counting(*words: object, **settings: object) -> object:
        nonlocal steps
        for each in sample(*words, **settings):  # type: ignore[arg-type]
            steps += 1
            yield each

    monkeypatch.setattr("seqforge_tasks.char_generation.generation.sample", counting)
    found = TINY.generate("a", replace(PLAIN, length=200, samples=3, stop=stop))

    assert found == [text.partition(stop)[0] for text in whole]
    assert steps == last + 1


def test_a_length_of_nothing() -> None:
    assert TINY.generate("a", replace(PLAIN, length=0, samples=2)) == ["", ""]
    assert TINY.generate("a", replace(PLAIN, length=0, echo=True)) == ["a"]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 999), st.integers(0, 12))
def test_bytes_come_out_as_the_text_that_they_are(seed: int, length: int) -> None:
    step, chosen = BYTES.language_model.stepper(), replace(PLAIN, seed=seed, length=length)
    first, state = BYTES.language_model.begin("a")
    drawn = sample(step, first, state, length=length, seeds=[seed])
    numbers = bytes(int(each.tokens[0]) for each in drawn)

    assert written(BYTES, "a", chosen) == numbers.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("stop", "data", "pieces"),
    [
        ("", "é€".encode(), ["", "é", "", "", "€", ""]),
        ("", "a€".encode()[:3], ["a", "", "", "\ufffd"]),
        ("€b", "a€a".encode(), ["a", "", "", "", "€a", ""]),
        ("€b", "a€bb".encode(), ["a", "", "", "", "", "", ""]),
        ("€b", "a€".encode(), ["a", "", "", "", "€"]),
        ("\ufffd", "a€".encode()[:3], ["a", "", "", ""]),
    ],
)
def test_a_character_of_several_bytes_appears_whole(
    stop: str, data: bytes, pieces: list[str]
) -> None:
    text = Sample(BYTES.vocabulary.decoder(), stop)

    assert [*[text.feed(number) for number in data], text.close()] == pieces
    assert text.stopped == (bool(stop) and "".join(pieces) == "a")


def test_weights_that_have_run_away_still_write_something() -> None:
    made = task()
    with torch.no_grad():
        made.head.weight.fill_(torch.nan)

    assert len(written(made, "a", replace(PLAIN, length=9))) == 9


# -- what a user sees ----------------------------------------------------------------------------


def test_a_stream_is_the_text_in_pieces() -> None:
    options = replace(PLAIN, echo=True, samples=2)
    pieces = list(TINY.stream("ab", options))

    assert "".join(pieces) == TINY.generate("ab", options)[0]
    assert pieces[0] == "ab"
    assert [len(piece) for piece in pieces[1:]] == [1] * 40


def test_a_stream_gives_out_each_character_before_the_next_one_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = 0

    def counting(scores: Tensor) -> Tensor:
        nonlocal steps
        steps += 1
        return log_softmax(scores)

    monkeypatch.setattr(language_model, "log_softmax", counting)
    stream = task().stream("ab", PLAIN)
    for number in range(3):
        next(stream)
        assert steps == number + 1


def test_a_mistake_shows_before_the_stream_is_read() -> None:
    with pytest.raises(UserError, match="length is -1"):
        TINY.stream("a", GenerationOptions(length=-1))


def test_inference_gives_finished_texts_with_a_line_between() -> None:
    options = replace(PLAIN, length=3, samples=2, echo=True, separator="==")
    one, two = TINY.generate("ab", options), TINY.generate("c", options)

    found = answers(TINY, ["ab", "c"], options)

    line = Text("==")
    assert found == [Text(one[0]), line, Text(one[1]), line, Text(two[0]), line, Text(two[1])]
    assert answers(TINY, ["ab"], replace(options, samples=1)) == [Text(one[0])]
    bare = answers(TINY, ["ab"], replace(options, samples=1, echo=False))
    assert bare == [Text(one[0].removeprefix("ab"))]


def test_inference_streams_the_first_sample_and_then_gives_the_others() -> None:
    options = replace(PLAIN, length=3, samples=2, echo=True, stream=True)
    one, two = TINY.generate("ab", options)
    outputs = TINY.infer(["ab", "c"], options)

    assert next(outputs) == Piece("ab")
    pieces = [Piece(sign) for sign in one[2:]]
    assert [next(outputs) for _ in range(3)] == pieces
    rest = list(outputs)
    assert rest[:4] == [Piece("", last=True), Text("---"), Text(two), Text("---")]
    assert rest[4:8] == [Piece("c"), *map(Piece, TINY.generate("c", options)[0][1:])]
    assert len(rest) == 11
    (bare, *_) = TINY.infer(["ab"], replace(options, echo=False))
    assert bare == Piece("")


def test_a_note_says_once_how_many_characters_are_unknown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    list(TINY.infer(["ab", "aÄbÖ", "Ü"], replace(PLAIN, length=1)))
    error = capsys.readouterr().err

    assert error.startswith("note: 2 characters of the input, first 'Ä', read as unknown")
    assert len(error.splitlines()) == 1
    list(BYTES.infer(["aÄ"], replace(PLAIN, length=1)))
    TINY.generate("Ä", PLAIN)
    assert capsys.readouterr().err == ""
