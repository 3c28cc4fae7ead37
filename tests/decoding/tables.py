"""A model that is a table, and searches of it that share no code with the package's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seqforge.decoding import Hypothesis, StepOut
from seqforge.state import Fixed, State

END = 4
WORDS = 5  # the end mark among them
FIRST = 0

Path = tuple[int, ...]


class Memory(NamedTuple):
    """The token before the last one, the item's name; and, the same for all beams, its table."""

    previous: Tensor  # (N,)
    name: Tensor  # (N,)
    item: Fixed  # name (B,), table (B, V, V, V)


class Options(NamedTuple):
    """What constrains a search."""

    max_length: int
    alpha: float = 0.0
    n_best: int = 1
    min_length: int = 0
    no_repeat: int = 0
    banned: tuple[int, ...] = ()

    def allowed(self, path: Path) -> list[int]:
        """List the tokens that may follow, but for the end mark."""
        return [token for token in range(END) if not self._forbidden(path, token)]

    def _forbidden(self, path: Path, token: int) -> bool:
        n = self.no_repeat
        longer = (*path, token)
        grams = [longer[at : at + n] for at in range(len(longer) - n + 1)]
        return token in self.banned or (n > 0 and len(longer) >= n and grams[-1] in grams[:-1])

    def may_end(self, path: Path) -> bool:
        """Say whether the end mark may follow."""
        return len(path) >= min(self.min_length, self.max_length)

    def score(self, log_prob: float, length: int) -> float:
        """Divide by the penalty of Wu et al. 2016, the end mark counted in the length."""
        return float(np.float32(log_prob) / np.float32(((5 + length) / 6) ** self.alpha))


def step(tokens: Tensor, state: State) -> StepOut:
    """Look the next token up by the item and the last two; check that the state came along."""
    names, tables = state.item.value
    items = torch.arange(len(names)).repeat_interleave(len(tokens) // len(names))
    assert torch.equal(state.name, names[items]), "a row has got another item's memory"
    # The trace tells the two tokens that it was computed from.
    trace = (torch.stack([state.previous, tokens], dim=1), (tokens * 10.0, None))
    log_probs = tables[items, state.previous, tokens]
    return StepOut(log_probs, state._replace(previous=tokens), trace)


def memory(tables: Tensor) -> Memory:
    """Return the state before the first token."""
    names = torch.arange(len(tables)) + 100
    return Memory(torch.full_like(names, FIRST), names, Fixed((names, tables)))


def first(tables: Tensor) -> Tensor:
    """Return the first token of each item."""
    return torch.full((len(tables),), FIRST)


def random_tables(items: int, seed: int) -> Tensor:
    """Return tables (B, V, V, V) of probabilities that are never the same."""
    generator = torch.Generator().manual_seed(seed)
    scores = 2 * torch.randn(items, WORDS, WORDS, WORDS, generator=generator)
    return scores.log_softmax(dim=3)


def even_tables(items: int, seed: int, levels: int, dead: float = 0.0) -> Tensor:
    """Return tables of few different log-probabilities, so that sums are exact and often equal.

    Args:
        items: Tables.
        seed: Of the draw.
        levels: Different log-probabilities.
        dead: Share of tokens that are impossible.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (items, WORDS, WORDS, WORDS)
    table = -0.5 * torch.randint(levels, shape, generator=generator)
    return table.masked_fill(torch.rand(shape, generator=generator) < dead, -torch.inf)


def log_prob(table: Tensor, tokens: Sequence[int]) -> float:
    """Score tokens again, one at a time, in float64."""
    path = [FIRST, FIRST, *tokens]
    found = [float(table[path[n], path[n + 1], path[n + 2]]) for n in range(len(tokens))]
    return float(np.sum(found, dtype=np.float64)) if found else 0.0


def every_path(options: Options) -> Iterator[Path]:
    """Go through all sequences that the constraints leave."""
    tokens = range(END)
    for length in range(options.max_length + 1):
        for path in itertools.product(tokens, repeat=length):
            if all(path[n] in options.allowed(path[:n]) for n in range(length)):
                yield path


def exhaustive(table: Tensor, options: Options) -> list[tuple[Path, float, float]]:
    """Return the n best finished sequences of all: tokens, log-probability, score."""
    found = []
    for path in every_path(options):
        total = log_prob(table, [*path, END])
        if options.may_end(path) and total > -np.inf:
            found.append((path, total, options.score(total, len(path) + 1)))
    return sorted(found, key=lambda each: -each[2])[: options.n_best]


def slow_beam(table: Tensor, width: int, options: Options) -> list[tuple[Path, float, bool]]:
    """Do the search with lists, without leaving off early: tokens, log-probability, finished."""
    numbers = table.tolist()
    beam: list[tuple[float, Path] | None] = [(0.0, ())]
    finished: list[tuple[float, float, Path]] = []
    cut = []
    for length in range(options.max_length + 1):
        rows: list[list[tuple[float, float, Path]]] = []
        for live in beam:
            total, path = live or (-np.inf, ())
            before, last = (FIRST, FIRST, *path)[-2:]
            row = numbers[before][last]
            ended = float(np.float32(total) + np.float32(row[END]))
            if live and options.may_end(path) and ended > -np.inf:
                finished.append((options.score(ended, length + 1), ended, path))
            elif live and length == options.max_length:
                cut.append((total, path))
            children = [
                (row[token], float(np.float32(total) + np.float32(row[token])), (*path, token))
                for token in (options.allowed(path) if live else [])
                if row[token] > -np.inf
            ]
            rows.append(sorted(children, key=lambda child: -child[0]))
        beam = []
        for slot in range(width):
            left = [row for row in rows[: slot + 1] if row]
            best = max(left, key=lambda row: row[0][1], default=None)
            beam.append(best.pop(0)[1:] if best else None)
    finished.sort(key=lambda each: -each[0])
    cut.sort(key=lambda each: -each[0])
    found = [(path, ended, True) for _, ended, path in finished]
    return [*found, *((path, total, False) for total, path in cut)][: options.n_best]


def plain(found: list[Hypothesis]) -> list[tuple[Path, float, bool]]:
    """Leave out of hypotheses what a slow search does not tell."""
    return [(each.tokens, each.log_prob, each.finished) for each in found]
