"""The log-probability that a network gives to a text, and the units it is told in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqforge.decoding import Step
from seqforge.engines import Engine
from seqforge.errors import UserError
from seqforge.metrics import perplexity
from seqforge.task import Source, Table
from seqforge_tasks.char_generation.language_model import LanguageModel

SHOWN = 40
"""Characters of a text that its line in a table shows."""


@dataclass(frozen=True, eq=False)
class Score:
    """How likely a text is.

    Attributes:
        log_probs: The log-probability of each unit (a character, or a byte) after all before it
            (N,), float64, in nats.
    """

    log_probs: NDArray[np.float64]

    @property
    def count(self) -> int:
        """The number of units N: characters, or bytes."""
        return len(self.log_probs)

    @property
    def log_probability(self) -> float:
        """The log-probability of the whole text in nats: the sum."""
        return math.fsum(self.log_probs)

    @property
    def nats_per_unit(self) -> float:
        """The mean negative log-probability in nats: what training minimises."""
        return -self.log_probability / self.count

    @property
    def bits_per_unit(self) -> float:
        """The same in bits."""
        return bits(self.nats_per_unit)

    @property
    def perplexity(self) -> float:
        """The number of equally likely units among which the choice would be as hard."""
        return perplexity(self.nats_per_unit)


def bits(nats: float) -> float:
    """Return nats in bits."""
    return nats / math.log(2)


def score(model: LanguageModel, text: str, prompt: str = "", step: Step | None = None) -> Score:
    """Score a text, in chunks: a long one takes no more memory than its numbers.

    Args:
        model: Who scores.
        text: What is scored; a character that is not known has the unknown one's probability.
        prompt: What stands before and is not scored.
        step: What reads number by number, see `LanguageModel.steps`; None: PyTorch, in chunks.

    Raises:
        UserError: The text is empty.
    """
    if not text:
        raise _empty("text")
    first, state = model.begin(prompt)
    chunks = [chunk.double().cpu().numpy() for chunk in model.log_probs(first, text, state, step)]
    return Score(np.concatenate(chunks))


def require_texts(texts: Iterable[str], sources: Iterable[Source]) -> Iterator[str]:
    """Refuse empty texts; all are read before the first one is given out.

    Args:
        texts: One text for each source.
        sources: What they come from.

    Raises:
        UserError: Names the first source without a text: by its number, and a file by its name.
    """
    pairs = list(zip(texts, sources, strict=True))
    for number, (text, source) in enumerate(pairs, 1):
        if not text:
            file = f", '{source}'" if isinstance(source, Path) else ""
            raise _empty(f"input {number} of {len(pairs)}{file}")
    return (text for text, _ in pairs)


def _empty(where: str) -> UserError:
    return UserError(
        "there is no text to score",
        where=where,
        todo="give at least one character, inline or in a file",
    )


def scoring_step(model: LanguageModel, engine: Engine) -> Step | None:
    """Return what `score` reads with: an engine's steps; None for PyTorch, which reads chunks.

    Raises:
        UserError: As `LanguageModel.steps`.
    """
    return None if engine == "torch" else model.steps(engine)


def score_table(
    model: LanguageModel, texts: Iterable[str], prompt: str = "", engine: Engine = "torch"
) -> Table:
    """Return one row for each text: its beginning, its size and its score in every unit.

    Raises:
        UserError: A text is empty, or as `LanguageModel.steps`.
    """
    step = scoring_step(model, engine)
    unit = model.vocabulary.unit
    columns = (
        "text",
        f"{unit}s",
        "log_probability",
        f"nats_per_{unit}",
        f"bits_per_{unit}",
        "perplexity",
    )
    scored = ((text, score(model, text, prompt, step)) for text in texts)
    rows = [
        (
            shortened(text),
            found.count,
            found.log_probability,
            found.nats_per_unit,
            found.bits_per_unit,
            found.perplexity,
        )
        for text, found in scored
    ]
    return Table(columns, rows)


def shortened(text: str) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text[: 2 * SHOWN].split())
    whole = len(text) <= 2 * SHOWN and len(line) <= SHOWN
    return line if whole else f"{line[:SHOWN]}…"
