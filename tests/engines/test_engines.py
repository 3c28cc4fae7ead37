"""Engines answer as the network does, for any encoder, batch and number of steps."""

import logging
import sys
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, get_args

import onnx
import pytest
import torch
from onnx_ir.passes import PassError
from torch import Tensor, nn

from seqforge.decoding import DrawingStep, Step, sample
from seqforge.decoding.choice import Choice
from seqforge.encoders import GRU, LSTM, RNN, Encoder
from seqforge.engines import (
    ENGINES,
    Engine,
    ExportedStep,
    engine_step,
    export_step,
    exporting,
    quantize,
    require_engine,
)
from seqforge.engines.leaf_names import leaf_names
from seqforge.errors import MissingExtra, UserError
from seqforge.state import Fixed, Noise, Shared, State, leaves, map_state, select_items

TOKENS, WIDTH = 11, 6


class CountingState(NamedTuple):
    """A state with a whole number, one value for all rows, and noise that is not drawn."""

    sums: Tensor
    steps: Tensor
    scale: Shared
    noise: Noise


class Plugin(Encoder):
    """Knows nothing but `start` and `step`."""

    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.input_size, self.output_size = input_size, 5
        self.map = nn.Linear(input_size + 5, 5)
        self.dropout = nn.Dropout(0.5)

    def start(self, batch_size: int) -> CountingState:
        steps = torch.zeros(batch_size, dtype=torch.int64)
        scale = Shared(torch.full((5,), 0.5))
        return CountingState(self.zeros(batch_size, 5), steps, scale, Noise(None))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, CountingState]:
        new = torch.tanh(self.map(torch.cat([x, state.sums], dim=1))) * state.scale.value
        new = self.dropout(new) / (1 + state.steps[:, None])
        return new, state._replace(sums=state.sums + new, steps=state.steps + 1)


