"""Fewer and larger products in a graph: what single steps want, and training has no use for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from seqforge.encoders.stack import TABLE_ROWS
from seqforge.engines.packages import EXTRA, quiet
from seqforge.errors import require


class Rule(NamedTuple):
    """What is looked for in a graph and what stands there afterwards.

    Attributes:
        before: `(op, **values)`, the nodes looked for. Weights `(I, O)`, constants throughout, are
            named `w` and `u`, biases `(O,)` `b` and `c`, tables of vectors `(V, I)` `e`; what is
            computed is named `x` and `h`, both `(N, …)`, or `n`.
        after: `(op, constant, **values)`, the nodes instead; `constant` takes an array.
    """

    before: Callable[..., Any]
    after: Callable[..., Any]


GEMM = {"transA": 0, "alpha": 1.0, "beta": 1.0}
"""How the exporter writes a linear map, beside `transB`."""

PLAIN = [  # one form for all linear maps
    Rule(
        lambda op, x, w: op.Gemm(x, w, transB=1, **GEMM),
        lambda op, constant, x, w: op.MatMul(x, constant(_array(w).T)),
    ),
    Rule(
        lambda op, x, w, b: op.Gemm(x, w, b, transB=1, **GEMM),
        lambda op, constant, x, w, b: op.Add(op.MatMul(x, constant(_array(w).T)), b),
    ),
    Rule(
        lambda op, x, w, b: op.Gemm(x, w, b, transB=0, **GEMM),
        lambda op, _, x, w, b: op.Add(op.MatMul(x, w), b),
    ),
]

BIASES = [  # those of a sum together
    Rule(
        lambda op, x, w, b, h, u, c: op.Add(op.Add(op.MatMul(x, w), b), op.Add(op.MatMul(h, u), c)),
        lambda op, constant, x, w, b, h, u, c: op.Add(
            op.Add(op.MatMul(x, w), constant(_array(b) + _array(c))), op.MatMul(h, u)
        ),
    ),
]

TABLES = [  # E[n] W = (E W)[n], and with a bias
    Rule(
        lambda op, e, n, w: op.MatMul(op.Gather(e, n, axis=0), w),
        lambda op, constant, e, n, w: op.Gather(constant(_array(e) @ _array(w)), n, axis=0),
    ),
    Rule(
        lambda op, e, n, b: op.Add(op.Gather(e, n, axis=0), b),
        lambda op, constant, e, n, b: op.Gather(constant(_array(e) + _array(b)), n, axis=0),
    ),
]

SUMS = [  # x W + h U = [x, h] [W; U]
    Rule(
        lambda op, x, w, h, u: op.Add(op.MatMul(x, w), op.MatMul(h, u)),
        lambda op, constant, x, w, h, u: op.MatMul(
            op.Concat(x, h, axis=1), constant(np.concatenate([_array(w), _array(u)]))
        ),
    ),
    Rule(
        lambda op, x, w, b, h, u: op.Add(op.Add(op.MatMul(x, w), b), op.MatMul(h, u)),
        lambda op, constant, x, w, b, h, u: op.Add(
            op.MatMul(op.Concat(x, h, axis=1), constant(np.concatenate([_array(w), _array(u)]))), b
        ),
    ),
]


def merge_products(model: Any) -> Any:
    """Rewrite a graph so that a step reads its weights in as few products as can be.

    `x W + h U` becomes one product of `[x, h]`, and an embedding times weights a table. Sums are
    taken in another order, which changes last digits.

    Args:
        model: An `onnx.ModelProto`, as from `torch.onnx.export`.

    Returns:
        The model, its linear maps as `MatMul` and `Add`; what matches no rule stays as it is.

    Raises:
        MissingExtra: The packages are not installed.
    """
    ir, rewriter = require("onnx_ir", EXTRA), require("onnxscript.rewriter", EXTRA)
    taken = {each.name for each in model.graph.initializer}
    names = (name for number in count() if (name := f"merged.{number}") not in taken)
    rewritten = ir.from_proto(model)
    for rules in (PLAIN, BIASES, TABLES[:1], TABLES[1:], SUMS):
        made = [_made(rule, rewriter.pattern, ir, names) for rule in rules]
        ways = rewriter.pattern.RewriteRuleSet(made, commute=True)
        with quiet():
            rewritten = rewriter.rewrite(rewritten, pattern_rewrite_rules=ways)
    return ir.to_proto(rewritten)


def _made(rule: Rule, pattern: Any, ir: Any, names: Iterator[str]) -> Any:
    """Give a rule to the rewriter.

    Args:
        rule: Ours.
        pattern: The module `onnxscript.rewriter.pattern`.
        ir: The package `onnx_ir`.
        names: For new constants.
    """

    def known(_: Any, **values: Any) -> bool:
        ranks = {"w": 2, "u": 2, "b": 1, "c": 1, "e": 2}
        fit = all(
            _is_constant(values[name], rank) for name, rank in ranks.items() if name in values
        )
        if "e" in values:
            fit = fit and values["e"].shape[0] <= TABLE_ROWS
        if "h" in values:
            fit = fit and _have_the_same_rows(values["x"], values["h"])
        return fit

    def after(op: Any, **values: Any) -> Any:
        def constant(array: Any) -> Any:
            tensor = ir.tensor(np.ascontiguousarray(array))
            return op.initializer(tensor, name=next(names))

        return rule.after(op, constant, **values)

    return pattern.RewriteRule(rule.before, after, known)


def _is_constant(value: Any, rank: int) -> bool:
    return value.const_value is not None and len(value.const_value.shape) == rank


def _have_the_same_rows(x: Any, h: Any) -> bool:
    """Say whether two values are known to be `(N, …)` and `(N, …)`, not `(1, …)` and `(N, …)`."""
    shapes = (x.shape, h.shape)
    if None in shapes or any(len(each) != 2 for each in shapes):
        return False
    rows, others = (each[0] if isinstance(each[0], int) else each[0].value for each in shapes)
    return rows is not None and rows == others


def _array(value: Any) -> Any:
    """Return the numbers of a constant."""
    return value.const_value.numpy()
