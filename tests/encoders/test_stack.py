import copy
import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge.encoders import GRU, LSTM, RNN, Encoder, EncoderError, padded
from seqforge.encoders.cell import Weights, contiguous
from seqforge.encoders.layer import Layer
from seqforge.encoders.padded import WAYS, run_packed, way_for
from seqforge.encoders.stack import Stack
from seqforge.layers.masking import padding_mask
from seqforge.state import Noise, detach, leaves
from seqforge.testing.encoder_contract import CHECKS

KINDS: dict[str, Callable[..., Stack]] = {
    "RNN": RNN,
    "relu": functools.partial(RNN, nonlinearity="relu"),
    "LSTM": LSTM,
    "GRU": GRU,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "deep": {"num_layers": 2, "dropout": 0.3},
    "everything": {
        "num_layers": 3,
        "dropout": 0.3,
        "dropout_kind": "locked",
        "layer_norm": True,
        "residual": True,
        "weight_drop": 0.3,
    },
    "no bias": {"bias": False, "weight_drop": 0.2},
    "both ways": {"bidirectional": True},
    "both ways, everything": {
        "bidirectional": True,
        "num_layers": 2,
        "dropout": 0.3,
        "dropout_kind": "locked",
        "layer_norm": True,
        "residual": True,
        "weight_drop": 0.3,
    },
}
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@each_kind
def test_contract(
    kind: Callable[..., Encoder],
    options: dict[str, Any],
    check: Callable[[Callable[[int], Encoder]], None],
) -> None:
    check(functools.partial(kind, hidden_size=5, **options))


@pytest.mark.parametrize("encoder", [RNN, LSTM, GRU])
def test_every_argument_is_an_attribute(encoder: Callable[..., Stack]) -> None:
    built = encoder(3, 4)
    for name, parameter in inspect.signature(encoder).parameters.items():
        expected = {"input_size": 3, "hidden_size": 4}.get(name, parameter.default)
        assert getattr(built, name) == expected
        assert parameter.kind is not inspect.Parameter.VAR_KEYWORD


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_size": 0}, "input_size must be at least 1, got 0"),
        ({"hidden_size": -2}, "hidden_size must be at least 1, got -2"),
        ({"num_layers": 0}, "num_layers must be at least 1, got 0"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, got 1.0"),
        ({"weight_drop": -0.1}, "weight_drop must be at least 0 and below 1, got -0.1"),
        ({"dropout_kind": "lokced"}, "dropout_kind is 'lokced'\n.*locked, plain"),
    ],
)
@each_kind
def test_impossible_options_are_refused(
    kind: Callable[..., Stack], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(EncoderError, match=message) as caught:
        kind(**{"input_size": 3, "hidden_size": 4} | options)
    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value).splitlines()) <= 3


# Padding


