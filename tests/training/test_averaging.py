import io

import pytest
import torch
from torch import nn

from seqforge.training import WeightAverage


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(3, 2)
        self.head = nn.Linear(2, 3)
        self.head.weight = self.embedding.weight


def _set(network: nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(value)


def test_average_follows_the_recursion() -> None:
    network, average, expected = nn.Linear(2, 2), WeightAverage(0.5), 0.0
    for step, value in enumerate([1.0, 3.0, -2.0, 5.0]):
        _set(network, value)
        average.update(network)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = value if step == 0 else decay * expected + (1 - decay) * value
    with average.applied(network):
        torch.testing.assert_close(network.weight, torch.full((2, 2), expected))

    assert (network.weight == 5.0).all()


def test_own_weights_come_back_after_an_error() -> None:
    network, average = nn.Linear(2, 2), WeightAverage(0.9)
    average.update(network)
    _set(network, 7.0)

    def fail() -> None:
        with average.applied(network):
            assert not (network.weight == 7.0).any()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (network.weight == 7.0).all()


def test_state_is_plain_and_goes_on_exactly() -> None:
    network, average, other = nn.Linear(2, 2), WeightAverage(0.9), WeightAverage(0.9)
    average.update(network)
    file = io.BytesIO()
    torch.save(average.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    _set(network, 3.0)
    for each in (average, other):
        each.update(network)

    one, two = average.state_dict()["weights"], other.state_dict()["weights"]
    assert isinstance(one, dict)
    assert isinstance(two, dict)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_shared_weight_is_averaged_under_every_name() -> None:
    network, average = Tied(), WeightAverage(0.9)
    average.update(network)
    _set(network, 3.0)
    average.update(network)
    weights = average.state_dict()["weights"]
    assert isinstance(weights, dict)
    loaded = Tied()
    loaded.load_state_dict(network.state_dict() | weights)

    assert set(weights) == set(network.state_dict())
    with average.applied(network):
        assert torch.equal(loaded.head.weight, network.head.weight)


def test_no_decay_means_no_average() -> None:
    network, average = nn.Linear(2, 2), WeightAverage(0.0)
    average.update(network)

    assert average.state_dict() == {}
    with pytest.raises(ValueError, match=r"must be in \[0, 1\), not 1"):
        WeightAverage(1.0)


def test_a_loaded_average_follows_the_weights_to_their_device() -> None:
    network = nn.Linear(2, 2)
    average = WeightAverage(0.9)
    average.update(network)
    loaded = WeightAverage(0.9)
    loaded.load_state_dict(average.state_dict())
    loaded.update(network.to("meta"))
    weights = loaded.state_dict()["weights"]
    assert isinstance(weights, dict)
    assert {weight.device.type for weight in weights.values()} == {"meta"}
