"""Merged products say what they said before, and there are fewer."""

from collections.abc import Callable

import onnx
import pytest
import torch
from torch import Tensor, nn

from seqforge.encoders.stack import TABLE_ROWS
from seqforge.engines.merging import merge_products
from seqforge.errors import require


class Sum(nn.Module):
    """`act(x W + b + h U + c)`, as in a cell."""

    def __init__(self, first: bool, second: bool) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(3, 5, bias=first), nn.Linear(4, 5, bias=second)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(self.h(h) + self.x(x))


class Looked(nn.Module):
    """An embedding, then a linear map."""

    def __init__(self, rows: int, bias: bool, twice: bool = False) -> None:
        super().__init__()
        self.embedding, self.map = nn.Embedding(rows, 6), nn.Linear(6, 6, bias=bias)
        self.twice = twice

    def forward(self, numbers: Tensor) -> Tensor:
        vectors = self.embedding(numbers)
        mapped: Tensor = self.map(vectors)
        return mapped + vectors if self.twice else mapped


class Shared(nn.Module):
    """A sum with a product of one row for all."""

    def __init__(self) -> None:
        super().__init__()
        self.x, self.one = nn.Linear(3, 5), nn.Linear(4, 5, bias=False)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        found: Tensor = self.x(x) + self.one(h.sum(dim=0, keepdim=True))
        return found


class Scaled(nn.Module):
    """A linear map that is halved, and one of a bias for each row."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(3, 5)), nn.Parameter(torch.randn(5))

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return torch.addmm(self.bias, x, self.weight, alpha=0.5) + h.sum()


class Sequences(nn.Module):
    """A sum of products of `(B, T, F)`."""

    def __init__(self) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(3, 5), nn.Linear(4, 5)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        found: Tensor = self.x(x[:, None].expand(-1, 2, -1)) + self.h(h[:, None].expand(-1, 2, -1))
        return found


class Levels(nn.Module):
    """One number looked up for each row, and a bias beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.levels, self.bias = nn.Parameter(torch.randn(9)), nn.Parameter(torch.randn(1))

    def forward(self, numbers: Tensor) -> Tensor:
        return self.levels[numbers] + self.bias


