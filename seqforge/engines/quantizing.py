"""Graphs with weights of 8 bits."""

from __future__ import annotations

from typing import Any

from seqforge.engines.packages import EXTRA, quiet
from seqforge.errors import require

BLOCK = 128
"""Numbers that have a scale together."""

EIGHT_BITS = 4
"""What ONNX Runtime calls products of inputs of 8 bits with sums of 32."""


def quantize(graph: bytes) -> bytes:
    """Round the matrices of a graph's products to 8 bits: those in float32 that are constants.

    128 weights of one output have a scale together, and so have 128 numbers of one row of what
    they are multiplied with, rounded to 8 bits as they come (dynamic quantisation; Jacob et al.
    2018). Rows of a batch do not touch each other. Sums are whole numbers of 32 bits within a
    block and float32 beyond. States, biases, embeddings and everything between products stay in
    float32.

    Args:
        graph: As from `export_step`.

    Returns:
        The graph, about a quarter as large.

    Raises:
        MissingExtra: The packages are not installed.
    """
    onnx = require("onnx", EXTRA)
    with quiet():  # at the import, too: it sets up logging for all
        quantization = require("onnxruntime.quantization.matmul_nbits_quantizer", EXTRA)
        way = quantization.DefaultWeightOnlyQuantConfig(
            bits=8, block_size=BLOCK, is_symmetric=True, accuracy_level=EIGHT_BITS
        )
        model = onnx.load_model_from_string(graph)
        others = _name_products_in_other_precision(model.graph, onnx.TensorProto.FLOAT)
        quantizer = quantization.MatMulNBitsQuantizer(
            model, nodes_to_exclude=others, algo_config=way
        )
        quantizer.process()
        data: bytes = quantizer.model.model.SerializeToString()
    return data


def _name_products_in_other_precision(graph: Any, precision: int) -> list[str]:
    """Name all nodes, and return the names of products with constants of another data type."""
    weights = {each.name for each in graph.initializer if each.data_type != precision}
    for number, node in enumerate(graph.node):
        node.name = node.name or f"unnamed.{number}"
    return [node.name for node in graph.node if weights.intersection(node.input)]
