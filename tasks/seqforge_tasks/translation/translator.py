"""Sentences in, sentences out: the network with its vocabularies and the beam."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from seqforge.decoding import Hypothesis, beam_search
from seqforge.errors import UserError
from seqforge_tasks.translation.network import EncoderDecoder
from seqforge_tasks.translation.parallel.sides import Side
from seqforge_tasks.translation.parts import split_text
from seqforge_tasks.translation.search_options import TranslationOptions
from seqforge_tasks.translation.stepping import NetworkStepper

AHEAD = 50
"""Batches of lines that are sorted by length together, so that a batch has little padding."""

SHOWN = 40
"""Characters of a line that is refused in the message."""


class Candidate(NamedTuple):
    """One translation of a text.

    Attributes:
        text: As it is read by people.
        prepared: Before it is detokenised: the form in which old tables are scored.
        score: What candidates are ranked by: the log-probability over the length penalty.
        log_prob: Log-probability in nats, that of the end included.
        finished: Whether the end was written.
        cut: Whether it is as long as was allowed, so that something may be missing: what could be
            written no further ends there, likely or not.
        source: What was read, piece by piece, the end mark last.
        target: What was written, likewise.
        attention: `(target, source)` weights, float32, on the CPU.
    """

    text: str
    prepared: str
    score: float
    log_prob: float
    finished: bool
    cut: bool
    source: tuple[str, ...]
    target: tuple[str, ...]
    attention: Tensor


class _Part(NamedTuple):
    """What is translated at one go: a line, or a part of one that is too long."""

    line: int
    numbers: list[int]


@dataclass(frozen=True)
class Translator:
    """Translates texts.

    Attributes:
        network: The network.
        source: What is read.
        target: What is written.
        longest: Tokens of the longest source in training, its end mark left out.
    """

    network: EncoderDecoder
    source: Side
    target: Side
    longest: int

    def translate(self, texts: Sequence[str], options: TranslationOptions) -> list[list[Candidate]]:
        """Return the best candidates of each text, best first; none for an empty text.

        Raises:
            UserError: A text is too long, and to be refused.
        """
        return list(self.stream(iter(texts), options))

    def stream(
        self, texts: Iterator[str], options: TranslationOptions
    ) -> Iterator[list[Candidate]]:
        """Translate texts as they come, some batches ahead; see `translate`."""
        stepper, before = NetworkStepper(self.network, options.precision), 0
        while chunk := list(islice(texts, AHEAD * options.batch_size)):
            parts = list(self._parts(chunk, options, before))
            by_length = sorted(range(len(parts)), key=lambda place: len(parts[place].numbers))
            found: dict[int, list[Candidate]] = {}
            for first in range(0, len(parts), options.batch_size):
                places = by_length[first : first + options.batch_size]
                numbers = [parts[place].numbers for place in places]
                found.update(zip(places, self.search(numbers, options, stepper), strict=True))
            before += len(chunk)
            lines: list[list[list[Candidate]]] = [[] for _ in chunk]
            for place, part in enumerate(parts):
                lines[part.line].append(found[place])
            yield from map(_joined, lines)

    def search(
        self,
        sources: Sequence[Sequence[int]],
        options: TranslationOptions,
        stepper: NetworkStepper | None = None,
    ) -> list[list[Candidate]]:
        """Return the best candidates of encoded sources, without end marks, as one batch.

        Args:
            sources: The numbers of each source's tokens.
            options: How they are translated.
            stepper: The network, packed for the precision of the options; None: it is packed anew.
        """
        lengths = torch.tensor([len(numbers) + 1 for numbers in sources])
        source = torch.full((len(sources), int(lengths.max())), self.source.vocabulary.padding)
        for row, numbers in enumerate(sources):
            marked = [*numbers, self.source.vocabulary.end]
            source[row, : len(marked)] = torch.tensor(marked)
        device = self.network.head.weight.device
        return self.search_batch(source.to(device), lengths.to(device), options, stepper)

    @torch.inference_mode()
    def search_batch(
        self,
        source: Tensor,
        lengths: Tensor,
        options: TranslationOptions,
        stepper: NetworkStepper | None = None,
    ) -> list[list[Candidate]]:
        """Return the best candidates of a padded batch, `(B, S)` with end marks; see `search`."""
        stepper = stepper or NetworkStepper(self.network, options.precision)
        vocabulary = self.target.vocabulary
        greatest = self._greatest(lengths, options)
        found = beam_search(
            stepper,
            torch.full_like(lengths, vocabulary.begin),
            stepper.begin(source, lengths),
            end=vocabulary.end,
            beam_size=options.beam_size,
            max_length=greatest,
            min_length=options.min_length,
            length_penalty=options.length_penalty,
            no_repeat_ngram=options.no_repeat_ngram,
            n_best=options.n_best,
            banned=(vocabulary.padding, vocabulary.begin),
        )
        rows = zip(source.tolist(), lengths.tolist(), greatest.tolist(), found, strict=True)
        return [
            [self._candidate(numbers[:length], each, most) for each in hypotheses]
            for numbers, length, most, hypotheses in rows
        ]

    def _greatest(self, lengths: Tensor, options: TranslationOptions) -> Tensor:
        if options.max_length:
            return torch.full_like(lengths, options.max_length)
        return (2 * lengths + 10).clamp(min=options.min_length)

    def _candidate(self, source: Sequence[int], hypothesis: Hypothesis, greatest: int) -> Candidate:
        vocabulary = self.target.vocabulary
        prepared = vocabulary.decode(hypothesis.tokens)
        written = [*hypothesis.tokens, *[vocabulary.end] * hypothesis.finished]
        return Candidate(
            self.target.preparation.undo(prepared),
            prepared,
            hypothesis.score,
            hypothesis.log_prob,
            hypothesis.finished,
            len(hypothesis.tokens) >= greatest,
            tuple(self.source.vocabulary.pieces(source)),
            tuple(vocabulary.pieces(written)),
            hypothesis.trace[:, : len(source)].float().cpu(),
        )

    def _parts(
        self, texts: Sequence[str], options: TranslationOptions, before: int
    ) -> Iterator[_Part]:
        """Encode texts and yield what is to be translated; nothing for an empty text."""
        for line, (text, numbers) in enumerate(zip(texts, self._encoded(texts), strict=True)):
            if len(numbers) <= self.longest:
                parts = [numbers]
            elif options.long == "split":
                parts = self._encoded(split_text(text, self._fits))
            else:
                raise UserError(
                    f"input {before + line + 1} has {len(numbers)} tokens, and the network was "
                    f"trained on at most {self.longest}: {shortened(text)!r}",
                    where="--long",
                    todo="add --long split to translate it in parts, or shorten it",
                )
            yield from (_Part(line, part) for part in parts if part)

    def _encoded(self, texts: Sequence[str]) -> list[list[int]]:
        return self.source.encode_all(list(texts))

    def _fits(self, text: str) -> bool:
        return len(self._encoded([text])[0]) <= self.longest


def shortened(text: str) -> str:
    """Return a text, or the beginning of a long one, as a message shows it."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _joined(parts: list[list[Candidate]]) -> list[Candidate]:
    """Put the translations of a line's parts together, the best with the best, and so on."""
    if len(parts) < 2:
        return parts[0] if parts else []
    return [_join(candidates) for candidates in zip(*parts, strict=False)]


def _join(parts: Sequence[Candidate]) -> Candidate:
    return Candidate(
        " ".join(part.text for part in parts),
        " ".join(part.prepared for part in parts),
        sum(part.score for part in parts),
        sum(part.log_prob for part in parts),
        all(part.finished for part in parts),
        any(part.cut for part in parts),
        tuple(piece for part in parts for piece in part.source),
        tuple(piece for part in parts for piece in part.target),
        torch.block_diag(*[part.attention for part in parts]),
    )
