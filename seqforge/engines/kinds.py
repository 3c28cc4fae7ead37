"""The engines by name."""

from __future__ import annotations

from typing import Literal, get_args

from seqforge.errors import UserError, closest_match

Engine = Literal["torch", "onnx", "int8"]

ENGINES: tuple[Engine, ...] = get_args(Engine)
"""PyTorch; ONNX Runtime in float32; ONNX Runtime with weights of 8 bits."""


def require_engine(name: str, where: str = "--engine") -> None:
    """Refuse an engine that does not exist.

    Args:
        name: What was given.
        where: The option that holds it.

    Raises:
        UserError: There is no such engine.
    """
    if name not in ENGINES:
        raise UserError(
            f"engine is '{name}'",
            where=where,
            accepted=ENGINES,
            closest=closest_match(name, ENGINES),
            todo="give one of these",
        )
