"""Training on the measure itself: sequences are drawn, scored, and made likelier or less likely."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqforge.attention.decoder import AttentionDecoder
from seqforge.attention.decoder_state import Decoded, DecoderState
from seqforge.attention.token_stepper import TokenStepper
from seqforge.decoding import DrawnSequences, draw_sequences
from seqforge.layers import TokenHead, padding_mask
from seqforge.precision import full_precision
from seqforge.state import repeat, select_items, widen

Baseline = Literal["others", "greedy"]
"""What rewards are compared with: the mean of the others drawn for the same item (Luo 2020), or the
greedy sequence's (Rennie et al. 2017)."""
BASELINES: tuple[Baseline, ...] = ("others", "greedy")

Reward = Callable[[int, Sequence[int], bool], float]
"""`reward(item, tokens without the end mark, whether it ended) -> score`."""


class TokenWriter(Protocol):
    """A network that writes tokens with an attention decoder."""

    decoder: AttentionDecoder
    never: Tensor
    never_written: tuple[int, ...]

    @property
    def head(self) -> TokenHead:
        """Maps the decoder's features to the tokens' scores."""
        ...

    @property
    def written_embedding(self) -> nn.Embedding:
        """The embedding of the tokens that are written."""
        ...

    def modules(self) -> Iterator[nn.Module]:
        """Give the network and all its parts, as `nn.Module` does."""
        ...

    def decode(self, inputs: Tensor, state: DecoderState, lengths: Tensor) -> Decoded:
        """Read known targets, `(B, T)`."""
        ...


class Marks(NamedTuple):
    """The tokens before the first and behind the last one."""

    begin: int
    end: int


class SelfCritical(NamedTuple):
    """What self-critical training makes of a batch.

    Attributes:
        loss: `sum_n -(r_n - b_n) log p(sequence n)`, a scalar with gradient.
        tokens: How many tokens it is a sum over, a scalar.
        reward: The mean reward of what was drawn.
    """

    loss: Tensor
    tokens: Tensor
    reward: float


def self_critical(
    network: TokenWriter,
    begin: Callable[[], DecoderState],
    marks: Marks,
    places: Tensor,
    reward: Reward,
    baseline: Baseline = "others",
    limits: Tensor | None = None,
) -> SelfCritical:
    """Return the loss whose gradient is that of the expected reward, for a batch of items.

    REINFORCE with a baseline of the model's own making (Rennie et al. 2017, arXiv:1612.00563,
    equations 6 to 10): sequences are drawn for each item, and each becomes likelier as far as its
    reward lies above the baseline. That is the reward of what the model writes greedily ("greedy",
    as in the paper), or the mean reward of the item's other sequences ("others", Luo 2020,
    arXiv:2003.09971), which needs no sequence more and varies less.

    There is no dropout in any of this. The gradient is that of the expected reward only if the
    likelihoods are those that sequences were drawn by, and a draw must follow from its place alone.

    Args:
        network: What writes.
        begin: Gives the state in which each of N items begins, with gradient. It is called where
            there is no dropout.
        marks: Its begin and end marks.
        places: `(N, K, T)`, uniform in [0, 1): where the draws fall, K sequences for each item of
            at most T tokens.
        reward: Scores a sequence of an item.
        baseline: What rewards are compared with.
        limits: `(N,)`, tokens of an item's sequences at most; None: T.

    Raises:
        ValueError: The others are the baseline, and there are none.
    """
    items, count, time = places.shape
    if baseline == "others" and count < 2:
        raise ValueError("one sequence has no others to be compared with")
    if baseline == "greedy":
        places = torch.cat([places, places.new_full((items, 1, time), torch.nan)], dim=1)
    with _without_dropout(network):
        state = begin()
        drawn = _drawn(network, state, marks, places, limits)
        likelihoods, lengths = _likelihoods(network, state, marks, drawn, places.size(1), count)
    rewards = _rewards(drawn, reward, items).to(places.device)  # (N, K) or (N, K + 1)
    if baseline == "greedy":
        rewards, base = rewards[:, :-1], rewards[:, -1:]
    else:
        base = (rewards.sum(dim=1, keepdim=True) - rewards) / (count - 1)
    loss = -((rewards - base).flatten() * likelihoods).sum()
    return SelfCritical(loss, lengths.sum(), float(rewards.mean()))


@contextmanager
def _without_dropout(network: TokenWriter) -> Iterator[None]:
    """Let a network compute as in evaluation, but with gradients."""
    # cuDNN's own modules give gradients only in training: they stay in it.
    parts = [
        part for part in network.modules() if part.training and not isinstance(part, nn.RNNBase)
    ]
    for part in parts:
        part.training = False
    try:
        yield
    finally:
        for part in parts:
            part.training = True


def _drawn(
    network: TokenWriter,
    state: DecoderState,
    marks: Marks,
    places: Tensor,
    limits: Tensor | None,
) -> DrawnSequences:
    """Draw sequences for each of N items, those of an item side by side."""
    device = places.device.type
    low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    with torch.no_grad(), full_precision(places.device):
        stepper = TokenStepper(
            network.decoder, network.written_embedding, network.head, network.never_written, low
        )
        begun = repeat(stepper.begin(widen(state)), places.size(1))
        rows = places.flatten(0, 1)  # (N K, T)
        first = torch.full((len(rows),), marks.begin, device=rows.device)
        most = None if limits is None else limits.repeat_interleave(places.size(1))
        return draw_sequences(stepper, first, begun, rows, marks.end, most)


def _rewards(drawn: DrawnSequences, reward: Reward, items: int) -> Tensor:
    each = len(drawn.lengths) // items
    rows = zip(drawn.tokens.tolist(), drawn.lengths.tolist(), drawn.finished.tolist(), strict=True)
    scores = [
        reward(number // each, tokens[: length - ended], ended)
        for number, (tokens, length, ended) in enumerate(rows)
    ]
    return torch.tensor(scores, dtype=torch.float32).view(items, each)


def _likelihoods(
    network: TokenWriter,
    state: DecoderState,
    marks: Marks,
    drawn: DrawnSequences,
    each: int,
    count: int,
) -> tuple[Tensor, Tensor]:
    """Return the log-likelihood of the first `count` of each item's sequences, and its tokens."""
    items = len(drawn.lengths) // each
    tokens, lengths = (
        part.unflatten(0, (items, each))[:, :count].flatten(0, 1) for part in drawn[:2]
    )
    tokens = tokens[:, : int(lengths.max())]
    rows = torch.arange(items, device=tokens.device).repeat_interleave(count)
    inputs = torch.cat([tokens.new_full((len(tokens), 1), marks.begin), tokens[:, :-1]], dim=1)
    decoded = network.decode(inputs, select_items(state, rows), lengths)
    real = ~padding_mask(lengths, tokens.size(1))  # (N K, T)
    with full_precision(tokens.device):
        features = decoded.features[real].to(network.head.weight.dtype)
        scores = network.head(features) + network.never
        known = -F.cross_entropy(scores, tokens[real], reduction="none")
    spread = known.new_zeros(real.shape).masked_scatter(real, known)
    return spread.sum(dim=1), lengths
