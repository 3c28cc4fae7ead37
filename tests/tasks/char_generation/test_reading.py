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
    task = task_of(CharacterVocabulary("abc\n"))

    reading = task.reading("bcab")

    assert list(reading.symbols) == list("\nbca")
    assert reading.encoder is task.encoder
    outputs, _ = reading.encoder(reading.inputs)
    tokens = torch.tensor([4, 2, 3, 1, 2])
    states, _ = task.encoder(task.embedding(tokens[None, :-1]))
    logits = states[0] @ task.head.weight.T
    if task.head.bias is not None:
        logits = logits + task.head.bias
    expected = -logits.log_softmax(dim=1)[torch.arange(4), tokens[1:]]
    torch.testing.assert_close(reading.losses(outputs), expected)
    assert not reading.inputs.requires_grad


def test_an_error_depends_on_its_own_output_alone() -> None:
    reading = task_of(CharacterVocabulary("abc")).reading("abca")
    outputs = torch.randn(1, 4, 5, requires_grad=True)

    (gradient,) = torch.autograd.grad(reading.losses(outputs)[2], outputs)

    assert F.normalize(gradient[0], dim=1).norm(dim=1).tolist() == pytest.approx([0, 0, 1, 0])


@pytest.mark.parametrize("vocabulary", [CharacterVocabulary("ab \n"), ByteVocabulary()])
@pytest.mark.parametrize("text", ["ab ab", "\nab", "äb “a”"])
def test_a_text_is_read_as_it_is_scored(
    vocabulary: CharacterVocabulary | ByteVocabulary, text: str
) -> None:
    task = task_of(vocabulary)
    reading = task.reading(text)
    outputs, _ = reading.encoder(reading.inputs)

    found = -reading.losses(outputs).detach().double()

    torch.testing.assert_close(found, torch.from_numpy(task.score(text).log_probs))
    assert len(reading.symbols) == len(found)


def test_unknown_characters_are_shown_as_the_text_has_them_and_noted() -> None:
    task = task_of(CharacterVocabulary("ab"))

    reading = task.reading("a?b!b")

    assert list(reading.symbols) == list("aa?b!")
    unknown = task.reading("a\ufffdb\ufffdb")
    torch.testing.assert_close(reading.inputs, unknown.inputs, rtol=0, atol=0)
    (note,) = reading.notes
    assert note.startswith("2 characters of the text, first '?', read as unknown")
    assert list(task.reading("ab").notes) == []


def test_bytes_show_their_character_at_its_end() -> None:
    reading = task_of(ByteVocabulary()).reading("aé€b")

    assert list(reading.symbols) == ["\n", "a", "", "é", "", "", "€"]
    assert reading.inputs.shape == (1, 7, 4)


def test_an_empty_text_has_no_errors() -> None:
    assert list(task_of(CharacterVocabulary("ab")).reading("").symbols) == []
