"""The adaptive head is torch's adaptive softmax, without what is never predicted."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from seqforge.layers import AdaptiveHead

WORDS, FEATURES, CUTOFFS = 23, 16, (5, 11)
NEVER = torch.zeros(WORDS, dtype=torch.bool).index_fill(0, torch.tensor([0, 2]), True)
NONE = torch.zeros(WORDS, dtype=torch.bool)


def _head() -> AdaptiveHead:
    torch.manual_seed(0)
    return AdaptiveHead(FEATURES, WORDS, CUTOFFS).double()


def _torch(head: AdaptiveHead) -> nn.AdaptiveLogSoftmaxWithLoss:
    """Return torch's module with the same weights, the very same parameters."""
    made = nn.AdaptiveLogSoftmaxWithLoss(
        FEATURES, WORDS, list(CUTOFFS), div_value=4.0, head_bias=True
    )
    made.head = nn.Linear(FEATURES, head.frequent.out_features)
    made.head.weight, made.head.bias = head.frequent.weight, head.frequent.bias
    for tail, projection, rare in zip(made.tail, head.projections, head.rare, strict=True):
        assert isinstance(tail, nn.Sequential)
        tail[0], tail[1] = projection, rare
    return made


def _given(rows: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, FEATURES, dtype=torch.float64, generator=generator)
    return features.requires_grad_(), torch.randint(3, WORDS, (rows,), generator=generator)


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 12), seed=st.integers(0, 50))
def test_loss_and_gradients_are_those_of_torch(rows: int, seed: int) -> None:
    head, (features, targets) = _head(), _given(rows, seed)

    found = head.cross_entropy(features, targets, never=NONE)
    expected = -_torch(head)(features, targets).output.sum()

    torch.testing.assert_close(found.smoothed, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(found.likelihood, expected, rtol=0, atol=1e-12)
    inputs = [features, *head.parameters()]
    ours = torch.autograd.grad(2.0 * found.smoothed, inputs)
    theirs = torch.autograd.grad(2.0 * expected, inputs, allow_unused=True)
    for one, other in zip(ours, theirs, strict=True):
        other = torch.zeros_like(one) if other is None else other  # no target in that cluster
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_log_probabilities_are_those_of_torch_and_sum_to_one() -> None:
    head, (features, _) = _head(), _given(6)

    found = head(features.view(2, 3, FEATURES))

    assert found.shape == (2, 3, WORDS)
    torch.testing.assert_close(found.view(6, WORDS), _torch(head).log_prob(features))
    torch.testing.assert_close(found.exp().sum(-1), torch.ones(2, 3).double())


def test_training_and_decoding_have_the_same_numbers_without_what_is_never_written() -> None:
    head, (features, targets) = _head(), _given(40)
    offset = NEVER * (torch.finfo(torch.float32).min / 2)

    trained = head.cross_entropy(features, targets, never=NEVER).likelihood
    packed = head.packed(offset.double())(features)
    scored = (head(features) + offset).log_softmax(dim=1)

    assert (packed[:, NEVER] < -1e30).all()
    torch.testing.assert_close(packed.exp().sum(1), torch.ones(40).double())
    torch.testing.assert_close(packed[:, ~NEVER], scored[:, ~NEVER])
    torch.testing.assert_close(-packed.gather(1, targets[:, None]).sum(), trained)
    plain = head.cross_entropy(features, targets, never=NONE).likelihood
    assert plain - trained > 0.1, "mass that was on them is on the others"


def test_packed_weights_do_not_follow_training() -> None:
    head, (features, _) = _head(), _given(3)
    scores = head.packed(torch.zeros(WORDS).double(), torch.bfloat16)
    before = scores(features.bfloat16())
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(1.0)

    assert before.dtype == torch.float32
    assert torch.equal(scores(features.bfloat16()), before)
    exact = _head()(features).float()
    torch.testing.assert_close(before, exact, rtol=0, atol=0.05)


def test_what_comes_in_low_precision_is_predicted_in_full() -> None:
    head = AdaptiveHead(FEATURES, WORDS, CUTOFFS)
    features, targets = torch.randn(30, FEATURES).bfloat16(), _given(30)[1]
    with torch.autocast("cpu", torch.bfloat16):
        scores = head(features)
        loss = head.cross_entropy(features, targets, never=NONE).likelihood

    assert scores.dtype == loss.dtype == torch.float32
    torch.testing.assert_close(scores.exp().sum(1), torch.ones(30))
    torch.testing.assert_close(loss, -scores.gather(1, targets[:, None]).sum())


def test_every_parameter_has_a_gradient_where_no_target_is_rare() -> None:
    head, (features, _) = _head(), _given(4)

    head.cross_entropy(features, torch.tensor([1, 2, 3, 4]), never=NONE).smoothed.backward()

    assert all(parameter.grad is not None for parameter in head.parameters())
    assert not any(each.grad.any() for each in head.rare.parameters() if each.grad is not None)


def test_it_learns_frequencies() -> None:
    torch.manual_seed(0)
    head = AdaptiveHead(FEATURES, WORDS, CUTOFFS)
    frequencies = 1.0 / torch.arange(1, WORDS + 1)
    frequencies /= frequencies.sum()
    features = torch.ones(4000, FEATURES)
    targets = torch.multinomial(frequencies, 4000, replacement=True)
    counts = targets.bincount(minlength=WORDS) / 4000
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        (head.cross_entropy(features, targets, never=NONE).smoothed / 4000).backward()
        optimizer.step()

    torch.testing.assert_close(head(features[0]).exp(), counts, rtol=0, atol=0.003)


def test_the_numbers_of_weights() -> None:
    head = AdaptiveHead(512, 100_000, [2000, 10_000])

    frequent, middle, rare = 2002 * 513, 128 * (512 + 8000), 32 * (512 + 90_000)
    assert sum(each.numel() for each in head.parameters()) == frequent + middle + rare
    assert math.isclose(frequent + middle + rare, 0.1 * 513 * 100_000, rel_tol=0.03)


@pytest.mark.parametrize("cutoffs", [(), (0, 5), (5, 5), (9, 5), (5, WORDS)])
def test_cutoffs_that_do_not_rise_are_refused(cutoffs: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="do not rise from 1 to 22"):
        AdaptiveHead(FEATURES, WORDS, cutoffs)


def test_too_few_features_and_smoothing_are_refused() -> None:
    with pytest.raises(ValueError, match="15 features are too few for 2 clusters"):
        AdaptiveHead(15, WORDS, CUTOFFS)
    features, targets = _given(2)
    with pytest.raises(ValueError, match="not smoothed"):
        _head().cross_entropy(features, targets, smoothing=0.1, never=NONE)
