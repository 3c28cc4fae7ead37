import pytest
import torch
from torch import nn

from seqforge.errors import UserError
from seqforge.training.optimizer import parameter_groups, resting_parameters, scaled_learning_rates


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
        self.images = nn.Linear(3, 3)  # its name begins like another's
        self.head = nn.Linear(3, 1)


def test_vectors_do_not_decay_and_matrices_do() -> None:
    network = Network()
    groups = parameter_groups(network, [])
    optimizer = torch.optim.AdamW(groups, lr=1.0, weight_decay=0.1)
    decay = {
        id(parameter): group["weight_decay"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }

    assert len(decay) == len(list(network.parameters()))
    for parameter in network.parameters():
        assert decay[id(parameter)] == (0.1 if parameter.dim() > 1 else 0.0)


def test_parts_have_groups_of_their_own() -> None:
    network = Network()
    groups = parameter_groups(network, ["image"])
    image = [
        parameter for group in groups if group["part"] == "image" for parameter in group["params"]
    ]

    assert {id(each) for each in image} == {id(each) for each in network.image.parameters()}


def test_parameters_without_gradient_are_left_out() -> None:
    network = Network()
    network.head.requires_grad_(False)

    assert sum(len(group["params"]) for group in parameter_groups(network, [])) == 6


def test_factors_hold_for_one_step_only() -> None:
    network = Network()
    optimizer = torch.optim.SGD(parameter_groups(network, ["image"]), lr=1.0)
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = [parameter.detach().clone() for parameter in network.parameters()]

    def fail() -> None:
        with scaled_learning_rates(optimizer, {"image": 0.5}):
            optimizer.step()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    steps = [old - new for old, new in zip(before, network.parameters(), strict=True)]
    torch.testing.assert_close(steps[0], torch.full((3, 2), 0.5))
    torch.testing.assert_close(steps[4], torch.ones(3, 3))
    assert {group["lr"] for group in optimizer.param_groups} == {1.0}


def test_parts_with_factor_zero_rest() -> None:
    network = Network()
    resting = resting_parameters(network, {"image": 0.0, "head": 0.1})

    assert {id(each) for each in resting} == {id(each) for each in network.image.parameters()}


@pytest.mark.parametrize(
    ("parts", "message"),
    [(["imag"], "'imag' is no part of Network"), (["image", "image.0"], "overlap")],
)
def test_wrong_parts_are_refused(parts: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parameter_groups(Network(), parts)
