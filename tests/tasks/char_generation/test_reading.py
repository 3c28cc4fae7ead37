"""A text as the encoder reads it, for looking inside."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F

from seqforge.encoders import LSTM, EncoderFactory
from seqforge.text import ByteVocabulary, CharacterVocabulary
from seqforge_tasks.char_generation import CharGeneration


def task_of(vocabulary: CharacterVocabulary | ByteVocabulary) -> CharGeneration:
    task = CharGeneration(embedding_size=4)
    encoders = EncoderFactory(partial(LSTM, hidden_size=5))
    task.build(encoders, {"vocabulary": vocabulary.spec()})
    return task.eval()


def test_errors_are_those_of_the_next_character() -> None:
    task = task_of(CharacterVocabulary("abc"))

    reading = task.reading("abcab")

    assert list(reading.symbols) == list("abca")
    assert reading.encoder is task.encoder
    outputs, _ = reading.encoder(reading.inputs)
    tokens = torch.tensor([1, 2, 3, 1, 2])
    states, _ = task.encoder(task.embedding(tokens[None, :-1]))
    logits = states[0] @ task.head.weight.T
    if task.head.bias is not None:
        logits = logits + task.head.bias
    expected = -logits.log_softmax(dim=1)[torch.arange(4), tokens[1:]]
    torch.testing.assert_close(reading.losses(outputs), expected)
    assert not reading.inputs.requires_grad


def test_an_error_depends_on_its_own_output_alone() -> None:
    reading = task_of(CharacterVocabulary("abc")).reading("abcab")
    outputs = torch.randn(1, 4, 5, requires_grad=True)

    (gradient,) = torch.autograd.grad(reading.losses(outputs)[2], outputs)

    assert F.normalize(gradient[0], dim=1).norm(dim=1).tolist() == pytest.approx([0, 0, 1, 0])


def test_unknown_characters_are_shown_as_they_are_read() -> None:
    assert list(task_of(CharacterVocabulary("ab")).reading("a?b!").symbols) == ["a", "\ufffd", "b"]


def test_bytes_show_their_character_at_its_end() -> None:
    reading = task_of(ByteVocabulary()).reading("aé€b")

    assert list(reading.symbols) == ["a", "", "é", "", "", "€"]
    assert reading.inputs.shape == (1, 6, 4)


@pytest.mark.parametrize("text", ["", "a"])
def test_a_text_without_anything_to_predict(text: str) -> None:
    assert list(task_of(CharacterVocabulary("ab")).reading(text).symbols) == []
