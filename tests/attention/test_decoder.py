"""The attention decoder reads alike in one call, in chunks, by steps and with frozen weights."""

from functools import partial
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge import registry
from seqforge.attention import AttentionDecoder, Decoded, DecoderState, make_attention
from seqforge.encoders import GRU, LSTM, Encoder
from seqforge.state import (
    Fixed,
    State,
    from_plain,
    leaves,
    map_state,
    repeat,
    select,
    select_items,
    to_plain,
)
from tests.attention.sources import KINDS, attention, draw

ROWS, TIME, SOURCE = 3, 5, 4
EMBEDDED, WIDTH, FEATURES = 3, 4, 6
LENGTHS = torch.tensor([4, 1, 3])
EXACT: dict[str, Any] = {"rtol": 0, "atol": 1e-12}


class Kind(NamedTuple):
    """A way to set up a decoder."""

    encoder: str = "GRU"
    attention: str = "general"
    writer: bool = False
    feeding: bool = False
    gate: bool = False


ENCODERS = registry.load().names("seqforge.encoders")
WAYS = [
    *(Kind(name, writer=True) for name in ENCODERS),
    *(Kind(name, feeding=True) for name in ENCODERS),
    *(Kind(attention=kind) for kind in KINDS),
    Kind("LSTM", "additive", writer=True, feeding=True),
    Kind(gate=True),
    Kind("LSTM", "additive", writer=True, feeding=True, gate=True),
]
each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(map(str, way)))


def decoder(way: Kind, dropout: float = 0.0, locked: float = 0.0) -> AttentionDecoder:
    """Return a decoder with random weights in float64."""
    torch.manual_seed(2)
    cls = registry.load().find("seqforge.encoders", way.encoder)
    make = partial(cls, hidden_size=WIDTH)
    if locked:
        make = partial(make, num_layers=2, dropout=locked, dropout_kind="locked")
    made = AttentionDecoder(
        make(EMBEDDED + (FEATURES if way.feeding else 0)),
        make_attention(way.attention, WIDTH, WIDTH),
        FEATURES,
        writer=make(2 * WIDTH) if way.writer else None,
        input_feeding=way.feeding,
        dropout=dropout,
        gate=way.gate,
    ).double()
    for parameter in made.parameters():
        parameter.data.mul_(2.0)
    return made


def begun(made: AttentionDecoder, lengths: Tensor = LENGTHS) -> DecoderState:
    rows = len(lengths)
    memory = made.attention.remember(draw(rows, SOURCE, WIDTH, seed=5), lengths)
    return made.start(memory, draw(rows, WIDTH, seed=6))


def carried(state: DecoderState) -> tuple[State, ...]:
    """Return all of a state but its memory."""
    return (state.reader, state.writer, state.features)


def same(actual: object, expected: object) -> None:
    for one, other in zip(leaves(actual), leaves(expected), strict=True):
        torch.testing.assert_close(one, other, **EXACT)


def by_steps(made: AttentionDecoder, embedded: Tensor) -> Decoded:
    state, features, weights = begun(made), [], []
    for x in embedded.unbind(1):
        step, attended, state = made.step(x, state)
        features.append(step)
        weights.append(attended)
    return Decoded(torch.stack(features, 1), torch.stack(weights, 1), state)


@each_way
def test_one_call_is_steps_and_chunks(way: Kind) -> None:
    made, embedded = decoder(way), draw(ROWS, TIME, EMBEDDED).requires_grad_()
    whole = made(embedded, begun(made))
    first = made(embedded[:, :2], begun(made))
    second = made(embedded[:, 2:], first.state)
    chunks = Decoded(
        torch.cat([first.features, second.features], 1),
        torch.cat([first.weights, second.weights], 1),
        second.state,
    )

    names = [embedded, *made.parameters()]
    factors = draw(ROWS, TIME, FEATURES, seed=7)
    expected = torch.autograd.grad((whole.features * factors).sum(), names, allow_unused=True)
    for found in (by_steps(made, embedded), chunks):
        same(found, whole)
        gradients = torch.autograd.grad(
            (found.features * factors).sum(), names, allow_unused=True, retain_graph=True
        )
        for one, other in zip(gradients, expected, strict=True):
            assert (one is None) == (other is None)
            if one is not None and other is not None:
                torch.testing.assert_close(one, other, **EXACT)


