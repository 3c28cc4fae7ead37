"""Self-critical training: the gradient is that of the expected reward."""

from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seqforge.attention import (
    AttentionDecoder,
    Decoded,
    DecoderState,
    DotAttention,
    Marks,
    never_mask,
    self_critical,
)
from seqforge.encoders import GRU
from seqforge.layers import Head

BEGIN, END, WORDS, WIDTH, LONGEST = 0, 1, 4, 5, 3
MARKS = Marks(BEGIN, END)


class Writer(nn.Module):
    """Writes two words and an end mark, about sources of three places."""

    never: Tensor

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.dropout = nn.Dropout(dropout)
        attention = DotAttention(WIDTH, WIDTH)
        self.decoder = AttentionDecoder(
            GRU(WIDTH, hidden_size=WIDTH, dropout=dropout), attention, WIDTH, dropout=dropout
        )
        self.head = Head(WIDTH, WORDS)
        self.never_written: tuple[int, ...] = (BEGIN,)
        self.never = never_mask(self.never_written, self.head.bias.detach())
        self.double()
        self.never = self.never.double()

    @property
    def written_embedding(self) -> nn.Embedding:
        return self.embedding

    def decode(self, inputs: Tensor, state: DecoderState, lengths: Tensor) -> Decoded:
        decoded: Decoded = self.decoder(self.dropout(self.embedding(inputs)), state, lengths)
        return decoded

    def start(self, source: Tensor) -> DecoderState:
        source = self.dropout(source)
        return self.decoder.start(self.decoder.attention.remember(source), source.mean(1))

    def log_probability(self, source: Tensor, tokens: Sequence[int]) -> Tensor:
        """Of tokens for one source, step by step."""
        state, last = self.start(source), BEGIN
        total = source.new_zeros(())
        for token in tokens:
            features, _, state = self.decoder.step(self.embedding(torch.tensor([last])), state)
            scores = self.head(features)[0] + self.never
            total = total + scores[token] - scores.logsumexp(0)
            last = token
        return total


def sequences() -> list[tuple[int, ...]]:
    """Return all that can be written in at most three tokens."""
    words = [2, 3]
    ended = [(*head, END) for n in range(LONGEST) for head in product(words, repeat=n)]
    return [*ended, *product(words, repeat=LONGEST)]


def reward(item: int, tokens: Sequence[int], ended: bool) -> float:
    return (1.0 + item) * tokens.count(2) - 0.7 * tokens.count(3) + 0.9 * ended


def gradients(network: Writer, value: Tensor) -> Tensor:
    found = torch.autograd.grad(value, list(network.parameters()), allow_unused=True)
    return torch.cat([each.flatten() for each in found if each is not None])


@pytest.mark.parametrize("baseline", ["others", "greedy"])
def test_the_gradient_is_that_of_the_expected_reward(baseline: Any) -> None:
    network, source = Writer(), torch.randn(2, 3, WIDTH, dtype=torch.double)
    expected = sum(
        network.log_probability(source[item : item + 1], each).exp()
        * reward(item, [t for t in each if t != END], each[-1] == END)
        for item in range(2)
        for each in sequences()
    )
    assert isinstance(expected, Tensor)
    true = gradients(network, expected)
    count = 4_000
    places = torch.rand(2, count, LONGEST, generator=torch.Generator().manual_seed(1))
    found = self_critical(network, lambda: network.start(source), MARKS, places, reward, baseline)
    drawn = -gradients(network, found.loss) / count
    assert torch.dot(drawn, true) / (drawn.norm() * true.norm()) > 0.99
    assert drawn.norm() == pytest.approx(true.norm().item(), rel=0.1)
    assert found.reward == pytest.approx(expected.item() / 2, abs=0.05)


def test_the_loss_is_written_out() -> None:
    network, source = Writer(), torch.randn(1, 3, WIDTH, dtype=torch.double)
    places = torch.rand(1, 3, LONGEST, generator=torch.Generator().manual_seed(7))
    seen: list[tuple[Sequence[int], bool]] = []

    def noted(item: int, tokens: Sequence[int], ended: bool) -> float:
        seen.append((tokens, ended))
        return reward(item, tokens, ended)

    found = self_critical(network, lambda: network.start(source), MARKS, places, noted)
    rewards = [reward(0, *each) for each in seen]
    expected = 0.0
    for n, (tokens, ended) in enumerate(seen):
        others = (sum(rewards) - rewards[n]) / 2
        written = network.log_probability(source, [*tokens, *[END] * ended])
        expected -= (rewards[n] - others) * written.item()
    assert len(seen) == 3
    assert found.loss.item() == pytest.approx(expected, rel=1e-6)
    assert int(found.tokens) == sum(len(tokens) + ended for tokens, ended in seen)
    assert found.reward == pytest.approx(sum(rewards) / 3, rel=1e-6)


