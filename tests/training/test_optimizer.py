from collections.abc import Callable

import pytest
import torch
from torch import nn

from seqforge.errors import UserError
from seqforge.training.optimizer import (
    fuse,
    parameter_groups,
    resting_parameters,
    scaled_learning_rates,
)


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


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW])
def test_a_fused_optimizer_takes_the_same_steps(kind: Callable[..., torch.optim.Adam]) -> None:
    weights, steps = [], []
    for fused in (False, True):
        torch.manual_seed(0)
        network = Network()
        groups = parameter_groups(network, [])
        optimizer = kind(groups, lr=0.01, weight_decay=0.1)
        if fused:
            fuse(optimizer)
        for _ in range(5):
            for parameter in network.parameters():
                parameter.grad = torch.randn_like(parameter)
            optimizer.step()
        weights.append([each.detach() for each in network.parameters()])
        steps.append([group["fused"] for group in optimizer.param_groups])

    assert steps == [[None, None], [True, True]]
    torch.testing.assert_close(weights[0], weights[1])


@pytest.mark.parametrize("given", [{"fused": False}, {"foreach": True}, {"capturable": True}])
def test_what_was_given_to_an_optimizer_stays(given: dict[str, bool]) -> None:
    optimizer = torch.optim.AdamW(Network().parameters(), **given)  # type: ignore[arg-type]
    before = [dict(group) for group in optimizer.param_groups]

    fuse(optimizer)

    assert [group["fused"] for group in optimizer.param_groups] == [
        group["fused"] for group in before
    ]


def test_complex_weights_are_not_fused() -> None:
    weights = [nn.Parameter(torch.zeros(2, dtype=torch.complex64)), nn.Parameter(torch.zeros(2))]
    optimizer = torch.optim.AdamW(weights)

    fuse(optimizer)

    assert optimizer.param_groups[0]["fused"] is None


def test_other_optimizers_are_not_fused() -> None:
    optimizer = torch.optim.SGD(Network().parameters(), lr=0.1)

    fuse(optimizer)

    assert optimizer.param_groups[0]["fused"] is None