@each_way
def test_the_stepper_steps_alike_and_drops_nothing(way: Kind) -> None:
    made, embedded = decoder(way, dropout=0.5).eval(), draw(ROWS, TIME, EMBEDDED)
    expected = made(embedded, begun(made))
    made.train()
    advance = made.stepper()
    state = advance.begin(begun(made))
    for t in range(TIME):
        features, weights, state = advance(embedded[:, t], state)
        assert not features.requires_grad
        torch.testing.assert_close(features, expected.features[:, t], **EXACT)
        torch.testing.assert_close(weights, expected.weights[:, t], **EXACT)
    same(carried(state), carried(expected.state))


@each_way
def test_a_rounded_stepper_is_near_and_keeps_its_state_wide(way: Kind) -> None:
    made, embedded = decoder(way).eval().float(), draw(ROWS, TIME, EMBEDDED).float()
    begin = begun(made.double())
    exact, rounded = made.stepper(), made.float().stepper(torch.bfloat16)
    wide, state = exact.begin(begin), rounded.begin(map_state(_single, begin))
    for t in range(TIME):
        expected, _, wide = exact(embedded[:, t].double(), wide)
        features, weights, state = rounded(embedded[:, t], state)
        assert features.dtype == torch.bfloat16
        assert weights.dtype == torch.float32
        assert all(leaf.dtype == torch.float32 for leaf in leaves(carried(state)))
        # Features are at most 1, and weights here up to some 2: a few roundings of 2 ** -9.
        torch.testing.assert_close(features.double(), expected, rtol=0, atol=0.1)
        assert not torch.equal(features.double(), expected)
    assert all(parameter.dtype == torch.float32 for parameter in made.parameters())


def _single(leaf: Tensor) -> Tensor:
    return leaf.float() if leaf.is_floating_point() else leaf


@each_way
def test_a_stepper_has_the_weights_of_its_time(way: Kind) -> None:
    made, x = decoder(way).eval(), draw(ROWS, EMBEDDED)
    advance = made.stepper()
    expected = advance(x, advance.begin(begun(made)))
    begin = begun(made)
    for parameter in made.parameters():
        parameter.data.zero_()
    same(advance(x, advance.begin(begin))[:2], expected[:2])


@pytest.mark.parametrize("way", [Kind("LSTM", writer=True), Kind("GRU", feeding=True)])
def test_locked_masks_are_those_of_the_whole_sequence(way: Kind) -> None:
    made, embedded = decoder(way, locked=0.4).train(), draw(ROWS, TIME, EMBEDDED)
    torch.manual_seed(3)
    whole = made(embedded, begun(made))
    torch.manual_seed(3)
    steps = by_steps(made, embedded)
    plain = made.eval()(embedded, begun(made))

    same(steps, whole)
    assert not torch.allclose(whole.features, plain.features)


@each_way
def test_a_state_survives_saving(way: Kind) -> None:
    made, embedded = decoder(way), draw(ROWS, TIME, EMBEDDED)
    state = made(embedded[:, :3], begun(made)).state
    restored = from_plain(to_plain(state), like=begun(made))

    assert isinstance(restored, DecoderState)
    assert isinstance(restored.memory, Fixed)
    same(made(embedded[:, 3:], restored), made(embedded[:, 3:], state))


@each_way
def test_the_last_state_is_that_of_each_rows_own_end(way: Kind) -> None:
    made, embedded = decoder(way), draw(ROWS, TIME, EMBEDDED)
    lengths = torch.tensor([2, 5, 3])
    found = made(embedded, begun(made), lengths)

    for row, length in enumerate(lengths.tolist()):
        alone = made(
            embedded[row : row + 1, :length], select_items(begun(made), torch.tensor([row]))
        )
        same(select_items(found.state, torch.tensor([row])), alone.state)
        torch.testing.assert_close(found.features[row, :length], alone.features[0], **EXACT)


