from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from seqforge import Batch, Task
from seqforge.data import rank_slice
from seqforge.state import Noise, Shared, State
from seqforge.training import Carry


class Memory(NamedTuple):
    hidden: Tensor
    mask: Noise


class Remembering(Task):
    def start(self, batch_size: int) -> State:
        return Memory(torch.zeros(batch_size, 2), Noise(None))


TASK = Remembering()


def _state(rows: int) -> Memory:
    hidden = torch.arange(2.0 * rows).reshape(rows, 2) + 1
    return Memory(hidden.requires_grad_(), Noise(torch.ones(rows)))


def _batch(rows: int, starts: list[bool] | None = None) -> Batch:
    return Batch(ids=torch.arange(rows), starts=None if starts is None else torch.tensor(starts))


def test_state_is_carried_without_its_graph_and_noise() -> None:
    carry = Carry()
    carry.put(_state(3))
    taken = carry.take(TASK, _batch(3, [False] * 3))

    assert isinstance(taken, Memory)
    assert torch.equal(taken.hidden, _state(3).hidden)
    assert not taken.hidden.requires_grad
    assert taken.mask == Noise(None)


def test_marked_rows_begin_anew() -> None:
    carry = Carry()
    carry.put(_state(3))
    taken = carry.take(TASK, _batch(3, [False, True, False]))

    assert taken.hidden.tolist() == [[1.0, 2.0], [0.0, 0.0], [5.0, 6.0]]


def test_another_number_of_rows_begins_anew() -> None:
    carry = Carry()
    carry.put(_state(3))

    assert not carry.take(TASK, _batch(2)).hidden.any()


def test_cleared_state_begins_anew_and_none_stays_none() -> None:
    carry = Carry()
    carry.put(_state(3))
    carry.clear()
    assert not carry.take(TASK, _batch(3)).hidden.any()

    carry.put(None)
    assert carry.take(Task(), _batch(3)) is None


def test_a_saved_state_is_plain_and_comes_back() -> None:
    carry = Carry()
    carry.put(_state(3))
    plain = carry.gather(world_size=1)
    other = Carry()
    other.restore(plain, rank=0, world_size=1)

    assert type(plain) is tuple
    assert type(plain[1]) is tuple
    assert torch.equal(other.take(TASK, _batch(3)).hidden, _state(3).hidden)


@pytest.mark.parametrize("world_size", [1, 2, 3, 6])
def test_ranks_take_their_own_rows(world_size: int) -> None:
    carry = Carry()
    carry.put(_state(5))
    plain = carry.gather(world_size=1)
    whole = _state(5).hidden
    for rank in range(world_size):
        rows = rank_slice(range(5), rank, world_size)
        other = Carry()
        other.restore(plain, rank, world_size)
        taken = other.take(TASK, _batch(len(rows)))
        assert torch.equal(taken.hidden, whole[list(rows)])


@pytest.mark.parametrize("world_size", [2, 4])
def test_gathering_puts_the_rows_of_all_ranks_together(
    world_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = _state(3)
    carries = []
    for rank in range(world_size):
        rows = list(rank_slice(range(3), rank, world_size))
        carry = Carry()
        carry.put(Memory(state.hidden[rows], Noise(None)) if rows else None)
        carries.append(carry)
    plains = [carry.gather(1) for carry in carries]

    def all_gather_object(parts: list[Any], own: Any) -> None:
        parts[:] = plains

    monkeypatch.setattr(torch.distributed, "all_gather_object", all_gather_object)
    hidden, noise = carries[0].gather(world_size)

    assert torch.equal(hidden, state.hidden)
    assert noise == (None,)


class Mixed(Task):
    """Carries rows beside a value that all rows share."""

    def start(self, batch_size: int) -> State:
        return (torch.zeros(batch_size, 3), Shared(torch.zeros(5)))


def test_what_all_rows_share_is_carried_too() -> None:
    carry, batch = Carry(), Batch(ids=torch.arange(4))
    for count in range(3):
        rows, shared = carry.take(Mixed(), batch)
        assert rows.sum() == 12 * count
        carry.put((rows + 1, shared))
    other = Carry()
    other.restore(carry.gather(1), 1, 2)
    rows, shared = other.take(Mixed(), Batch(ids=torch.arange(2)))
    assert rows.tolist() == [[3.0] * 3] * 2
    assert len(shared.value) == 5


def test_a_state_without_a_beginning_is_refused() -> None:
    carry, task = Carry(), Task()
    carry.take(task, Batch(ids=torch.arange(2)))
    with pytest.raises(TypeError, match="start"):
        carry.put(torch.zeros(2, 1))
