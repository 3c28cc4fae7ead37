"""What writing and scoring share: reading a text, and the distribution of what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqforge.decoding import Step, StepOut
from seqforge.encoders import Encoder
from seqforge.engines import Engine, engine_step
from seqforge.layers import Head
from seqforge.state import State
from seqforge.text import Vocabulary
from seqforge_tasks.char_generation.token_network import TokenNetwork, log_softmax

CHUNK = 1024
"""Tokens that are read at once, so that a long text takes no more memory than a short one."""


@dataclass(frozen=True)
class LanguageModel:
    """A vocabulary and the parts of a network that predicts its next number; nothing is copied.

    Attributes:
        vocabulary: Text to numbers and back; V numbers.
        embedding: Numbers to vectors.
        encoder: The recurrent network.
        head: Its outputs to scores of the next number.
    """

    vocabulary: Vocabulary
    embedding: nn.Embedding
    encoder: Encoder
    head: Head

    def tokens(self, text: str) -> Tensor:
        """Return the numbers of a text (T,) where the network is."""
        return torch.from_numpy(self.vocabulary.encode(text)).to(self.head.weight.device)

    def opened(self, text: str) -> Tensor:
        """Return the numbers of a text after the opening one (1 + T,): how every text is read.

        The opening is a new line, or the first of space and all others that is known: in training,
        too, something stood before every character, and a text begins most likely after a line.
        """
        return torch.cat([self._opening(), self.tokens(text)])

    @torch.no_grad()
    def begin(self, prompt: str) -> tuple[Tensor, State]:
        """Read what stands before a text: the opening and a prompt.

        Args:
            prompt: Nothing, or what a text begins with.

        Returns:
            The last number (1,), and the state before it (one row): what `stepper` and `log_probs`
            go on from.
        """
        tokens = self.opened(prompt)
        state = self.encoder.start(1)
        for _, after in self._chunks(tokens[:-1], state):
            state = after
        return tokens[-1:], state

    @torch.no_grad()
    def log_probs(
        self, first: Tensor, text: str, state: State, step: Step | None = None
    ) -> Iterator[Tensor]:
        """Score a text, chunk by chunk.

        Args:
            first: The number before the text (1,).
            text: The text, of T numbers.
            state: The state before `first`, one row.
            step: What reads number by number, from `steps`; None: PyTorch reads whole chunks.

        Yields:
            The log-probabilities of the text's numbers, each after all before it; T altogether.
        """
        targets = self.tokens(text)
        inputs = torch.cat([first, targets[:-1]])
        found: Iterator[Tensor]
        if step is None:
            found = (log_softmax(self.head(outputs)) for outputs, _ in self._chunks(inputs, state))
        else:
            found = _stepped(step, inputs, state)
        for log_probs, wanted in zip(found, targets.split(CHUNK), strict=True):
            yield log_probs.gather(1, wanted.to(log_probs.device)[:, None]).squeeze(1)

    def steps(self, engine: Engine = "torch") -> Step:
        """Return a step with the weights as they are now: the probabilities of all numbers.

        Args:
            engine: What takes the steps; all but "torch" take seconds to be made.

        Raises:
            UserError: The engine's packages are not installed, or the encoder does what the engine
                cannot.
        """
        return self._steps(engine, torch.zeros_like(self.head.weight[:, 0]))

    def stepper(self, engine: Engine = "torch") -> Step:
        """Return a step for decoding, with the weights as they are now.

        The unknown number is read but never written.

        Args:
            engine: As for `steps`.

        Raises:
            UserError: As `steps`.
        """
        return self._steps(engine, self.never())

    @torch.no_grad()
    def never(self) -> Tensor:
        """Return what is added to log-probabilities `(V,)`: -inf for the unknown number, else 0."""
        offset = torch.zeros_like(self.head.weight[:, 0])
        if self.vocabulary.unknown is not None:
            offset[self.vocabulary.unknown] = -torch.inf
        return offset

    @torch.no_grad()
    def _steps(self, engine: Engine, offset: Tensor) -> Step:
        """Return a step that adds `(V,)` to all log-probabilities."""
        if engine != "torch":
            network = TokenNetwork(self.embedding, self.encoder, self.head, offset)
            return engine_step(engine, network, self.encoder.start(1))
        read = self.encoder.embedded_stepper(self.embedding.weight)
        score = self.head.packed(torch.zeros_like(offset))

        def step(tokens: Tensor, state: State) -> StepOut:
            outputs, state = read(tokens, state)
            return StepOut(log_softmax(score(outputs)) + offset, state)

        return step

    def _opening(self) -> Tensor:
        """Return the known number after which a text most likely begins (1,)."""
        known = next((sign for sign in "\n " if self.vocabulary.knows(sign)), "")
        if known:
            return self.tokens(known)
        first = next(n for n in range(len(self.vocabulary)) if n != self.vocabulary.unknown)
        return torch.tensor([first], device=self.head.weight.device)

    def _chunks(self, tokens: Tensor, state: State) -> Iterator[tuple[Tensor, State]]:
        """Yield the outputs (T', H) of each chunk of numbers (T,), and the state after it."""
        for chunk in tokens.split(CHUNK) if len(tokens) else ():
            with _without_dropout(self.encoder):
                outputs, state = self.encoder(self.embedding(chunk[None]), state)
            yield outputs[0], state


def _stepped(step: Step, tokens: Tensor, state: State) -> Iterator[Tensor]:
    """Yield the log-probabilities (T', V) after each of the numbers (T,), chunk by chunk."""
    for chunk in tokens.split(CHUNK):
        found = []
        for token in chunk.split(1):
            log_probs, state, _ = step(token, state)
            found.append(log_probs)
        yield torch.cat(found)


@contextmanager
def _without_dropout(encoder: Encoder) -> Iterator[None]:
    training = encoder.training
    encoder.eval()
    try:
        yield
    finally:
        encoder.train(training)
