import torch

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
