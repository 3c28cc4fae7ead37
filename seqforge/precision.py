"""Which precision to train in: asked of the hardware once, shown at start."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import torch

BFLOAT16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")
"""Processor flags (x86, Arm) that mean bfloat16 products in hardware."""


def training_precision(accelerator: str = "auto") -> str:
    """Return Lightning's precision for training: bfloat16 where the hardware has it natively.

    Emulated bfloat16 is slower than float32, so only the processor's own word counts; and it is
    read, not timed, so that every process and every resumed run comes to the same answer.

    Args:
        accelerator: The trainer's accelerator.
    """
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif accelerator in ("auto", "cpu"):
        native = processor_has(*BFLOAT16_FLAGS)
    else:
        native = False
    return "bf16-mixed" if native else "32-true"


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return a context without autocast: losses, heads, scores and inference run in float32."""
    return torch.autocast(device.type, enabled=False)


def processor_has(*flags: str) -> bool:
    """Return whether the processor has one of these abilities, by its own word; on Linux alone."""
    return any(flag in _processor_flags() for flag in flags)


def _processor_flags() -> frozenset[str]:
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return frozenset()
    for line in information.read_text(errors="replace").splitlines():
        if line.startswith(("flags", "Features")):
            return frozenset(line.partition(":")[2].split())
    return frozenset()