@settings(max_examples=30, deadline=None)
@given(
    way=st.sampled_from(WAYS),
    lengths=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=3),
    extra=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    junk=st.floats(-50, 50),
)
def test_padding_changes_nothing(
    way: Kind, lengths: list[tuple[int, int]], extra: tuple[int, int], junk: float
) -> None:
    made, rows = decoder(way), len(lengths)
    sources, targets = (torch.tensor(each) for each in zip(*lengths, strict=True))
    found = []
    for more_source, more_target in ((0, 0), extra):
        values = torch.full((rows, int(sources.max()) + more_source, WIDTH), junk).double()
        embedded = torch.full((rows, int(targets.max()) + more_target, EMBEDDED), junk).double()
        for row, (source, target) in enumerate(lengths):
            values[row, :source] = draw(source, WIDTH, seed=row)
            embedded[row, :target] = draw(target, EMBEDDED, seed=10 + row)
        memory = made.attention.remember(values, sources)
        result = made(embedded, made.start(memory, draw(rows, WIDTH, seed=6)), targets)
        real = torch.arange(embedded.size(1)) < targets[:, None]
        features = result.features[real]
        total = features.square().sum() + sum(
            leaf.square().sum() for leaf in leaves(carried(result.state))
        )
        gradients = torch.autograd.grad(total, list(made.parameters()), allow_unused=True)
        kept = tuple(each for each in gradients if each is not None)
        found.append((features, carried(result.state), kept))
    for plain, padded in zip(*found, strict=True):
        for one, other in zip(leaves(padded), leaves(plain), strict=True):
            scale = max(1.0, float(other.detach().abs().max()))
            torch.testing.assert_close(one, other, rtol=0, atol=1e-12 * scale)


# -- beams -------------------------------------------------------------------------------------


@each_way
def test_beams_of_an_item_are_rows_by_themselves(way: Kind) -> None:
    made, tokens = decoder(way), draw(2 * ROWS, EMBEDDED)
    items = torch.arange(ROWS).repeat_interleave(2)
    beams = made.step(tokens, repeat(begun(made), 2))
    rows = made.step(tokens, select_items(begun(made), items))

    assert beams[2].memory.value.values.size(0) == ROWS
    same(beams[:2], rows[:2])
    same(carried(beams[2]), carried(rows[2]))


@each_way
def test_reordering_leaves_the_memory_alone_and_takes_all_else_along(way: Kind) -> None:
    made = decoder(way)
    state = made.step(draw(2 * ROWS, EMBEDDED), repeat(begun(made), 2))[2]
    order = torch.tensor([1, 1, 2, 3, 5, 4])  # each within its item
    moved = select(state, order)

    assert moved.memory.value is state.memory.value
    for one, other in zip(leaves(carried(moved)), leaves(carried(state)), strict=True):
        assert torch.equal(one, other[order])
    tokens = draw(2 * ROWS, EMBEDDED, seed=9)
    features, weights, _ = made.step(tokens, moved)
    for row, origin in enumerate(order.tolist()):
        alone = made.step(tokens[row : row + 1].expand(2 * ROWS, -1), state)
        torch.testing.assert_close(features[row], alone[0][origin], **EXACT)
        torch.testing.assert_close(weights[row], alone[1][origin], **EXACT)


# -- against the equations -----------------------------------------------------------------------


def test_the_start_is_a_map_of_its_own_for_each_leaf() -> None:
    """Asymmetric weights: that layers or hidden and cell are mixed up would show."""
    torch.manual_seed(0)
    reader = LSTM(EMBEDDED, hidden_size=WIDTH, num_layers=2)
    made = AttentionDecoder(
        reader,
        make_attention("general", WIDTH, WIDTH),
        FEATURES,
        writer=GRU(2 * WIDTH, hidden_size=3),
    ).double()
    context = draw(ROWS, WIDTH, seed=6)
    state = begun(made)
    read, written = leaves(state.reader), leaves(state.writer)

    assert [leaf.shape[1] for leaf in read] == [WIDTH] * 4
    assert [leaf.shape[1] for leaf in written] == [3]
    assert made.writer_bridge is not None
    maps = [*made.reader_bridge.maps, *made.writer_bridge.maps]
    for linear, leaf in zip(maps, [*read, *written], strict=True):
        assert isinstance(linear, torch.nn.Linear)
        expected = torch.tanh(context @ linear.weight.T + linear.bias)
        torch.testing.assert_close(leaf, expected, **EXACT)