def first_layer(encoder: Stack) -> Layer:
    layer = encoder.layers[0]
    assert isinstance(layer, Layer)
    return layer


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    ("kind", "way"),
    [(LSTM, "hold"), (GRU, "hold"), (GRU, "gather"), (RNN, "gather")],
)
@pytest.mark.parametrize("tiles", [False, True])
def test_the_ways_through_padding_equal_packed(
    kind: Callable[..., Stack],
    way: str,
    bidirectional: bool,
    tiles: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(padded, "_in_tiles", lambda x: tiles)
    torch.manual_seed(0)
    layer = first_layer(kind(3, 4, bidirectional=bidirectional).double())
    lengths = torch.tensor([2, 6, 0, 6, 5])
    x = torch.randn(5, 6, 3, dtype=torch.float64, requires_grad=True)
    zeros = torch.zeros(5, 4, dtype=torch.float64)
    # A backward direction starts from zeros
    begin = zeros if bidirectional else torch.randn(5, 4, dtype=torch.float64)
    state = layer.cell.state_type(*[begin] * len(layer.cell.state_type._fields))
    padding = padding_mask(lengths, 6).unsqueeze(2)
    found = []
    for run in (WAYS[way], run_packed):
        states = [state] * layer.directions
        outputs, last = run(layer.cell, x, states, layer.weights(None), lengths)
        outputs = outputs.masked_fill(padding, 0.0)
        results = [outputs, *leaves(last)]
        total = sum((result**2).sum() for result in results)
        assert isinstance(total, Tensor)
        gradients = torch.autograd.grad(total, [x, *layer.rnn.parameters()])
        found.append([*results, *gradients])
    for actual, expected in zip(*found, strict=True):
        assert float((actual - expected).detach().abs().max()) < 1e-12


def test_cudnn_and_unbounded_cells_go_packed() -> None:
    x = torch.ones(1)
    assert way_for(first_layer(RNN(3, 4, nonlinearity="relu")).cell, x) is run_packed
    assert way_for(first_layer(RNN(3, 4)).cell, x) is WAYS["gather"]
    assert way_for(first_layer(LSTM(3, 4)).cell, x) is WAYS["hold"]


def test_an_exploding_relu_at_padding_changes_nothing() -> None:
    encoder = RNN(2, 3, nonlinearity="relu")
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.fill_(100.0)
    x = torch.ones(2, 60, 2)
    outputs, _ = encoder(x, None, torch.tensor([2, 3]))
    outputs.sum().backward()
    assert all(bool(torch.as_tensor(p.grad).isfinite().all()) for p in encoder.parameters())


@settings(deadline=None, max_examples=25)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    bidirectional=st.booleans(),
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=4),
    garbage=st.floats(allow_nan=True, allow_infinity=True),
)
def test_padding_changes_nothing(
    kind: str, bidirectional: bool, lengths: list[int], garbage: float
) -> None:
    torch.manual_seed(0)
    encoder = KINDS[kind](3, 4, bidirectional=bidirectional, num_layers=2).double()
    x = torch.randn(len(lengths), 6, 3, dtype=torch.float64)
    for row, length in enumerate(lengths):
        x[row, length:] = garbage
    outputs, state = encoder(x, None, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        assert not outputs[row, length:].any()
        if length == 0:
            assert not any(leaf[row].any() for leaf in leaves(state))
            continue
        alone, alone_state = encoder(x[row : row + 1, :length])
        assert float((outputs[row, :length] - alone[0]).detach().abs().max()) < 1e-12
        for leaf, expected in zip(leaves(state), leaves(alone_state), strict=True):
            assert float((leaf[row] - expected[0]).detach().abs().max()) < 1e-12


@settings(deadline=None, max_examples=25)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    cuts=st.lists(st.integers(1, 7), max_size=4),
    options=st.fixed_dictionaries(
        {
            "layer_norm": st.booleans(),
            "residual": st.booleans(),
            "weight_drop": st.sampled_from([0.0, 0.5]),
            "dropout": st.sampled_from([0.0, 0.5]),
        }
    ),
)
def test_any_chunks_are_the_sequence(kind: str, cuts: list[int], options: dict[str, Any]) -> None:
    encoder = KINDS[kind](3, 4, num_layers=2, dropout_kind="locked", **options).double().train()
    x = torch.randn(2, 8, 3, dtype=torch.float64)
    torch.manual_seed(0)
    expected, _ = encoder(x)
    torch.manual_seed(0)
    state, parts = None, []
    for chunk in x.tensor_split(sorted(set(cuts)), dim=1):
        part, state = encoder(chunk, state)
        parts.append(part)
    assert float((torch.cat(parts, dim=1) - expected).detach().abs().max()) < 1e-10


# A carried state and padding together


@each_kind
def test_empty_rows_keep_the_state_they_came_with(kind: Callable[..., Stack]) -> None:
    encoder = kind(3, 4, num_layers=2)
    _, state = encoder(torch.randn(2, 5, 3))
    _, after = encoder(torch.randn(2, 5, 3), state, torch.tensor([0, 5]))
    for leaf, before in zip(leaves(after), leaves(state), strict=True):
        assert leaf[0].equal(before[0])
        assert not leaf[1].equal(before[1])


# Dropout


@pytest.mark.parametrize("dropout_kind", ["plain", "locked"])
@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])  # a relu's zeros would be taken for dropped
def test_dropout_reaches_the_output_of_a_single_layer(
    kind: Callable[..., Stack], dropout_kind: str
) -> None:
    encoder = kind(3, 40, dropout=0.5, dropout_kind=dropout_kind)
    x = torch.randn(2, 5, 3)
    dropped, _ = encoder.train()(x)
    whole, _ = encoder.eval()(x)
    zero = dropped == 0
    assert 0.3 < float(zero.double().mean()) < 0.8
    torch.testing.assert_close(dropped[~zero], 2 * whole[~zero])
    same_at_all_steps = bool((zero == zero[:, :1]).all())
    assert same_at_all_steps == (dropout_kind == "locked")
    assert not zero[0].equal(zero[1])


@each_kind
def test_eval_draws_nothing_and_training_repeats_under_a_seed(kind: Callable[..., Stack]) -> None:
    encoder = kind(3, 6, num_layers=2, dropout=0.5, weight_drop=0.5)
    x = torch.randn(2, 5, 3)
    found = []
    for _ in range(2):
        torch.manual_seed(5)
        found.append(encoder.train()(x)[0])
    assert found[0].equal(found[1])
    before = torch.get_rng_state()
    assert encoder.eval()(x)[0].equal(encoder(x)[0])
    assert torch.get_rng_state().equal(before)


