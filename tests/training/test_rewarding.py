"""When rewards teach, how fast, and where draws fall."""

import pytest
import torch
from torch import nn

from seqforge.attention import SelfCritical
from seqforge.data import Draw
from seqforge.errors import UserError
from seqforge.task import Progress
from seqforge.training import Rewarding, reward_terms


def progress(epoch: int, seed: int = 0) -> Progress:
    return Progress(epoch, 0, 0.0, seed=seed)


def test_places_follow_from_seed_epoch_and_number() -> None:
    rewarding = Rewarding(0, 0.1, "others")
    found = rewarding.places(torch.tensor([4, 9, 4]), 6, progress(2, seed=3))
    assert found.shape == (3, 5, 6)
    assert found.dtype == torch.float32
    assert (found >= 0).all()
    assert (found < 1).all()
    drawn = Draw(3, 2, 9).generator().random((6, 5), dtype="float32")
    assert torch.equal(found[1], torch.from_numpy(drawn).T)
    assert torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[1])
    # A longer neighbour changes nothing; another epoch or seed does.
    longer = rewarding.places(torch.tensor([4]), 9, progress(2, seed=3))
    assert torch.equal(longer[0, :, :6], found[0])
    for other in (progress(1, seed=3), progress(2, seed=4)):
        assert not torch.equal(rewarding.places(torch.tensor([4]), 6, other)[0], found[0])
    # A rank without a sample has a filler.
    assert rewarding.places(torch.tensor([-5]), 6, progress(2)).shape == (1, 5, 6)


def test_rewards_teach_from_their_epoch_on() -> None:
    network = nn.ModuleDict({"head": nn.Linear(2, 2), "empty": nn.ReLU()})
    never, late = Rewarding(None, 0.1, "others"), Rewarding(2, 0.1, "greedy")
    assert [late.active(progress(epoch)) for epoch in (0, 1, 2, 3)] == [False, False, True, True]
    assert not never.active(progress(99))
    assert never.rates(network, progress(99)) == {}
    assert late.rates(network, progress(1)) == {"network.head": 1.0}
    assert late.rates(network, progress(2)) == {"network.head": 0.1}


def test_terms_are_sums_with_counts_and_the_reward_has_no_weight() -> None:
    found = SelfCritical(torch.tensor(6.0), torch.tensor(12), 0.25)
    terms = reward_terms(found, 4)
    assert list(terms) == ["policy", "reward"]
    assert (float(terms["policy"].total), int(terms["policy"].count)) == (6.0, 12)
    assert (float(terms["reward"].total), int(terms["reward"].count)) == (1.0, 4)
    assert terms["reward"].weight == 0.0


@pytest.mark.parametrize(
    ("rewarding", "name"),
    [
        (Rewarding(-1, 0.1, "others"), "epoch"),
        (Rewarding(0, 0.0, "others"), "rate"),
        (Rewarding(0, float("nan"), "others"), "rate"),
        (Rewarding(0, 0.1, "greddy"), "baseline"),  # type: ignore[arg-type]
    ],
)
def test_what_is_out_of_range_is_named(rewarding: Rewarding, name: str) -> None:
    with pytest.raises(UserError) as caught:
        rewarding.require_valid()
    assert caught.value.where == f"model.task.self_critical_{name}"
    assert len(str(caught.value).splitlines()) <= 5
