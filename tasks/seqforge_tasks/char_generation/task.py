"""The character language model: embedding, recurrent encoder, linear head."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.data import Batch, TokenBatch
from seqforge.encoders import Encoder, EncoderFactory
from seqforge.engines import Engine, require_engine
from seqforge.errors import UserError
from seqforge.layers import Head, padding_mask
from seqforge.metrics import perplexity
from seqforge.state import State
from seqforge.task import (
    Loss,
    Output,
    Preview,
    Progress,
    Reading,
    Source,
    Spec,
    Task,
    Term,
    Text,
)
from seqforge.text import read_sources, vocabulary_from_spec
from seqforge_tasks.char_generation.generation import complete, write
from seqforge_tasks.char_generation.language_model import LanguageModel
from seqforge_tasks.char_generation.options import GenerationOptions, Unknown, require_valid
from seqforge_tasks.char_generation.scoring import (
    Score,
    bits,
    require_texts,
    score,
    score_table,
    scoring_step,
)
from seqforge_tasks.char_generation.unknowns import admit, admit_all, unknown_characters


class CharGeneration(Task):
    """Learns to write: predicts each character of a text from all those before it.

    The network of the lecture: `x_t` is a character's embedding, the encoder carries the state
    over the whole text, `o_t = softmax(V s_t)` is the distribution of the next character, and the
    loss is the cross-entropy, averaged over characters, in nats. With a vocabulary of bytes, read
    "byte" for "character".

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
    example: str = '"The "'

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
        self.vocabulary = vocabulary_from_spec(spec["vocabulary"])
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
        real = ~padding_mask(batch.lengths, batch.targets.size(1))  # (B, T)
        total = F.cross_entropy(logits[real], batch.targets[real], reduction="sum")
        return Loss({"loss": Term(total, real.sum())}, state)

    def measures(self, losses: Mapping[str, float]) -> dict[str, float]:
        """Return the loss in bits for each character (or byte), and the perplexity."""
        nats = losses["loss"]
        return {f"bits_per_{self.vocabulary.unit}": bits(nats), "perplexity": perplexity(nats)}

    def predict(self, batch: Batch) -> list[dict[str, object]]:
        """Return each row's score: its negative log-likelihood in nats, and its characters."""
        assert isinstance(batch, TokenBatch)
        logits, _ = self._logits(batch.inputs, self.start(len(batch.ids)), batch.lengths)
        nats = F.cross_entropy(logits.transpose(1, 2), batch.targets, reduction="none")  # (B, T)
        padding = padding_mask(batch.lengths, nats.size(1))
        sums = nats.masked_fill(padding, 0.0).sum(dim=1).tolist()
        lengths = batch.lengths.tolist()
        unit = f"{self.vocabulary.unit}s"
        return [{"nats": total, unit: length} for total, length in zip(sums, lengths, strict=True)]

    def preview(self, batch: Batch) -> list[Preview]:
        """Return one sample of what the network writes by now."""
        options = GenerationOptions(self.sample_length, self.sample_temperature)
        prompt = self.sample_prompt if self.vocabulary.knows(self.sample_prompt) else ""
        return [Text(self.generate(prompt, options)[0], title="sample")]

    def infer(self, inputs: Iterable[Source], options: GenerationOptions) -> Iterator[Output]:
        """Complete each prompt, or score each text.

        Raises:
            UserError: An option is out of range, a character is refused, or a text to score is
                empty.
        """
        require_valid(options, self.vocabulary)
        (prompt,) = admit_all([options.prompt], self.vocabulary, options.unknown, "prompt")
        sources = list(inputs) if options.score else inputs
        texts = admit_all(read_sources(sources, whole=True), self.vocabulary, options.unknown)
        if options.score:
            texts = require_texts(texts, sources)
            yield score_table(self.language_model, texts, prompt, options.engine)
        else:
            yield from complete(self.language_model, texts, options)

    def reading(self, text: str) -> Reading:
        """Return a text as it is scored: each character is predicted, the first from the opening.

        The symbols are the text's own, also where the network reads an unknown one.
        """
        tokens = self.language_model.opened(text)  # (T + 1,)
        symbols = [self.vocabulary.decode(tokens[:1].tolist())]
        for sign in text:  # it shows at the last of its numbers
            symbols += [""] * (len(self.vocabulary.encode(sign)) - 1) + [sign]
        note = unknown_characters(text, self.vocabulary, "text")

        def losses(outputs: Tensor) -> Tensor:
            return F.cross_entropy(self.head(outputs[0]), tokens[1:], reduction="none")

        with torch.no_grad():
            inputs = self.embedding(tokens[None, :-1])
        return Reading(symbols[:-1], self.encoder, inputs, losses, [f"{note}."] if note else [])

    def generate(self, prompt: str = "", options: GenerationOptions | None = None) -> list[str]:
        """Write on from a prompt; return one text for each sample.

        Args:
            prompt: What the texts begin with; characters that are not known are read as unknown,
                or refused, as the options say. A new line is read before them, or a space where
                the training text had no lines.
            options: As for `infer`: `options.echo` false leaves the prompt out.

        Raises:
            UserError: An option is out of range, or a character is refused.
        """
        chosen = self._checked(prompt, options)
        echoed = prompt if chosen.echo else ""
        model = self.language_model
        columns = zip(*write(model, model.stepper(chosen.engine), prompt, chosen), strict=True)
        return [echoed + "".join(pieces) for pieces in columns]

    def stream(self, prompt: str = "", options: GenerationOptions | None = None) -> Iterator[str]:
        """Write on from a prompt, as an iterator over pieces of one text, the first sample.

        Args:
            prompt: As for `generate`; it is the first piece.
            options: As for `generate`.

        Raises:
            UserError: As `generate`, at once.
        """
        chosen = replace(self._checked(prompt, options), samples=1)
        model = self.language_model
        written = write(model, model.stepper(chosen.engine), prompt, chosen)
        pieces = (piece for (piece,) in written if piece)
        return chain([prompt] if prompt and chosen.echo else [], pieces)

    def score(
        self,
        text: str,
        prompt: str = "",
        unknown: Unknown = "replace",
        engine: Engine = "torch",
    ) -> Score:
        """Return the log-probability of a text, altogether and of each character.

        Args:
            text: What is scored.
            prompt: What stands before and is not scored; read as by `generate`.
            unknown: Whether characters that are not known count as unknown ("replace"), or are
                refused.
            engine: What reads the text, as for `infer`; the prompt is read by PyTorch.

        Raises:
            UserError: The text is empty, a character is refused, or there is no such engine.
        """
        require_engine(engine)
        for part in (prompt, text):
            admit(part, self.vocabulary, unknown)
        model = self.language_model
        return score(model, text, prompt, scoring_step(model, engine))

    @property
    def language_model(self) -> LanguageModel:
        """The network as what writes and scores text; the weights are the task's own."""
        return LanguageModel(self.vocabulary, self.embedding, self.encoder, self.head)

    def _checked(self, prompt: str, options: GenerationOptions | None) -> GenerationOptions:
        chosen = options or GenerationOptions()
        require_valid(chosen, self.vocabulary)
        admit(prompt, self.vocabulary, chosen.unknown)
        return chosen

    def _logits(self, inputs: Tensor, state: State, lengths: Tensor) -> tuple[Tensor, State]:
        outputs, state = self.encoder(self.embedding(inputs), state, lengths)  # (B, T, H)
        return self.head(outputs), state  # (B, T, V)


def _require_argument(name: str, value: float, at_least: float = 0) -> None:
    if not at_least <= value < math.inf:
        where = f"model.task.{name}"
        raise UserError(f"{name} is {value}", where=where, todo=f"give at least {at_least}")
