"""Pictures in, captions out: the network with its vocabulary, its transform and the beam."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from seqforge.attention import TokenStepper
from seqforge.decoding import Hypothesis, beam_search
from seqforge.errors import UserError
from seqforge.text import SentenceVocabulary
from seqforge_tasks.captioning.batch import CaptionBatch
from seqforge_tasks.captioning.medium import Medium
from seqforge_tasks.captioning.network import CaptioningNetwork
from seqforge_tasks.captioning.photos.caption_text import readable
from seqforge_tasks.captioning.search_options import CaptioningOptions
from seqforge_tasks.captioning.seen import Seen, stacked

ROOM = 10
"""Tokens that a caption may be longer than the longest one of training."""


class Candidate(NamedTuple):
    """One caption of a picture.

    Attributes:
        text: As it is read by people.
        score: What candidates are ranked by: the log-probability over the length penalty.
        log_prob: Log-probability in nats, that of the end included.
        finished: Whether the end was written.
        cut: Whether it is as long as was allowed, so that something may be missing: what could be
            written no further ends there, likely or not.
        words: What was written, piece by piece, the end mark last.
        attention: `(words, P)` weights, float32, on the CPU; `(words, 0)` of a network that looks
            only once.
    """

    text: str
    score: float
    log_prob: float
    finished: bool
    cut: bool
    words: tuple[str, ...]
    attention: Tensor


@dataclass(frozen=True)
class Captioner:
    """Captions pictures.

    Attributes:
        network: The network.
        vocabulary: What is written.
        medium: What is captioned, and what is done to it before it is read, in training as in use.
        longest: Tokens of the longest caption in training.
    """

    network: CaptioningNetwork
    vocabulary: SentenceVocabulary
    medium: Medium
    longest: int

    def caption(
        self,
        pictures: Tensor,
        options: CaptioningOptions,
        frames: Tensor | None = None,
        stepper: TokenStepper | None = None,
    ) -> list[list[Candidate]]:
        """Return the best captions of each picture or clip, best first.

        Args:
            pictures: `(N, 3, S, S)` uint8, transformed; or clips, `(N, F, 3, S, S)`.
            options: How they are searched for.
            frames: `(N,)` int64, the frames of each clip; None: they are pictures.
            stepper: From `stepper`; None: the network is packed anew.
        """
        with torch.inference_mode():
            device = self.network.head.weight.device
            frames = None if frames is None else frames.to(device)
            return self.search(self.network.see(pictures.to(device), frames), options, stepper)

    def stepper(self) -> TokenStepper:
        """Return the network as a search wants it, packed with its weights as they are now."""
        network = self.network
        return TokenStepper(network.decoder, network.embedding, network.head, network.never_written)

    def stream(
        self, pictures: Iterable[Tensor], options: CaptioningOptions
    ) -> Iterator[list[Candidate]]:
        """Caption pictures, `(3, S, S)`, or clips, `(F, 3, S, S)`, as they come; see `caption`.

        Raises:
            UserError: As `pictures` raises it, after the captions of those before.
        """
        coming, stepper = iter(pictures), self.stepper()
        mistake = None
        while mistake is None:
            batch, mistake = _taken(coming, options.batch_size)
            if batch:
                stack, frames = stacked(batch)
                yield from self.caption(stack, options, frames, stepper)
            elif mistake is None:
                return
        raise mistake

    @torch.inference_mode()
    def search(
        self, seen: Seen, options: CaptioningOptions, stepper: TokenStepper | None = None
    ) -> list[list[Candidate]]:
        """Return the best captions of pictures or clips by their features; see `caption`."""
        vocabulary, network = self.vocabulary, self.network
        stepper = stepper or self.stepper()
        greatest = options.max_length or max(self.longest + ROOM, options.min_length)
        unknown = () if vocabulary.unknown is None else (vocabulary.unknown,)
        found = beam_search(
            stepper,
            torch.full((len(seen.features),), vocabulary.begin, device=seen.features.device),
            stepper.begin(network.look(seen)),
            end=vocabulary.end,
            beam_size=options.beam_size,
            max_length=greatest,
            min_length=options.min_length,
            length_penalty=options.length_penalty,
            no_repeat_ngram=options.no_repeat_ngram,
            n_best=options.n_best,
            banned=(*network.never_written, *unknown),
        )
        return [[self._candidate(each, greatest) for each in hypotheses] for hypotheses in found]

    def references(self, batch: CaptionBatch) -> Sequence[Sequence[str]]:
        """Return the captions that people wrote of each row's picture.

        In a batch of training it is the row's own one, as far as its words are known.
        """
        if batch.references:
            return batch.references
        rows = zip(batch.targets.tolist(), batch.lengths.tolist(), strict=True)
        decode = self.vocabulary.decode
        return [(readable(decode(numbers[: length - 1])),) for numbers, length in rows]

    def _candidate(self, hypothesis: Hypothesis, greatest: int) -> Candidate:
        vocabulary = self.vocabulary
        written: Sequence[int] = [
            *hypothesis.tokens,
            *[vocabulary.end] * hypothesis.finished,
        ]
        return Candidate(
            readable(vocabulary.decode(hypothesis.tokens)),
            hypothesis.score,
            hypothesis.log_prob,
            hypothesis.finished,
            len(hypothesis.tokens) >= greatest,
            tuple(vocabulary.pieces(written)),
            hypothesis.trace.float().cpu(),
        )


def _taken(coming: Iterator[Tensor], most: int) -> tuple[list[Tensor], UserError | None]:
    """Return the next pictures, and what went wrong behind the last one of them."""
    batch: list[Tensor] = []
    try:
        for picture in islice(coming, most):
            batch.append(picture)
    except UserError as error:
        return batch, error
    return batch, None
