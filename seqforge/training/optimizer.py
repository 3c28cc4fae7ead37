"""Parameter groups: which weights decay, and which parts have a learning rate of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from seqforge.errors import UserError, closest_match

REST = ""
"""Name of the group of all parameters that no part claims."""


def parameter_groups(module: nn.Module, parts: Iterable[str]) -> list[dict[str, Any]]:
    """Split parameters by part, and within a part by whether weight decay applies.

    Biases, gains of norms and other vectors are spared from decay (Loshchilov and Hutter 2019 leave
    the choice open; sparing them is the field's habit); matrices decay.

    Args:
        module: The task.
        parts: Submodule names with a learning rate factor of their own.

    Returns:
        Groups for `torch.optim`, each with its part's name under "part".

    Raises:
        UserError: A part is no submodule, or two parts overlap.
    """
    names = sorted(parts)
    _check_parts(module, names)
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            part = next((part for part in names if _within(name, part)), REST)
            groups.setdefault((part, parameter.dim() > 1), []).append(parameter)
    return [
        {"params": members, "part": part} | ({} if decays else {"weight_decay": 0.0})
        for (part, decays), members in groups.items()
    ]


def fuse(optimizer: torch.optim.Optimizer) -> None:
    """Let Adam and AdamW step in one pass over memory on a CPU, five to ten times as fast.

    By default PyTorch goes through each weight once for every operation there. Whoever gives
    `fused` or `foreach` decides for themselves. The groups are told, not the constructor: after
    that Lightning would take it that gradients are unscaled in the step, and refuse to clip them.

    Args:
        optimizer: Any; others than these two stay as they are.
    """
    if type(optimizer) not in (torch.optim.Adam, torch.optim.AdamW):
        return
    for group in optimizer.param_groups:
        free = group["fused"] is None and group["foreach"] is None
        special = group["capturable"] or group["differentiable"]
        real = all(  # complex weights have no fused step
            weight.device.type == "cpu" and weight.is_floating_point() for weight in group["params"]
        )
        if free and real and not special:
            group["fused"] = True


@contextmanager
def scaled_learning_rates(
    optimizer: torch.optim.Optimizer, factors: Mapping[str, float]
) -> Iterator[None]:
    """Multiply the learning rate of each part for the duration of one step.

    Schedules read and write the unscaled rates, so the factors leave no trace in checkpoints.
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] = group["lr"] * factors.get(group.get("part", REST), 1.0)
    try:
        yield
    finally:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate


def resting_parameters(module: nn.Module, factors: Mapping[str, float]) -> list[nn.Parameter]:
    """Return the trainable parameters of all parts whose learning rate factor is 0."""
    resting = [part for part, factor in factors.items() if factor == 0.0]
    if not resting:  # nearly always, and every step asks
        return []
    return [
        parameter
        for name, parameter in module.named_parameters()
        if parameter.requires_grad and any(_within(name, part) for part in resting)
    ]


def _within(name: str, part: str) -> bool:
    return name.startswith(f"{part}.")


def _check_parts(module: nn.Module, names: list[str]) -> None:
    known = [name for name, _ in module.named_modules() if name]
    for name in names:
        if name not in known:
            raise UserError(
                f"'{name}' is no part of {type(module).__name__}",
                where=f"{type(module).__name__}.learning_rates",
                closest=closest_match(name, known),
                todo="name a submodule as an attribute path",
            )
        overlapping = [other for other in names if _within(other, name)]
        if overlapping:
            raise UserError(
                f"the parts '{name}' and '{overlapping[0]}' overlap",
                where=f"{type(module).__name__}.learning_rates",
                todo="name disjoint submodules",
            )
