"""The loss as one sum over one count, whatever the accumulation and the number of ranks.

What is optimised in a step is the weighted sum of all terms over the count of the first one, taken
over all accumulated batches on all ranks. Batches are backpropagated as sums; before clipping the
gradients are divided once. A mean of means would weigh a token by the company it happens to be in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from seqforge.task import Term


class LossSums:
    """Exact running sums of a loss: its objective and each of its terms, in float64."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._sums: Tensor | None = None  # (2, 1 + terms): totals above counts

    def add(self, terms: Mapping[str, Term], share: float = 1.0) -> None:
        """Count one batch in.

        Args:
            terms: The batch's terms.
            share: 0 for a filler batch, whose sums must not count; else 1.

        Raises:
            ValueError: The task's terms differ from those of the batch before.
        """
        names = tuple(terms)
        if "loss" in names[1:] or (len(names) > 1 and names[0] == "loss"):
            raise ValueError(
                f"of several terms none may be called 'loss', the name of their sum: {list(names)}"
            )
        if self._sums is not None and names != self._names:
            raise ValueError(
                f"a task must return the same loss terms for every batch: {list(names)} "
                f"came after {list(self._names)}"
            )
        sums = share * _sums(terms)
        self._names = names
        self._sums = sums if self._sums is None else self._sums + sums

    def close(self, world_size: int = 1) -> tuple[dict[str, float], float]:
        """End the sums and begin anew.

        Args:
            world_size: Number of processes; more than one costs one small all-reduce.

        Returns:
            The exact means over all batches on all ranks, "loss" being the objective and, where
            there are several, each term by its own count; and the count of the first term.

        Raises:
            RuntimeError: No batch was added.
        """
        if self._sums is None:
            raise RuntimeError("no batch was added to these sums")
        sums, self._sums = self._sums, None
        if world_size > 1:
            torch.distributed.all_reduce(sums)
        means = (sums[0] / sums[1].clamp(min=1e-300)).tolist()
        names = ("loss", *self._names) if len(self._names) > 1 else ("loss",)
        return dict(zip(names, means, strict=False)), sums[1, 0].item()


def objective(terms: Mapping[str, Term], share: float = 1.0) -> Tensor:
    """Return the weighted sum to backpropagate; gradients are divided by the count later."""
    return share * torch.stack([term.weight * term.total for term in terms.values()]).sum()


def scale_gradients(parameters: Iterable[nn.Parameter], factor: float) -> None:
    """Multiply all gradients by a factor, in place."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if gradients:
        torch._foreach_mul_(gradients, factor)


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Return the 2-norm of all gradients together, a scalar."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    return torch.nn.utils.get_total_norm(gradients) if gradients else torch.zeros(())


def _sums(terms: Mapping[str, Term]) -> Tensor:
    with torch.no_grad():
        values = [objective(terms), *(term.total for term in terms.values())]
        numbers = [torch.as_tensor(term.count, device=values[0].device) for term in terms.values()]
        sums = torch.stack([torch.stack(values), torch.stack([numbers[0], *numbers]).to(values[0])])
        # Apple's GPUs have no float64.
        return (sums.cpu() if sums.device.type == "mps" else sums).double()
