"""The character language model: embedding, recurrent encoder, linear head."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.data import Batch, TokenBatch
from seqforge.decoding import Step, StepOut, sample
from seqforge.encoders import Encoder, EncoderFactory
from seqforge.errors import UserError
from seqforge.layers import Head
from seqforge.state import State
from seqforge.task import Loss, Output, Piece, Preview, Progress, Source, Spec, Task, Term, Text
from seqforge.text import CharacterVocabulary, read_sources

LARGEST_SEED = 2**63 - 1


@dataclass
class GenerationOptions:
    """How text is generated.

    Attributes:
        length: Characters to write after the prompt.
        temperature: Below 1 plays safe, above 1 takes risks, 0 always takes the likeliest.
        seed: What chance is drawn from; the same seed writes the same text.
        samples: Texts to write for each prompt.
    """

    length: int = 200
    temperature: float = 0.8
    seed: int = 0
    samples: int = 1


class CharGeneration(Task):
    """Learns to write: predicts each character of a text from all those before it.

    The network of the lecture: `x_t` is a character's embedding, the encoder carries the state
    over the whole text, `o_t = softmax(V s_t)` is the distribution of the next character, and the
    loss is the cross-entropy, averaged over characters, in nats.

    Args:
        embedding_size: Width of a character's embedding.
        sample_prompt: What the sample that is shown in training begins with; left out where the
            training text lacks one of its characters.
        sample_length: Characters written after it.
        sample_temperature: Temperature of that sample.

    Raises:
        UserError: An argument is out of range.
    """

    options: ClassVar[type] = GenerationOptions
    example: ClassVar[str] = '"The "'

    def __init__(
        self,
        embedding_size: int = 128,
        sample_prompt: str = "The ",
        sample_length: int = 200,
        sample_temperature: float = 0.8,
    ) -> None:
        super().__init__()
        _require_argument("embedding_size", embedding_size, at_least=1)
        _require_argument("sample_length", sample_length)
        _require_argument("sample_temperature", sample_temperature)
        self.embedding_size = embedding_size
        self.sample_prompt = sample_prompt
        self.sample_length = sample_length
        self.sample_temperature = sample_temperature

    def build(self, encoders: EncoderFactory, spec: Spec) -> None:
        """Make embedding, encoder and head for the spec's vocabulary."""
        self.vocabulary = CharacterVocabulary.from_spec(spec["vocabulary"])
        self.embedding = nn.Embedding(len(self.vocabulary), self.embedding_size)
        self.encoder: Encoder = encoders(self.embedding_size, causal=True)
        self.head = Head(self.encoder.output_size, len(self.vocabulary))

    def start(self, batch_size: int) -> State:
        """Return the encoder's first state."""
        return self.encoder.start(batch_size)

    def loss(self, batch: Batch, state: State, progress: Progress) -> Loss:
        """Return the summed cross-entropy of all real characters, and the state after them."""
        assert isinstance(batch, TokenBatch)
        logits, state = self._logits(batch.inputs, state, batch.lengths)
        real = _real(batch)  # (B, T)
        total = F.cross_entropy(logits[real], batch.targets[real], reduction="sum")
        return Loss({"loss": Term(total, real.sum())}, state)

    def predict(self, batch: Batch) -> list[dict[str, object]]:
        """Return each row's score: its negative log-likelihood in nats, and its characters."""
        assert isinstance(batch, TokenBatch)
        logits, _ = self._logits(batch.inputs, self.start(len(batch.ids)), batch.lengths)
        nats = F.cross_entropy(logits.transpose(1, 2), batch.targets, reduction="none")  # (B, T)
        sums = nats.masked_fill(~_real(batch), 0.0).sum(dim=1).tolist()
        lengths = batch.lengths.tolist()
        return [
            {"nats": total, "characters": length}
            for total, length in zip(sums, lengths, strict=True)
        ]

    def preview(self, batch: Batch) -> list[Preview]:
        """Return one sample of what the network writes by now."""
        options = GenerationOptions(self.sample_length, self.sample_temperature)
        prompt = self.sample_prompt if self.vocabulary.knows(self.sample_prompt) else ""
        return [Text(prompt + "".join(self.generate(prompt, options)), title="sample")]

    def infer(self, inputs: Iterable[Source], options: GenerationOptions) -> Iterator[Output]:
        """Complete each prompt; characters are given out as they are made.

        Raises:
            UserError: An option is out of range.
        """
        _require(options.length >= 0, f"length is {options.length}", "give at least 0")
        _require(options.samples >= 1, f"samples is {options.samples}", "give at least 1")
        _require(
            0 <= options.temperature < math.inf,
            f"temperature is {options.temperature}",
            "give a number from 0 (always the likeliest character) up; 1 is the network's own",
        )
        _require(
            0 <= options.seed <= LARGEST_SEED - options.samples,
            f"seed is {options.seed}",
            "give a whole number from 0 up, of at most 18 digits",
        )
        for prompt in read_sources(inputs, whole=True):
            for number in range(options.samples):
                yield Piece(prompt)
                one = GenerationOptions(options.length, options.temperature, options.seed + number)
                for character in self.generate(prompt, one):
                    yield Piece(character)
                yield Piece("", last=True)

    @torch.inference_mode()
    def generate(self, prompt: str = "", options: GenerationOptions | None = None) -> Iterator[str]:
        """Write on from a prompt, one character at a time.

        Args:
            prompt: What stands before; unknown characters are replaced. Empty: a new line, or a
                space where the training text had no lines.
            options: Length, temperature, seed.
        """
        chosen = options or GenerationOptions()
        device = self.head.weight.device
        tokens = torch.from_numpy(self.vocabulary.encode(prompt or self._opening())).to(device)
        state = self.start(1)
        if len(tokens) > 1:
            _, state = self.encoder(self.embedding(tokens[None, :-1]), state)
        steps = sample(
            self._stepper(),
            tokens[-1:],
            state,
            length=chosen.length,
            temperature=chosen.temperature,
            seeds=[chosen.seed],
        )
        for sampled in steps:
            yield self.vocabulary.decode(sampled.tokens.tolist())

    def _opening(self) -> str:
        """Return the known character after which a text most likely begins."""
        characters = self.vocabulary.characters
        return next((sign for sign in "\n " if sign in characters), characters[0])

    def _stepper(self) -> Step:
        step = self.encoder.stepper()

        def next_character(tokens: Tensor, state: State) -> StepOut:
            outputs, state = step(self.embedding(tokens), state)
            # Weights that have run away still write something; the loss tells what they are worth.
            log_probs: Tensor = self.head(outputs).nan_to_num().log_softmax(dim=-1)
            log_probs[:, 0] = -torch.inf  # the unknown character is read, never written
            return StepOut(log_probs, state)

        return next_character

    def _logits(self, inputs: Tensor, state: State, lengths: Tensor) -> tuple[Tensor, State]:
        outputs, state = self.encoder(self.embedding(inputs), state, lengths)  # (B, T, H)
        return self.head(outputs), state  # (B, T, V)


def _require(right: bool, given: str, todo: str) -> None:
    if not right:
        name = given.partition(" ")[0]
        raise UserError(given, where=f"--{name}", todo=todo)


def _require_argument(name: str, value: float, at_least: float = 0) -> None:
    if not at_least <= value < math.inf:
        where = f"model.task.{name}"
        raise UserError(f"{name} is {value}", where=where, todo=f"give at least {at_least}")


def _real(batch: TokenBatch) -> Tensor:
    steps = torch.arange(batch.inputs.shape[1], device=batch.inputs.device)
    return steps < batch.lengths[:, None]
