"""Networks of random weights, for tests of what does not depend on training."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from seqforge.encoders import LSTM, Encoder, EncoderFactory
from seqforge.text import ByteVocabulary, CharacterVocabulary
from seqforge_tasks.char_generation import CharGeneration


def task(encoder: Callable[..., Encoder] = LSTM, characters: str = "abcdefgh \n") -> CharGeneration:
    """Return a network of characters, two layers deep, in float64."""
    return _built(CharacterVocabulary(characters).spec(), encoder)


def byte_task() -> CharGeneration:
    """Return a network of bytes, two layers deep, in float64."""
    return _built(ByteVocabulary().spec(), LSTM)


def _built(spec: dict[str, Any], encoder: Callable[..., Encoder]) -> CharGeneration:
    torch.manual_seed(0)
    made = CharGeneration(embedding_size=5)
    factory = EncoderFactory(partial(encoder, hidden_size=7, num_layers=2, dropout=0.4), {})
    made.build(factory, {"vocabulary": spec})
    for parameter in made.parameters():
        parameter.data.mul_(4.0)  # far from uniform, so that mistakes show
    return made.double().eval()
