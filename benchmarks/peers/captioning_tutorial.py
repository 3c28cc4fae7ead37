"""Caption pictures as the popular tutorial does: an eager loop over `nn.LSTMCell`.

The network is that of `Captioning` (Xu et al. 2015 with the gate of their section 4.2.1 as one
number, the LSTM reading words only), the way of computing it that of sgrvinod's
a-PyTorch-Tutorial-to-Image-Captioning: captions sorted by length, the batch shrinking as they end,
a copy of the picture's regions for each caption, attention with its keys and the head at every
step, cross-entropy on packed scores, gradients clipped by value, Adam; beam search one picture at
a time with k hypotheses, of which finished ones are put aside. Float32, nothing tuned.
`benchmarks/captioning_speed.py` uses it; only PyTorch is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

CLIP = 5.0
"""Largest part of a gradient, as in the tutorial."""


class Sizes(NamedTuple):
    """Widths of the network.

    Attributes:
        features: Of a region, as the image encoder gives it.
        regions: Of a region, as it is attended to.
        hidden: Of the LSTM and of the attention.
        words: Of the vocabulary.
        embedding: Of a word, and of what predicts the next one.
    """

    features: int
    regions: int
    hidden: int
    words: int
    embedding: int


class Attention(nn.Module):
    """`v^T tanh(W h + U r)` of a state and each region, softmax, mean of regions."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.encoder_attention = nn.Linear(sizes.regions, sizes.hidden)
        self.decoder_attention = nn.Linear(sizes.hidden, sizes.hidden, bias=False)
        self.full_attention = nn.Linear(sizes.hidden, 1, bias=False)

    def forward(
        self, regions: Tensor, hidden: Tensor, keys: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return contexts `(B, R)` and weights `(B, P)` of regions `(B, P, R)`, `(B, H)`."""
        first = self.encoder_attention(regions) if keys is None else keys  # (B, P, H)
        second = self.decoder_attention(hidden).unsqueeze(1)
        alpha = self.full_attention(torch.tanh(first + second)).squeeze(2).softmax(dim=1)
        return (regions * alpha.unsqueeze(2)).sum(dim=1), alpha


class TutorialCaptioner(nn.Module):
    """The network, a step at a time.

    Args:
        sizes: Widths.
        dropout: Probability that an element of embeddings, regions or features is dropped.
        keys_once: Compute the attention's keys once for each caption; the tutorial does it at
            every step.
    """

    def __init__(self, sizes: Sizes, dropout: float, keys_once: bool = False) -> None:
        super().__init__()
        self.keys_once = keys_once
        self.project = nn.Sequential(
            nn.Linear(sizes.features, sizes.regions), nn.LayerNorm(sizes.regions)
        )
        self.embedding = nn.Embedding(sizes.words, sizes.embedding)
        self.init_h = nn.Linear(sizes.features, sizes.hidden)
        self.init_c = nn.Linear(sizes.features, sizes.hidden)
        self.decode_step = nn.LSTMCell(sizes.embedding, sizes.hidden)
        self.attention = Attention(sizes)
        self.f_beta = nn.Linear(sizes.hidden, 1)
        self.combine = nn.Linear(sizes.hidden + sizes.regions, sizes.embedding)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(sizes.embedding, sizes.words)
        self.fc.weight = self.embedding.weight

    def begin(self, features: Tensor) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        """Return regions `(B, P, R)`, keys, hidden and cell state of features `(B, P, C)`."""
        regions = self.dropout(self.project(features))
        pooled = self.dropout(features.mean(dim=1))  # (B, C)
        keys = self.attention.encoder_attention(regions) if self.keys_once else None
        return regions, keys, torch.tanh(self.init_h(pooled)), torch.tanh(self.init_c(pooled))

    def step(
        self, x: Tensor, regions: Tensor, keys: Tensor | None, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Read embedded words; return scores `(B, V)`, weights `(B, P)` and the new state."""
        hidden, cell = self.decode_step(x, (hidden, cell))
        context, alpha = self.attention(regions, hidden, keys)
        context = torch.sigmoid(self.f_beta(hidden)) * context
        combined = torch.tanh(self.combine(torch.cat([hidden, context], dim=1)))
        return self.fc(self.dropout(combined)), alpha, hidden, cell

    def forward(
        self, features: Tensor, inputs: Tensor, lengths: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        """Read captions, the longest first.

        Args:
            features: `(B, P, C)`, a copy for each caption.
            inputs: `(B, T)`, the begin mark and the caption, padded.
            lengths: Of the inputs, falling.

        Returns:
            Scores `(B, T, V)` and weights `(B, T, P)`, zero at padding.
        """
        regions, keys, hidden, cell = self.begin(features)
        embedded = self.dropout(self.embedding(inputs))
        scores = torch.zeros(*inputs.shape, self.fc.out_features)
        alphas = torch.zeros(*inputs.shape, features.size(1))
        for t in range(max(lengths)):
            rows = sum(length > t for length in lengths)
            known = None if keys is None else keys[:rows]
            scores[:rows, t], alphas[:rows, t], hidden, cell = self.step(
                embedded[:rows, t], regions[:rows], known, hidden[:rows], cell[:rows]
            )
        return scores, alphas


def caption_loss(
    model: TutorialCaptioner, features: Tensor, inputs: Tensor, targets: Tensor, lengths: Tensor
) -> Tensor:
    """Return the mean cross-entropy of a word with the doubly stochastic term.

    Args:
        model: The network.
        features: `(B, P, C)`, of each caption's picture.
        inputs: `(B, T)`, the begin mark and the caption, padded.
        targets: `(B, T)`, the caption and the end mark, padded.
        lengths: `(B,)`, of both.
    """
    lengths, order = lengths.sort(descending=True)
    given = lengths.tolist()
    scores, alphas = model(features[order], inputs[order], given)
    packed = pack_padded_sequence(scores, given, batch_first=True).data
    wanted = pack_padded_sequence(targets[order], given, batch_first=True).data
    loss = F.cross_entropy(packed, wanted)
    return loss + ((1.0 - alphas.sum(dim=1)) ** 2).sum() / lengths.sum()


def train_step(model: TutorialCaptioner, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step of the optimiser."""
    optimizer.zero_grad()
    loss.backward()
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.data.clamp_(-CLIP, CLIP)
    optimizer.step()


class Found(NamedTuple):
    """A caption that the search found.

    Attributes:
        words: Without the end mark.
        log_prob: In nats, that of the end mark included.
        finished: Whether the end mark was written.
    """

    words: tuple[int, ...]
    log_prob: float
    finished: bool


@torch.no_grad()
def beam_search(
    model: TutorialCaptioner,
    features: Tensor,
    *,
    k: int,
    begin: int,
    end: int,
    banned: Sequence[int],
    max_length: int,
) -> Found:
    """Caption one picture.

    Args:
        model: The network.
        features: `(P, C)` of the picture.
        k: Hypotheses that are followed at once.
        begin: The word that captions begin with.
        end: The word that ends them.
        banned: Words that are not to be written.
        max_length: Words at most.
    """
    words = model.fc.out_features
    previous = torch.full((k,), begin)
    sequences = previous.unsqueeze(1)
    totals = torch.zeros(k, 1)
    complete: list[tuple[list[int], float]] = []
    regions, keys, hidden, cell = model.begin(features.expand(k, *features.shape))
    for number in range(max_length + 1):
        scores, _, hidden, cell = model.step(model.embedding(previous), regions, keys, hidden, cell)
        scores = F.log_softmax(scores, dim=1)
        scores[:, list(banned)] = -torch.inf
        scores = totals.expand_as(scores) + scores
        # At first all hypotheses are the same.
        flat = scores[0] if number == 0 else scores.view(-1)
        best, places = flat.topk(k)
        rows, following = places // words, places % words
        sequences = torch.cat([sequences[rows], following.unsqueeze(1)], dim=1)
        going = [place for place, word in enumerate(following.tolist()) if word != end]
        for place in sorted({*range(len(following))} - {*going}):
            complete.append((sequences[place].tolist()[1:-1], best[place].item()))
        k = len(going)
        if k == 0:
            break
        sequences, totals, previous = sequences[going], best[going].unsqueeze(1), following[going]
        hidden, cell = hidden[rows[going]], cell[rows[going]]
        regions = regions[rows[going]]
        keys = None if keys is None else keys[rows[going]]
    if not complete:
        return Found(tuple(sequences[0].tolist()[1:]), totals[0].item(), finished=False)
    chosen = max(complete, key=lambda each: each[1])
    return Found(tuple(chosen[0]), chosen[1], finished=True)