def test_features_are_those_of_luong() -> None:
    made, embedded = decoder(Kind("LSTM", "dot")), draw(ROWS, TIME, EMBEDDED)
    found = made(embedded, begun(made))
    state, values = begun(made), draw(ROWS, SOURCE, WIDTH, seed=5)
    outputs, _ = made.reader(embedded, state.reader)
    for row, length in enumerate(LENGTHS.tolist()):
        for t in range(TIME):
            query = outputs[row, t]
            weights = torch.stack([query @ values[row, s] for s in range(length)]).softmax(0)
            context = sum(weights[s] * values[row, s] for s in range(length))
            joined = torch.cat([query, torch.as_tensor(context)])
            expected = torch.tanh(made.combine.weight @ joined + made.combine.bias)
            torch.testing.assert_close(found.features[row, t], expected, **EXACT)
            torch.testing.assert_close(found.weights[row, t, :length], weights, **EXACT)


@pytest.mark.parametrize("encoder", [GRU, LSTM])
def test_input_feeding_reads_the_features_of_the_step_before(encoder: type[Encoder]) -> None:
    made, embedded = decoder(Kind(encoder.__name__, feeding=True)), draw(ROWS, TIME, EMBEDDED)
    found = made(embedded, begun(made))
    reader, memory = begun(made).reader, begun(made).memory.value
    fed = torch.zeros(ROWS, FEATURES, dtype=torch.float64)
    for t in range(TIME):
        outputs, reader = made.reader(
            torch.cat([embedded[:, t], fed], 1)[:, None], reader, torch.ones(ROWS).long()
        )
        attended = made.attention(outputs, memory)
        fed = torch.tanh(made.combine(torch.cat([outputs, attended.context], 2)))[:, 0]
        torch.testing.assert_close(found.features[:, t], fed, **EXACT)
    assert found.state.features is not None
    torch.testing.assert_close(found.state.features, fed, **EXACT)


def test_unrolling_chooses_from_the_step_before() -> None:
    made, embedded = decoder(Kind(writer=True)), draw(ROWS, TIME, EMBEDDED)
    seen: list[tuple[int, Tensor]] = []

    def choose(features: Tensor, t: int) -> Tensor:
        seen.append((t, features))
        return embedded[:, t]

    found = made.unroll(embedded, begun(made), choose)

    same(found, made(embedded, begun(made)))
    assert [t for t, _ in seen] == [1, 2, 3, 4]
    for t, features in seen:
        torch.testing.assert_close(features, found.features[:, t - 1], **EXACT)


# -- precision and sizes ------------------------------------------------------------------------


@pytest.mark.parametrize("way", [Kind(writer=True), Kind("LSTM", feeding=True)])
def test_states_stay_in_single_precision_under_autocast(way: Kind) -> None:
    made, embedded = decoder(way).float(), draw(ROWS, TIME, EMBEDDED).float()
    values, context = draw(ROWS, SOURCE, WIDTH).float(), draw(ROWS, WIDTH).float()
    with torch.autocast("cpu", torch.bfloat16):
        state = made.start(made.attention.remember(values, LENGTHS), context)
        found = made(embedded, state)
        _, weights, stepped = made.step(embedded[:, 0], found.state)

    rows = [state, found.state, stepped]
    dtypes = {leaf.dtype for each in rows for leaf in leaves(carried(each))}
    assert dtypes == {torch.float32}
    assert weights.dtype == found.weights.dtype == torch.float32


def test_the_context_may_have_a_size_of_its_own() -> None:
    made = AttentionDecoder(
        GRU(EMBEDDED, hidden_size=WIDTH), attention("general"), FEATURES, context_size=7
    ).double()
    memory = made.attention.remember(draw(ROWS, SOURCE, WIDTH), LENGTHS)

    assert made.start(memory, draw(ROWS, 7)).features is None
    assert made(draw(ROWS, TIME, EMBEDDED), made.start(memory, draw(ROWS, 7))).features.shape == (
        ROWS,
        TIME,
        FEATURES,
    )


def test_dropout_falls_on_features_in_training_only() -> None:
    made, embedded = decoder(Kind(), dropout=0.5), draw(ROWS, TIME, EMBEDDED)
    dropped = made.train()(embedded, begun(made)).features
    kept = made.eval()(embedded, begun(made)).features

    assert 0.2 < (dropped == 0).double().mean() < 0.8
    assert (kept != 0).all()
    torch.testing.assert_close(dropped[dropped != 0], 2 * kept[dropped != 0], **EXACT)
