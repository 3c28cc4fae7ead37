"""Scores of additive attention are what they are written out, with their gradients."""

import pytest
import torch
from torch import Tensor

import seqforge.attention.additive_scores as module
from seqforge.attention.additive_scores import additive_scores


def written_out(queries: Tensor, keys: Tensor, energy: Tensor) -> Tensor:
    return torch.tanh(queries[:, :, None] + keys[:, None]) @ energy


def parts(items: int = 5, time: int = 3, source: int = 4, size: int = 6) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    shapes = ((items, time, size), (items, source, size), (size,))
    return [
        torch.randn(shape, dtype=torch.double, generator=generator, requires_grad=True)
        for shape in shapes
    ]


@pytest.mark.parametrize("cached", [1, 150, 2**19])  # items one at a time, two, and all at once
def test_pieces_are_the_whole(cached: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHED", cached)
    given = parts()
    expected, scores = written_out(*given), additive_scores(*given)
    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-12)

    weight = torch.randn_like(expected)
    wanted = torch.autograd.grad((weight * expected).sum(), given)
    found = torch.autograd.grad((weight * scores).sum(), given)
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    assert torch.autograd.gradcheck(additive_scores, given)


def test_gradients_that_are_one_number_for_all() -> None:
    # What `sum().backward()` hands down is no memory of its own: one number, seen many times.
    given = parts(items=2)
    found = torch.autograd.grad(additive_scores(*given).sum(), given)
    wanted = torch.autograd.grad(written_out(*given).sum(), given)
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_scores_of_bfloat16_are_of_full_precision() -> None:
    queries, keys, energy = (part.detach().float() for part in parts())
    low = [part.bfloat16().requires_grad_() for part in (queries, keys)]
    with torch.autocast("cpu", torch.bfloat16):
        scores = additive_scores(low[0], low[1], energy.requires_grad_())
    scores.sum().backward()

    assert scores.dtype == torch.float32
    exact = written_out(low[0].detach().float(), low[1].detach().float(), energy.detach())
    torch.testing.assert_close(scores.detach(), exact, rtol=0, atol=1e-5)
    assert [part.grad.dtype for part in low if part.grad is not None] == [torch.bfloat16] * 2


def test_no_items() -> None:
    queries, keys, energy = parts()
    scores = additive_scores(queries[:0], keys[:0], energy)
    scores.sum().backward()
    assert scores.shape == (0, 3, 4)


def test_the_largest_tensor_is_not_kept() -> None:
    kept: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        scores = additive_scores(*parts())
    assert sorted(kept) == [6, 5 * 3 * 6, 5 * 4 * 6]
    assert scores.requires_grad
