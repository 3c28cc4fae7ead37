"""Graphs with weights of 8 bits."""

from __future__ import annotations

import tempfile
from pathlib import Path

from seqforge.engines.exporting import EXTRA, quiet
from seqforge.errors import require
from seqforge.precision import processor_has

WIDE_SUMS = ("avx512_vnni", "avx_vnni", "asimddp")
"""Processor flags (x86, Arm) that mean products of 8 bits with sums of 32."""


def quantize(graph: bytes) -> bytes:
    """Round the matrices of a graph's products to 8 bits, a scale for each output.

    Their inputs are rounded to 8 bits as they come, a scale for each product (dynamic
    quantisation, Jacob et al. 2018), that of all rows together: rows of one batch change each
    other's last digits. Sums are whole numbers of 32 bits. States, biases, embeddings and
    everything between products stay in float32. A processor whose products of 8 bits add up in 16
    gets weights of 7, since such sums may overflow.

    Args:
        graph: As from `export_step`.

    Returns:
        The graph, about a quarter as large.

    Raises:
        MissingExtra: The packages are not installed.
    """
    quantization = require("onnxruntime.quantization", EXTRA)
    with tempfile.TemporaryDirectory() as folder, quiet():
        before, after = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        before.write_bytes(graph)
        quantization.quantize_dynamic(
            before,
            after,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            reduce_range=not processor_has(*WIDE_SUMS),
            weight_type=quantization.QuantType.QInt8,  # kernels for unsigned ones are slower
        )
        return after.read_bytes()