class Network(nn.Module):
    """Embedding, encoder, head."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, WIDTH)
        self.encoder = encoder
        self.head = nn.Linear(encoder.output_size, TOKENS)

    def forward(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        outputs, state = self.encoder.step(self.embedding(tokens), state)
        return self.head(outputs).log_softmax(dim=-1), state


ENCODERS: dict[str, Callable[[int], Encoder]] = {
    "LSTM": partial(LSTM, hidden_size=WIDTH, num_layers=2, dropout=0.3),
    "GRU": partial(GRU, hidden_size=WIDTH, layer_norm=True, residual=True, num_layers=2),
    "RNN": partial(RNN, hidden_size=7, bias=False, residual=True, layer_norm=True),
    "plugin": Plugin,
}


class Made(NamedTuple):
    """A network, its graph, and an engine over it."""

    network: Network
    graph: bytes
    step: Step


def network(name: str) -> Network:
    torch.manual_seed(0)
    made = Network(ENCODERS[name](WIDTH))
    for parameter in made.parameters():
        parameter.data.mul_(2.0).add_(0.1)  # far from uniform, so that mistakes show
    return made.train()  # the engine's copy is not


@pytest.fixture(scope="module", params=ENCODERS)
def made(request: pytest.FixtureRequest) -> Made:
    own = network(request.param)
    graph = export_step(own, own.encoder.start(1))
    return Made(own, graph, ExportedStep(graph, own.encoder.start(1)))


@pytest.mark.parametrize("rows", [1, 3, 16])
@torch.no_grad()
def test_an_exported_step_is_the_networks(made: Made, rows: int) -> None:
    own = made.network.eval()
    expected_state = state = own.encoder.start(rows)
    for number in range(6):
        tokens = torch.arange(rows).add(number).remainder(TOKENS)
        expected, expected_state = own(tokens, expected_state)

        log_probs, state, trace = made.step(tokens, state)

        torch.testing.assert_close(log_probs, expected, rtol=0.0, atol=1e-5)
        assert type(state) is type(expected_state)
        for leaf, wanted in zip(leaves(state), leaves(expected_state), strict=True):
            torch.testing.assert_close(leaf, wanted, rtol=0.0, atol=1e-5)
        assert trace is None
        # Rows in another order and layout, as a beam search leaves them.
        order = torch.arange(rows).flip(0)
        expected_state, state = select_items(expected_state, order), select_items(state, order)


@pytest.mark.parametrize("rows", [1, 4])
@torch.no_grad()
def test_steps_taken_in_one_call_are_those_taken_one_by_one(made: Made, rows: int) -> None:
    first, state = torch.arange(rows), made.network.encoder.start(rows)
    assert isinstance(made.step, DrawingStep)
    assert made.step.num_tokens == TOKENS

    for temperature, steps in ((0.7, 9), (1e300, 1), (5e-324, 4)):
        seeds = range(rows)
        noise = Choice(1.0, 0, 1.0, seeds).noise(steps, TOKENS)
        drawn = made.step.draw(first, state, noise, temperature)

        one_by_one = Choice(temperature, 0, 1.0, seeds)
        tokens, before = first, state
        for number in range(steps):
            log_probs, before, _ = made.step(tokens, before)
            tokens = one_by_one.tokens(log_probs)
            assert torch.equal(drawn.tokens[number], tokens)
            scores = log_probs.gather(1, tokens[:, None]).squeeze(1)
            torch.testing.assert_close(drawn.log_probs[number], scores)
        torch.testing.assert_close(leaves(drawn.state), leaves(before))
        assert type(drawn.state) is type(before)
        state = drawn.state


def test_steps_in_one_call_are_prepared_where_they_are_taken(made: Made) -> None:
    first, state = torch.tensor([1]), made.network.encoder.start(1)
    step = ExportedStep(made.graph, state)

    assert len(list(sample(step, first, state, length=3, top_k=2))) == 3
    assert "_repeated" not in vars(step)
    assert len(list(sample(step, first, state, length=3))) == 3
    assert "_repeated" in vars(step)


def test_a_step_with_branches_is_repeated() -> None:
    class Branching(Plugin):
        def step(self, x: Tensor, state: State) -> tuple[Tensor, CountingState]:
            weight, bias = self.map.weight[:, :WIDTH], self.map.bias

            def linear(x: Tensor) -> Tensor:
                return x @ weight.t() + bias

            return (
                super().step(x, state)
                if not torch.compiler.is_exporting()
                else (
                    torch.cond(x.sum() > 0, linear, lambda x: linear(-x), (x,)),
                    state._replace(steps=state.steps + 1),
                )
            )

    own = Network(Branching(WIDTH)).eval()
    first, state = torch.tensor([1, 4]), own.encoder.start(2)
    step = engine_step("onnx", own, own.encoder.start(1))

    drawn = list(sample(step, first, state, length=5, seeds=[1, 2]))
    tokens, one_by_one = first, Choice(1.0, 0, 1.0, [1, 2])
    for each in drawn:
        log_probs, state, _ = step(tokens, state)
        tokens = one_by_one.tokens(log_probs)
        assert torch.equal(each.tokens, tokens)


@torch.no_grad()
def test_products_in_double_precision_stay_as_they_are() -> None:
    class Double(Plugin):
        def step(self, x: Tensor, state: State) -> tuple[Tensor, CountingState]:
            weight = self.map.weight[:, :WIDTH].double()
            return super().step(x + (x.double() @ weight.t()).float().sum(1, True), state)

    own = Network(Double(WIDTH)).eval()
    tokens, state = torch.tensor([1, 4]), own.encoder.start(2)
    step = engine_step("int8", own, own.encoder.start(1))

    expected, _ = own(tokens, state)
    torch.testing.assert_close(step(tokens, state).log_probs, expected, rtol=0.0, atol=0.1)


def test_a_graph_that_cannot_be_simplified_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(model: object) -> object:
        raise PassError("the rewriter gave up")

    monkeypatch.setattr(exporting, "merge_products", failing)
    own = network("RNN")
    with pytest.raises(UserError, match="cannot be simplified: the rewriter gave up") as caught:
        export_step(own, own.encoder.start(1))

    assert caught.value.where == "--engine"


@torch.no_grad()
def test_rows_of_a_batch_are_rounded_alone(made: Made) -> None:
    state = made.network.encoder.start(3)
    step = ExportedStep(quantize(made.graph), state)
    tokens = torch.tensor([2, 0, 7])
    _, state, _ = step(tokens, state)
    state = map_state(lambda leaf: leaf * 30 if leaf.dtype.is_floating_point else leaf, state)
    together = step(tokens, state).log_probs

    for row in range(3):
        chosen = torch.tensor([row])
        alone = step(tokens[chosen], select_items(state, chosen)).log_probs
        torch.testing.assert_close(together[chosen], alone, rtol=0.0, atol=1e-6)


def test_all_products_have_weights_of_8_bits(made: Made) -> None:
    before = onnx.load_model_from_string(made.graph).graph
    after = onnx.load_model_from_string(quantize(made.graph)).graph
    weights = [each for each in after.initializer if each.data_type == onnx.TensorProto.UINT8]
    kinds = [node.op_type for node in after.node]

    assert "MatMul" not in kinds
    assert kinds.count("MatMulNBits") == [node.op_type for node in before.node].count("MatMul") > 0
    assert len(weights) == kinds.count("MatMulNBits")


def test_a_library_that_sets_up_logging_for_all_is_kept_from_it(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(
        sys.modules, "onnxruntime.quantization.matmul_nbits_quantizer", raising=False
    )
    monkeypatch.setattr(logging.root, "handlers", [])
    level = logging.root.level

    quantize(made.graph)

    assert logging.root.handlers == []
    assert logging.root.level == level


@pytest.mark.parametrize(("name", "products"), [("LSTM", 3), ("GRU", 5), ("RNN", 2), ("plugin", 2)])
def test_a_step_has_few_products(name: str, products: int) -> None:
    own = network(name)
    nodes = onnx.load_model_from_string(export_step(own, own.encoder.start(1))).graph.node

    # Layer 1 looks its input up, unless it is added to the output, as in this GRU; layer 2 of an
    # LSTM reads both in one.
    assert [node.op_type for node in nodes].count("MatMul") == products
    assert "Gemm" not in [node.op_type for node in nodes]


def test_leaves_go_in_and_out_by_name(made: Made) -> None:
    graph = onnx.load_from_string(made.graph).graph
    state = made.network.encoder.start(1)

    assert [each.name for each in graph.input] == ["tokens", *leaf_names(state, "state")]
    assert [each.name for each in graph.output] == ["log_probs", *leaf_names(state, "next")]


def test_names_tell_the_place_in_the_state() -> None:
    leaf = torch.zeros(1)
    state = CountingState(leaf, leaf, Shared((leaf, None, leaf)), Noise(Fixed(leaf)))

    assert leaf_names(state, "state") == [
        "state.sums",
        "state.steps",
        "state.scale.value.0",
        "state.scale.value.2",
        "state.noise.value.value",
    ]


@torch.no_grad()
def test_an_engine_keeps_the_weights_that_it_was_made_with(made: Made) -> None:
    tokens, state = torch.tensor([1, 2]), made.network.encoder.start(2)
    before = made.step(tokens, state).log_probs
    old = made.network.head.weight.clone()
    made.network.head.weight.zero_()

    after = made.step(tokens, state).log_probs

    made.network.head.weight.copy_(old)
    assert torch.equal(before, after)


@torch.no_grad()
def test_eight_bits_are_near_and_a_quarter_as_large() -> None:
    torch.manual_seed(0)
    own = Network(LSTM(WIDTH, 128, num_layers=2)).double().eval()
    state = own.encoder.start(3)
    graph = export_step(own, own.encoder.start(1))
    small = quantize(graph)
    step, expected_state = ExportedStep(small, state), state

    for number in range(5):
        tokens = torch.tensor([0, 4, 8]) + number % 3
        expected, expected_state = own(tokens, expected_state)
        log_probs, state, _ = step(tokens, state)

    assert log_probs.dtype == torch.float32
    assert 0 < (log_probs - expected).abs().max() < 0.02
    assert len(small) < 0.35 * len(graph)


def test_a_network_that_branches_on_what_it_reads_is_refused() -> None:
    class Branching(Plugin):
        def step(self, x: Tensor, state: State) -> tuple[Tensor, CountingState]:
            return super().step(x if x.sum() > 0 else -x, state)

    own = Network(Branching(WIDTH))
    with pytest.raises(UserError, match="cannot be written as an ONNX graph") as caught:
        engine_step("onnx", own, own.encoder.start(1))

    assert caught.value.where == "--engine"
    assert "--engine torch" in caught.value.todo
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_what_is_not_installed_is_named_with_the_line_that_installs_it(
    package: str, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    state = made.network.encoder.start(1)
    exporting = partial(engine_step, "onnx", made.network, state)
    make = partial(ExportedStep, made.graph, state) if package == "onnxruntime" else exporting
    with pytest.raises(MissingExtra, match=f"'{package}', which this needs") as caught:
        make()

    assert caught.value.todo == 'pip install "seqforge-lightning[onnx]"'


def test_a_misspelt_engine_is_refused_with_the_closest_name() -> None:
    with pytest.raises(UserError, match="engine is 'onx'") as caught:
        require_engine("onx")

    assert caught.value.closest == "onnx"
    assert set(caught.value.accepted) == {"torch", "onnx", "int8"} == set(get_args(Engine))
    assert caught.value.where == "--engine"
    for name in ENGINES:
        require_engine(name)
