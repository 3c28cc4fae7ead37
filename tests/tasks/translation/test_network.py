"""The encoder-decoder: what it reads, what it never writes, which weights it shares."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge.encoders import GRU, LSTM, RNN, Encoder
from seqforge.state import leaves
from seqforge_tasks.translation.network import EncoderDecoder, own_choices
from tests.tasks.translation.networks import FIRST, batch, sentences, task

EXACT: dict[str, Any] = {"rtol": 0, "atol": 1e-12}
SOURCES = sentences(4, seed=1)
TARGETS = sentences(4, seed=2)


def network(encoder: type[Encoder] = GRU, **options: Any) -> EncoderDecoder:
    return task(encoder, **options).network


# -- the source --------------------------------------------------------------------------------


@pytest.mark.parametrize("encoder", [RNN, GRU, LSTM])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_padding_does_not_reach_the_state(encoder: type[Encoder], bidirectional: bool) -> None:
    made = network(encoder, bidirectional=bidirectional)
    padded = batch(SOURCES, TARGETS, padding=3)
    padded.source[padded.source == 0] = FIRST  # what stands at padding does not matter
    together = made.encode(padded.source, padded.source_lengths)

    assert made.encoder.causal is not bidirectional
    for row in range(len(SOURCES)):
        alone = batch(SOURCES[row : row + 1], TARGETS[row : row + 1])
        state = made.encode(alone.source, alone.source_lengths)
        for one, other in zip(
            leaves((together.reader, together.writer)),
            leaves((state.reader, state.writer)),
            strict=True,
        ):
            torch.testing.assert_close(one[row], other[0], **EXACT)
        values = together.memory.value.values[row, : len(SOURCES[row]) + 1]
        torch.testing.assert_close(values, state.memory.value.values[0], **EXACT)


def test_the_decoder_starts_from_both_directions_ends() -> None:
    made = network(GRU)
    one = batch(SOURCES[:1], TARGETS[:1])
    outputs, _ = made.encoder(made.source_embedding(one.source))
    half = outputs.shape[2] // 2
    summary = torch.cat([outputs[:, -1, :half], outputs[:, 0, half:]], dim=1)
    (linear,) = made.decoder.reader_bridge.maps
    (begun,) = leaves(made.encode(one.source, one.source_lengths).reader)

    assert isinstance(linear, torch.nn.Linear)
    expected = torch.tanh(summary @ linear.weight.T + linear.bias)
    torch.testing.assert_close(begun, expected, **EXACT)


def test_the_first_words_of_a_source_reach_the_first_prediction() -> None:
    made, one = network(GRU), batch([[4, 5, 6, 7]], [[4]])
    other = batch([[8, 5, 6, 7]], [[4]])
    first, second = (
        made.decode(each.inputs, made.encode(each.source, each.source_lengths), each.lengths)
        for each in (one, other)
    )

    assert not torch.allclose(first.features[:, 0], second.features[:, 0])


# -- the target --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{}, {"writer": True}, {"input_feeding": True}, {"attention": "additive"}],
    ids=["plain", "writer", "feeding", "additive"],
)
def test_no_prediction_sees_its_own_target(options: dict[str, Any]) -> None:
    made, given_batch = network(**options), batch(SOURCES, [[4, 5, 6, 7]] * 4)
    state = made.encode(given_batch.source, given_batch.source_lengths)
    plain = made.decode(given_batch.inputs, state, given_batch.lengths).features
    for t in range(1, 5):
        changed = given_batch.inputs.clone()
        changed[:, t:] = 11
        found = made.decode(changed, state, given_batch.lengths).features
        torch.testing.assert_close(found[:, :t], plain[:, :t], **EXACT)
        assert not torch.allclose(found[:, t], plain[:, t])


def test_padding_and_begin_are_never_written() -> None:
    made = network()
    scores = made.logits(torch.randn(7, 5, dtype=torch.float64))

    assert scores.isfinite().all()
    assert (scores.softmax(1)[:, [0, 2]] == 0).all()
    assert (scores.softmax(1)[:, [1, 3, 4]] > 0).all()
    assert "never" not in made.state_dict()


# -- embeddings --------------------------------------------------------------------------------


def test_a_joint_vocabulary_has_one_tied_matrix() -> None:
    made = network()

    assert made.source_embedding.weight is made.target_embedding.weight
    assert made.head.weight is made.target_embedding.weight
    sizes = [tuple(each.shape) for each in made.parameters()]
    assert sizes.count((12, 5)) == 1


def test_separate_vocabularies_tie_the_targets_matrix_alone() -> None:
    made = network(target_words=("x", "y", "z"))

    assert made.source_embedding.weight.shape == (12, 5)
    assert made.target_embedding.weight.shape == (7, 5)
    assert made.head.weight is made.target_embedding.weight
    assert made.never.shape == (7,)


def test_untied_embeddings_share_nothing() -> None:
    made = network(tied_embeddings=False)

    sizes = [tuple(each.shape) for each in made.parameters()]
    assert sizes.count((12, 5)) == 3
    assert made.source_embedding.weight is not made.target_embedding.weight


# -- scheduled sampling ------------------------------------------------------------------------


@pytest.mark.parametrize("feeding", [False, True])
def test_nothing_sampled_is_teacher_forcing(feeding: bool) -> None:
    made, one = network(writer=True, input_feeding=feeding), batch(SOURCES, TARGETS)
    state = made.encode(one.source, one.source_lengths)
    own = torch.full(one.inputs.shape, torch.nan)
    found = made.decode_sampled(one.inputs, state, own).features
    expected = made.decode(one.inputs, state, one.lengths).features
    real = torch.arange(one.inputs.shape[1]) < one.lengths[:, None]

    torch.testing.assert_close(found[real], expected[real], **EXACT)


def _written_by_hand(made: EncoderDecoder, one: Tensor, places: Tensor, state: Any) -> Tensor:
    """Read the first token, then what the draws choose from the distribution before."""
    tokens, features = one[:, 0], []
    for t in range(one.shape[1]):
        found, _, state = made.decoder.step(made.target_embedding(tokens), state)
        features.append(found)
        chances = made.logits(found).softmax(1).tolist()
        if t + 1 < one.shape[1]:
            chosen = []
            for row, place in enumerate(places[:, t + 1].tolist()):
                mass, word = chances[row][0], 0
                while mass <= place:
                    word += 1
                    mass += chances[row][word]
                chosen.append(word)
            tokens = torch.tensor(chosen)
    return torch.stack(features, 1)


def test_with_all_words_sampled_the_network_reads_only_its_own() -> None:
    made, one = network(input_feeding=True), batch(SOURCES, [[4, 5, 6, 7, 8]] * 4)
    state = made.encode(one.source, one.source_lengths)
    own = own_choices(one.ids, 6, 1.0, seed=0, epoch=0)
    found = made.decode_sampled(one.inputs, state, own).features
    elsewhere = one.inputs.clone()
    elsewhere[:, 1:] = 11

    assert torch.equal(made.decode_sampled(elsewhere, state, own).features, found)
    torch.testing.assert_close(found, _written_by_hand(made, one.inputs, own, state), **EXACT)


def test_no_gradient_passes_through_the_choice() -> None:
    made, one = network(), batch([[4, 5]], [[6, 7]])
    own = own_choices(one.ids, 3, 1.0, seed=0, epoch=0)
    state = made.encode(one.source, one.source_lengths)
    made.decode_sampled(one.inputs, state, own).features[:, -1].sum().backward()

    assert made.head.bias.grad is None


@settings(max_examples=40, deadline=None)
@given(
    ids=st.lists(st.integers(0, 10**6), min_size=1, max_size=5, unique=True),
    time=st.integers(1, 9),
    extra=st.integers(0, 5),
    share=st.floats(0, 1),
    seed=st.integers(0, 99),
    epoch=st.integers(0, 99),
)
def test_draws_depend_on_seed_epoch_and_sample_alone(
    ids: list[int], time: int, extra: int, share: float, seed: int, epoch: int
) -> None:
    numbers = torch.tensor(ids)
    found = own_choices(numbers, time, share, seed, epoch)
    backwards = own_choices(numbers.flip(0), time + extra, share, seed, epoch)
    alone = own_choices(numbers[:1], time, share, seed, epoch)
    more = own_choices(numbers, time, (1 + share) / 2, seed, epoch)

    def same(one: Tensor, other: Tensor) -> bool:
        return torch.equal(one.nan_to_num(-1.0), other.nan_to_num(-1.0))

    assert same(backwards.flip(0)[:, :time], found)  # neither order nor a longer neighbour
    assert same(alone, found[:1])
    assert not (more.isnan() & ~found.isnan()).any()  # a larger share replaces the same and more
    assert ((found >= 0) & (found < 1) | found.isnan()).all()
    if share == 0:
        assert found.isnan().all()
    if share == 1:
        assert not found.isnan().any()


def test_draws_differ_between_epochs_seeds_and_samples() -> None:
    plain = own_choices(torch.tensor([5]), 50, 0.5, seed=1, epoch=1)
    others = [
        own_choices(torch.tensor([6]), 50, 0.5, seed=1, epoch=1),
        own_choices(torch.tensor([5]), 50, 0.5, seed=2, epoch=1),
        own_choices(torch.tensor([5]), 50, 0.5, seed=1, epoch=2),
    ]

    assert 0.2 < plain.isnan().double().mean() < 0.8
    for other in others:
        assert not torch.equal(plain.nan_to_num(-1.0), other.nan_to_num(-1.0))


def test_a_filler_has_draws_too() -> None:
    assert own_choices(torch.tensor([-1, -1]), 4, 1.0, seed=0, epoch=0).isfinite().all()
