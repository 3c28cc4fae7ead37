import torch
import torch.nn.functional as F

from seqforge.layers import Head


def test_it_is_a_linear_layer_in_full_precision_under_autocast() -> None:
    torch.manual_seed(0)
    head = Head(8, 5)
    states = torch.randn(3, 8).bfloat16()
    expected = states.float() @ head.weight.T + head.bias
    with torch.autocast("cpu", torch.bfloat16):
        scores = head(states)
    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores, expected)


def test_float64_stays_float64() -> None:
    head = Head(4, 2).double()
    assert head(torch.randn(3, 4, dtype=torch.float64)).dtype == torch.float64


def test_packed_weights_are_the_heads_with_what_is_added() -> None:
    torch.manual_seed(0)
    head, features = Head(4, 3), torch.randn(5, 4)
    offset = torch.tensor([0.0, -1e30, 0.0])

    scores = head.packed(offset)
    expected = head(features) + offset
    rounded = head.packed(offset, torch.bfloat16)(features.bfloat16())

    torch.testing.assert_close(scores(features), expected)
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), expected, rtol=0.02, atol=0.02)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(scores(features), expected)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
    torch.testing.assert_close(scores(features), expected)
    torch.testing.assert_close(scores(features.double()), expected)


def test_the_loss_is_that_of_the_scores() -> None:
    torch.manual_seed(0)
    head, features, targets = Head(4, 3), torch.randn(5, 4), torch.tensor([0, 2, 0, 2, 2])
    never = torch.tensor([False, True, False])

    found = head.cross_entropy(features, targets, smoothing=0.2, never=never)

    kept = head(features)[:, ~never]
    expected = F.cross_entropy(kept, targets // 2, reduction="sum", label_smoothing=0.2)
    torch.testing.assert_close(found.smoothed, expected)
