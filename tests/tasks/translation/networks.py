"""Networks of random weights, and batches for them, for tests of what is not training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from seqforge.encoders import GRU, Encoder, EncoderFactory
from seqforge.task import Progress
from seqforge.text import WordVocabulary
from seqforge_tasks.translation import Translation
from seqforge_tasks.translation.parallel.batch import TranslationBatch

WORDS = tuple("abcdefgh")
FIRST = 4
"""The number of the first word: the marks stand before it."""


def spec(target_words: Sequence[str] | None = None, longest: int = 20) -> dict[str, Any]:
    """Return the spec of data with words for a vocabulary; None: a joint one."""
    plain = {"lowercase": False, "tokenize": "none"}
    target = None if target_words is None else WordVocabulary(target_words).spec()
    return {
        "source": {"language": "en", **plain, "vocabulary": WordVocabulary(WORDS).spec()},
        "target": {"language": "fr", **plain, "vocabulary": target},
        "lengths": {"source": longest, "target": longest},
    }


def task(
    encoder: Callable[..., Encoder] = GRU,
    *,
    target_words: Sequence[str] | None = None,
    longest: int = 20,
    hidden_size: int = 6,
    sharp: float = 2.0,
    **options: Any,
) -> Translation:
    """Return a built task with random weights in float64, in evaluation mode.

    Args:
        encoder: The class of its encoders.
        target_words: A vocabulary of its own for the target; None: the source's.
        longest: Tokens of the longest source.
        hidden_size: Units of its encoders.
        sharp: Factor on all weights: far from uniform, so that mistakes show.
        options: Arguments of the task.
    """
    torch.manual_seed(0)
    made = Translation(**{"embedding_size": 5, "dropout": 0.0, **options})
    made.build(
        EncoderFactory(partial(encoder, hidden_size=hidden_size), {}), spec(target_words, longest)
    )
    for parameter in made.parameters():
        parameter.data.mul_(sharp)
    return made.double().eval()


def batch(
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    padding: int = 0,
    ids: Sequence[int] | None = None,
) -> TranslationBatch:
    """Return sentences of numbers as a batch; `padding` adds columns on both sides."""
    source_lengths = torch.tensor([len(each) + 1 for each in sources])
    lengths = torch.tensor([len(each) + 1 for each in targets])
    source = torch.zeros(len(sources), int(source_lengths.max()) + padding, dtype=torch.int64)
    inputs = torch.zeros(len(targets), int(lengths.max()) + padding, dtype=torch.int64)
    outputs = torch.zeros_like(inputs)
    for row, (one, other) in enumerate(zip(sources, targets, strict=True)):
        source[row, : len(one) + 1] = torch.tensor([*one, 3])
        inputs[row, : len(other) + 1] = torch.tensor([2, *other])
        outputs[row, : len(other) + 1] = torch.tensor([*other, 3])
    return TranslationBatch(
        ids=torch.arange(len(sources)) if ids is None else torch.tensor(ids),
        source=source,
        source_lengths=source_lengths,
        inputs=inputs,
        targets=outputs,
        lengths=lengths,
        source_texts=tuple(map(text, sources)),
        target_texts=tuple(map(text, targets)),
    )


def text(numbers: Sequence[int]) -> str:
    """Return the words of numbers."""
    return " ".join(WORDS[number - FIRST] for number in numbers)


def sentences(count: int, shortest: int = 1, longest: int = 6, seed: int = 0) -> list[list[int]]:
    """Return random sentences, always the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)

    def draw(low: int, high: int, size: int) -> list[int]:
        return torch.randint(low, high, (size,), generator=generator).tolist()

    lengths = draw(shortest, longest + 1, count)
    return [draw(FIRST, FIRST + len(WORDS), length) for length in lengths]


def fit(
    made: Translation, draw: Callable[[int], TranslationBatch], steps: int, rate: float = 0.01
) -> float:
    """Train for some steps in float32; return the mean loss in nats of the last ten."""
    made.float().train()
    optimizer = torch.optim.Adam(made.parameters(), lr=rate)
    losses = []
    for step in range(steps):
        term = made.loss(draw(step), None, Progress(0, step, step / steps)).terms["loss"]
        loss = term.total / term.count
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(made.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    made.eval()
    return sum(losses[-10:]) / 10
