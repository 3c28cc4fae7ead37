"""The joined head and loss are what F.cross_entropy makes of the head's scores."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqforge.layers import Head, cross_entropy, head_cross_entropy

WORDS, FEATURES = 9, 5
NEVER = torch.tensor([True, False, True, *[False] * 6])


def _given(rows: int, seed: int = 0, bias: bool = True) -> tuple[Head, Tensor, Tensor]:
    torch.manual_seed(seed)
    head = Head(FEATURES, WORDS, bias=bias).double()
    features = torch.randn(rows, FEATURES, dtype=torch.float64, requires_grad=True)
    allowed = (~NEVER).nonzero().squeeze(1)
    return head, features, allowed[torch.randint(len(allowed), (rows,))]


def _reference(
    head: Head, features: Tensor, targets: Tensor, smoothing: float, never: Tensor | None
) -> Tensor:
    """Leave out the columns that are never predicted, and number the others anew."""
    kept = torch.ones(WORDS, dtype=torch.bool) if never is None else ~never
    places = kept.long().cumsum(0) - 1
    return F.cross_entropy(
        head(features)[:, kept], places[targets], reduction="sum", label_smoothing=smoothing
    )


def _same_gradients(head: Head, features: Tensor, ours: Tensor, theirs: Tensor) -> None:
    names = [features, *head.parameters()]
    for one, other in zip(
        torch.autograd.grad(3.0 * ours, names),
        torch.autograd.grad(3.0 * theirs, names),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(1, 12),
    chunk=st.integers(1, 13),
    smoothing=st.sampled_from([0.0, 0.1, 0.7]),
    masked=st.booleans(),
    bias=st.booleans(),
    seed=st.integers(0, 9),
)
def test_values_and_gradients(
    rows: int, chunk: int, smoothing: float, masked: bool, bias: bool, seed: int
) -> None:
    head, features, targets = _given(rows, seed, bias)
    never = NEVER if masked else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cross_entropy, "ROWS", chunk)
        found = head_cross_entropy(head, features, targets, smoothing=smoothing, never=never)
    expected = _reference(head, features, targets, smoothing, never)
    plain = _reference(head, features, targets, 0.0, never)

    torch.testing.assert_close(found.smoothed, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found.likelihood, plain, rtol=1e-12, atol=1e-12)
    assert not found.likelihood.requires_grad
    _same_gradients(head, features, found.smoothed, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_never_predicted_takes_no_part(dtype: torch.dtype) -> None:
    head, features, targets = _given(7)
    head, features = head.to(dtype), features.detach().to(dtype)
    before = head_cross_entropy(head, features, targets, smoothing=0.2, never=NEVER)
    before.smoothed.backward()
    assert head.weight.grad is not None
    assert head.bias.grad is not None
    assert (head.weight.grad[NEVER] == 0).all()
    assert (head.bias.grad[NEVER] == 0).all()
    assert (head.weight.grad[~NEVER] != 0).all()

    with torch.no_grad():
        head.weight[NEVER] = 50.0
        head.bias[NEVER] = 1e4
    after = head_cross_entropy(head, features, targets, smoothing=0.2, never=NEVER)
    assert torch.equal(after.smoothed, before.smoothed)


def test_huge_scores_stay_finite() -> None:
    head, features, targets = _given(6)
    head, features = head.float(), (1e4 * features.detach()).float().requires_grad_()
    found = head_cross_entropy(head, features, targets, smoothing=0.1, never=NEVER)
    (gradient,) = torch.autograd.grad(found.smoothed, features)

    expected = _reference(head, features, targets, 0.1, NEVER)
    torch.testing.assert_close(found.smoothed, expected)
    assert gradient.isfinite().all()


def test_no_predictions_at_all() -> None:
    head, features, targets = _given(0)
    found = head_cross_entropy(head, features, targets, smoothing=0.1, never=NEVER)
    found.smoothed.backward()

    assert (found.smoothed.item(), found.likelihood.item()) == (0.0, 0.0)
    assert head.weight.grad is not None
    assert (head.weight.grad == 0).all()


def test_losses_are_single_precision_under_autocast() -> None:
    torch.manual_seed(0)
    head, targets = Head(32, 200), torch.randint(200, (700,))
    features = torch.randn(700, 32).bfloat16()
    exact = features.float().requires_grad_()
    expected = F.cross_entropy(head(exact), targets, reduction="sum", label_smoothing=0.1)
    expected_gradients = torch.autograd.grad(expected, [exact, head.weight, head.bias])
    low = features.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        found = head_cross_entropy(head, low, targets, smoothing=0.1)
    gradients = torch.autograd.grad(found.smoothed, [low, head.weight, head.bias])

    assert found.smoothed.dtype == torch.float32
    torch.testing.assert_close(found.smoothed, expected, rtol=1e-5, atol=0)  # from equal features
    for one, other in zip(gradients, expected_gradients, strict=True):
        distance = (one.float() - other).norm() / other.norm()
        assert distance < 0.01
    assert (gradients[1].dtype, gradients[0].dtype) == (torch.float32, torch.bfloat16)


def test_gradients_are_made_only_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    head, features, targets = _given(4)
    learning = head_cross_entropy(head, features, targets)
    divisions: list[Tensor] = []
    plain = torch.Tensor.div_

    def counted(scores: Tensor, sums: Tensor) -> Tensor:
        divisions.append(sums)
        return plain(scores, sums)

    monkeypatch.setattr(torch.Tensor, "div_", counted)
    with torch.no_grad():
        looking = head_cross_entropy(head, features, targets)

    assert torch.equal(looking.smoothed, learning.smoothed)
    assert learning.smoothed.requires_grad
    assert not looking.smoothed.requires_grad
    assert divisions == []
    head_cross_entropy(head, features, targets)
    assert len(divisions) == 1


def test_tied_weights_get_both_gradients() -> None:
    head, _, targets = _given(5)
    embedding = torch.nn.Embedding(WORDS, FEATURES).double()
    head.weight = embedding.weight
    inputs = torch.tensor([1, 3, 4, 5, 1])
    ours = head_cross_entropy(head, embedding(inputs), targets, smoothing=0.1, never=NEVER)
    theirs = _reference(head, embedding(inputs), targets, 0.1, NEVER)

    (one,), (other,) = (
        torch.autograd.grad(each, [head.weight]) for each in (ours.smoothed, theirs)
    )
    torch.testing.assert_close(one, other, rtol=0, atol=1e-12)