def graphs(network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[bytes, bytes]:
    """Return the exporter's graph and the merged one."""
    with torch.no_grad():
        dynamic = ({0: torch.export.Dim.DYNAMIC},) * len(inputs)
        program = torch.onnx.export(
            network.eval(), inputs, dynamo=True, dynamic_shapes=dynamic, verbose=False
        )
    assert program is not None
    model = program.model_proto
    return model.SerializeToString(), merge_products(model).SerializeToString()


def run(graph: bytes, inputs: tuple[Tensor, ...]) -> Tensor:
    session = require("onnxruntime", "onnx").InferenceSession(
        graph, providers=["CPUExecutionProvider"]
    )
    names = [each.name for each in session.get_inputs()]
    arrays = [each.numpy() for each in inputs]
    return torch.from_numpy(session.run(None, dict(zip(names, arrays, strict=True)))[0])


def kinds(graph: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_model_from_string(graph).graph.node]


X, H, NUMBERS = torch.randn(3, 3), torch.randn(3, 4), torch.tensor([4, 0, 2])


@pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec")
@pytest.mark.parametrize(
    ("make", "inputs", "expected"),
    [
        *[
            (lambda a=a, b=b: Sum(a, b), (X, H), ["Concat", "MatMul", *["Add"] * (a or b), "Tanh"])
            for a in (False, True)
            for b in (False, True)
        ],
        (lambda: Looked(7, False), (NUMBERS,), ["Gather"]),
        (lambda: Looked(7, True), (NUMBERS,), ["Gather"]),
        (lambda: Looked(TABLE_ROWS + 1, True), (NUMBERS,), ["Gather", "MatMul", "Add"]),
        # What is looked up is needed as it is, too.
        (lambda: Looked(7, True, twice=True), (NUMBERS,), ["Gather", "MatMul", "Add", "Add"]),
    ],
)
def test_a_merged_graph_is_short_and_says_the_same(
    make: Callable[[], nn.Module], inputs: tuple[Tensor, ...], expected: list[str]
) -> None:
    torch.manual_seed(0)
    before, after = graphs(make(), inputs)

    assert kinds(after) == expected
    torch.testing.assert_close(run(after, inputs), run(before, inputs))


@pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec")
@pytest.mark.parametrize(
    ("network", "inputs"),
    [
        (Shared(), (X, H)),
        (Scaled(), (X, H)),
        (Sequences(), (X, H)),
        (Levels(), (NUMBERS,)),
    ],
)
def test_what_only_looks_alike_is_not_merged_from_torch(
    network: nn.Module, inputs: tuple[Tensor, ...]
) -> None:
    before, after = graphs(network, inputs)

    assert "Concat" not in kinds(after)
    assert kinds(after).count("Gather") == kinds(before).count("Gather")
    torch.testing.assert_close(run(after, inputs), run(before, inputs))
    with torch.no_grad():
        torch.testing.assert_close(run(after, inputs), network(*inputs))


GRAPH = """<ir_version: 10, opset_import: ["" : 20]>
g (float[{rows}, 2] x, float[{others}, 2] h, int64[N] n) => (float[N, 2] y)
<float[2, 2] W = {{1, 2, 3, 5}}, float[1, 2, 2] W3 = {{1, 2, 3, 5}}, float[2, 2] E = {{7, 8, 9, 6}},
 float[2] b = {{3, 1}}, float[2, 2] B = {{3, 1, 4, 2}}>
{{ {nodes} }}"""


@pytest.mark.parametrize(
    ("rows", "others", "nodes"),
    [
        ("N", "N", "y = Gemm<alpha = 0.5, beta = 1.0, transA = 0, transB = 1> (x, W, b)"),
        ("N", "N", "y = Gemm<alpha = 1.0, beta = 2.0, transA = 0, transB = 1> (x, W, b)"),
        ("2", "2", "y = Gemm<alpha = 1.0, beta = 1.0, transA = 1, transB = 1> (x, W, b)"),
        ("N", "1", "p = MatMul (x, W) q = MatMul (h, W) y = Add (p, q)"),
        ("", "", "p = MatMul (x, W) q = MatMul (h, W) y = Add (p, q)"),
        ("N", "N", "v = Gather<axis = 0> (E, n) p = MatMul (v, W3) y = Squeeze (p)"),
        ("N", "N", "v = Gather<axis = 0> (E, n) y = Add (v, B)"),
    ],
)
def test_what_only_looks_alike_is_not_merged(rows: str, others: str, nodes: str) -> None:
    text = GRAPH.format(rows=rows or "M", others=others or "M", nodes=nodes)
    model = onnx.parser.parse_model(text)
    for given, each in zip((rows, others), model.graph.input, strict=False):
        if not given:  # two unknown numbers are not the same
            each.type.tensor_type.shape.dim[0].ClearField("dim_param")

    after = merge_products(model)

    expected = [node.op_type for node in model.graph.node]
    assert [node.op_type for node in after.graph.node] == expected


def test_new_constants_have_names_of_their_own() -> None:
    nodes = "p = MatMul (x, W) q = MatMul (h, W) y = Add (p, q)"
    model = onnx.parser.parse_model(GRAPH.format(rows="N", others="N", nodes=nodes))
    model.graph.initializer[0].name = "merged.0"
    for node in model.graph.node[:2]:
        node.input[1] = "merged.0"

    after = merge_products(model)

    assert [node.op_type for node in after.graph.node] == ["Concat", "MatMul"]
    assert after.graph.node[1].input[1] == "merged.1"
    onnx.checker.check_model(after)