@each_kind
def test_masks_live_in_the_state_until_it_is_detached(kind: Callable[..., Stack]) -> None:
    encoder = kind(3, 6, num_layers=2, dropout=0.5, dropout_kind="locked", weight_drop=0.5).train()
    _, state = encoder(torch.randn(2, 5, 3))
    assert [mask.output.shape for mask in state.noise.value] == [(2, 6), (2, 6)]
    _, after = encoder(torch.randn(2, 5, 3), state)
    assert after.noise is state.noise
    _, fresh = encoder(torch.randn(2, 5, 3), detach(state))
    assert not fresh.noise.value[0].output.equal(state.noise.value[0].output)
    _, quiet = encoder.eval()(torch.randn(2, 5, 3))
    assert quiet.noise == Noise(None)


@each_kind
def test_drawn_noise_is_ignored_in_eval(kind: Callable[..., Stack]) -> None:
    encoder = kind(3, 6, dropout=0.5, dropout_kind="locked", weight_drop=0.5)
    x = torch.randn(2, 5, 3)
    _, state = encoder.train()(x)
    quiet = state._replace(noise=Noise(None))
    assert encoder.eval()(x, state)[0].equal(encoder(x, quiet)[0])


@each_kind
def test_weight_drop_drops_recurrent_weights_without_a_word(kind: Callable[..., Stack]) -> None:
    encoder = kind(3, 40, weight_drop=0.5).train()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outputs, state = encoder(torch.randn(2, 5, 3))
    outputs.sum().backward()
    (mask,) = state.noise.value[0].recurrent.value
    gradient = torch.as_tensor(first_layer(encoder).rnn.weight_hh_l0.grad)
    assert mask.shape == gradient.shape
    assert not gradient[mask == 0].any()
    assert 0.4 < float((mask == 0).double().mean()) < 0.6


@pytest.mark.parametrize("biased", [True, False])
def test_altered_weights_lie_in_one_piece_in_cudnns_order(biased: bool) -> None:
    def draw() -> Weights:
        bias = [torch.randn(8), torch.randn(8)] if biased else [None, None]
        return Weights(torch.randn(8, 3), torch.randn(8, 2, requires_grad=True), *bias)

    both = (draw(), draw())
    laid = contiguous(both)
    offset, order = 0, [m for w in laid for m in w[:2]] + [b for w in laid for b in w[2:]]
    for view in order:
        if view is not None:
            assert view.storage_offset() == offset
            assert view.is_contiguous()
            offset += view.numel()
    for before, after in zip(both, laid, strict=True):
        for a, b in zip(before, after, strict=True):
            assert (a is None and b is None) or (a is not None and b is not None and a.equal(b))
    laid[1].weight_hh.sum().backward()
    assert both[1].weight_hh.grad is not None


# Layer norm and residuals


@each_kind
def test_order_in_a_layer_is_call_norm_residual(kind: Callable[..., Stack]) -> None:
    encoder = kind(4, 4, num_layers=2, layer_norm=True, residual=True)
    x = torch.randn(2, 5, 4)
    expected = x
    for layer in encoder.layers:
        assert isinstance(layer, Layer)
        assert layer.norm is not None
        expected = layer.norm(layer.rnn(expected)[0]) + expected
    torch.testing.assert_close(encoder(x)[0], expected)


def test_residuals_skip_where_sizes_differ() -> None:
    encoder = GRU(3, 4, num_layers=2, residual=True)
    assert [layer.residual for layer in encoder.layers] == [False, True]


# Initialisation


@each_kind
def test_recurrent_weights_start_orthogonal_by_gate(kind: Callable[..., Stack]) -> None:
    layer = first_layer(kind(3, 4, bidirectional=True))
    for direction in layer.weights(None):
        for gate in direction.weight_hh.chunk(layer.cell.gates):
            torch.testing.assert_close(gate @ gate.T, torch.eye(4))
        bound = (6 / (3 + 4)) ** 0.5
        assert float(direction.weight_ih.detach().abs().max()) <= bound


@each_kind
def test_orthogonal_can_be_left_out(kind: Callable[..., Stack]) -> None:
    layer = first_layer(kind(3, 4, orthogonal=False))
    gate = layer.weights(None)[0].weight_hh[:4]
    assert not torch.allclose(gate @ gate.T, torch.eye(4))


# Precision


@pytest.mark.parametrize("lengths", [None, torch.tensor([5, 2])])
@each_kind
def test_bfloat16_weights_still_carry_a_float32_state(
    kind: Callable[..., Stack], lengths: Tensor | None
) -> None:
    encoder = kind(3, 4, num_layers=2).bfloat16()
    x = torch.randn(2, 5, 3).bfloat16()
    _, state = encoder(x, None, lengths)
    _, state = encoder.step(x[:, 0], state)
    _, state = encoder.stepper()(x[:, 0], state)
    assert {leaf.dtype for leaf in leaves(state)} == {torch.float32}


def test_a_copy_is_independent() -> None:
    encoder = LSTM(3, 4)
    twin = copy.deepcopy(encoder)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.zero_()
    assert twin(torch.randn(1, 2, 3))[0].any()