def test_with_the_greedy_baseline_one_sequence_is_enough() -> None:
    network, source = Writer(), torch.randn(1, 3, WIDTH, dtype=torch.double)
    seen: list[tuple[Sequence[int], bool]] = []

    def noted(item: int, tokens: Sequence[int], ended: bool) -> float:
        seen.append((tokens, ended))
        return float(len(seen))

    places = torch.full((1, 1, LONGEST), 0.999)
    found = self_critical(network, lambda: network.start(source), MARKS, places, noted, "greedy")
    written = network.log_probability(source, [*seen[0][0], *[END] * seen[0][1]])
    # The drawn one is scored first: its reward is 1, that of the greedy one 2.
    assert found.loss.item() == pytest.approx(written.item(), rel=1e-6)
    assert found.reward == 1.0


def test_one_sequence_alone_is_refused() -> None:
    network, source = Writer(), torch.randn(1, 3, WIDTH, dtype=torch.double)
    with pytest.raises(ValueError, match="no others"):
        self_critical(network, lambda: network.start(source), MARKS, torch.rand(1, 1, 3), reward)


def test_an_item_does_not_change_with_its_neighbours() -> None:
    network, source = Writer(), torch.randn(3, 3, WIDTH, dtype=torch.double)
    places = torch.rand(3, 4, LONGEST, generator=torch.Generator().manual_seed(2))
    together = self_critical(
        network, lambda: network.start(source), MARKS, places, lambda *_: 1.0 * _[0]
    )
    assert together.loss.item() == pytest.approx(0.0, abs=1e-9)  # the same reward for an item's own
    whole = self_critical(
        network,
        lambda: network.start(source),
        MARKS,
        places,
        lambda _, tokens, __: float(len(tokens)),
    )
    alone = [
        self_critical(
            network,
            partial(network.start, source[n : n + 1]),
            MARKS,
            places[n : n + 1],
            lambda _, tokens, __: float(len(tokens)),
        )
        for n in range(3)
    ]
    assert whole.loss.item() == pytest.approx(sum(each.loss.item() for each in alone), rel=1e-6)
    assert int(whole.tokens) == sum(int(each.tokens) for each in alone)


def test_there_is_no_dropout_in_draws_nor_in_likelihoods() -> None:
    source = torch.randn(2, 3, WIDTH, dtype=torch.double)
    places = torch.rand(2, 4, LONGEST, generator=torch.Generator().manual_seed(2))
    plain, dropping = Writer(), Writer(dropout=0.5)
    dropping.load_state_dict(plain.state_dict())
    found, same = (
        self_critical(each, partial(each.start, source), MARKS, places, reward)
        for each in (plain, dropping.train())
    )
    assert same.loss.item() == pytest.approx(found.loss.item(), rel=1e-9)
    assert torch.equal(gradients(dropping, same.loss), gradients(plain, found.loss))
    # Whatever comes next is trained as before.
    assert all(part.training for part in dropping.modules())
    with pytest.raises(ZeroDivisionError):
        self_critical(dropping, lambda: 1 / 0, MARKS, places, reward)  # type: ignore[arg-type, return-value]
    assert all(part.training for part in dropping.modules())
    dropping.eval()
    self_critical(dropping, partial(dropping.start, source), MARKS, places, reward)
    assert not any(part.training for part in dropping.modules())


def test_likelihoods_are_of_full_precision_under_autocast() -> None:
    network = Writer().float()
    network.never = network.never.float()
    source = torch.randn(2, 3, WIDTH)
    places = torch.rand(2, 4, LONGEST, generator=torch.Generator().manual_seed(2))
    lengths: list[int] = []

    def noted(item: int, tokens: Sequence[int], ended: bool) -> float:
        lengths.append(len(tokens) + ended)
        return reward(item, tokens, ended)

    with torch.autocast("cpu", torch.bfloat16):
        found = self_critical(network, partial(network.start, source), MARKS, places, noted)
    assert found.loss.dtype == torch.float32
    assert int(found.tokens) == sum(lengths)
    assert torch.isfinite(gradients(network, found.loss)).all()


def test_each_item_has_a_limit_of_its_own() -> None:
    network, source = Writer(), torch.randn(2, 3, WIDTH, dtype=torch.double)
    places = torch.rand(2, 50, LONGEST, generator=torch.Generator().manual_seed(4))
    longest = [0, 0]

    def noted(item: int, tokens: Sequence[int], ended: bool) -> float:
        longest[item] = max(longest[item], len(tokens) + ended)
        return reward(item, tokens, ended)

    limits = torch.tensor([2, LONGEST])
    both = self_critical(
        network, partial(network.start, source), MARKS, places, noted, limits=limits
    )
    assert longest == [2, LONGEST]
    alone = [
        self_critical(
            network,
            partial(network.start, source[n : n + 1]),
            MARKS,
            places[n : n + 1, :, :most],
            lambda _, tokens, ended, n=n: reward(n, tokens, ended),  # type: ignore[misc]
        )
        for n, most in enumerate(limits.tolist())
    ]
    assert both.loss.item() == pytest.approx(sum(each.loss.item() for each in alone), rel=1e-9)
