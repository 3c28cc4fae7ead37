import io
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from seqforge.state import (
    Fixed,
    Noise,
    Shared,
    State,
    concatenate,
    detach,
    from_plain,
    hold,
    leaves,
    map_state,
    repeat,
    reset,
    row_leaves,
    select,
    select_fixed,
    select_items,
    to_plain,
    widen,
)


class Pair(NamedTuple):
    hidden: Tensor
    rest: State


def make(rows: int = 3, drawn: bool = True) -> Pair:
    base = torch.arange(rows, dtype=torch.float64).unsqueeze(1)
    noise = Noise((base + 20, Shared(torch.ones(2, 5)))) if drawn else Noise(None)
    return Pair(base, (Fixed(base + 10), None, noise))


def rows_of(tensor: Tensor) -> list[float]:
    return [float(value) for value in tensor[:, 0]]


def test_map_keeps_types_and_none_and_goes_inside_the_wrappers() -> None:
    mapped = map_state(lambda leaf: leaf + 1, make())
    assert type(mapped) is Pair
    fixed, none, noise = mapped.rest
    assert type(fixed) is Fixed
    assert none is None
    assert type(noise) is Noise
    assert rows_of(fixed.value) == [11, 12, 13]
    assert rows_of(noise.value[0]) == [21, 22, 23]
    assert noise.value[1].value[0, 0] == 2


@pytest.mark.parametrize("wrong", [[torch.ones(1)], {"a": 1}, 3])
def test_map_refuses_what_is_no_state(wrong: State) -> None:
    with pytest.raises(TypeError, match="tuples, NamedTuples, tensors and None, not a"):
        map_state(lambda leaf: leaf, (wrong,))


def test_leaves_are_in_order() -> None:
    assert [leaf.shape[0] for leaf in leaves(make())] == [3, 3, 3, 2]
    assert leaves(None) == []


def test_widen_raises_low_precision_only() -> None:
    state = (torch.ones(1).bfloat16(), torch.ones(1).double(), torch.ones(1), torch.ones(1).long())
    dtypes = [leaf.dtype for leaf in leaves(widen(state))]
    assert dtypes == [torch.float32, torch.float64, torch.float32, torch.int64]


def test_detach_cuts_the_graph_and_undraws_noise() -> None:
    state = map_state(lambda leaf: leaf.requires_grad_(), make())
    cut = detach(state)
    assert not any(leaf.requires_grad for leaf in leaves(cut))
    assert cut.rest[2] == Noise(None)
    assert rows_of(cut.rest[0].value) == [10, 11, 12]
    assert detach(None) is None


def test_select_leaves_fixed_and_shared_alone() -> None:
    state = make()
    picked = select(state, torch.tensor([2, 2, 0, 1]))
    assert rows_of(picked.hidden) == [2, 2, 0, 1]
    assert rows_of(picked.rest[0].value) == [10, 11, 12]
    assert picked.rest[0].value is state.rest[0].value, "no copy"
    assert rows_of(picked.rest[2].value[0]) == [22, 22, 20, 21]
    assert picked.rest[2].value[1].value.shape == (2, 5)


def test_select_items_reaches_fixed_but_not_shared() -> None:
    picked = select_items(make(), torch.tensor([True, False, True]))
    assert rows_of(picked.hidden) == [0, 2]
    assert rows_of(picked.rest[0].value) == [10, 12]
    assert picked.rest[2].value[1].value.shape == (2, 5)


def test_select_fixed_reaches_nothing_else() -> None:
    state = make()._replace(rest=(Fixed((make().hidden, Shared(torch.ones(5)))), make().rest[2]))
    kept = select_fixed(state, torch.tensor([2, 0]))
    fixed, noise = kept.rest
    assert rows_of(kept.hidden) == [0, 1, 2]
    assert rows_of(fixed.value[0]) == [2, 0]
    assert fixed.value[1].value.shape == (5,)
    assert rows_of(noise.value[0]) == [20, 21, 22]
    assert select_fixed(None, torch.tensor([0])) is None


def test_repeat_repeats_in_place() -> None:
    twice = repeat(make(), 2)
    assert rows_of(twice.hidden) == [0, 0, 1, 1, 2, 2]
    assert rows_of(twice.rest[0].value) == [10, 11, 12]


def test_reset_takes_masked_rows_from_start() -> None:
    start = map_state(lambda leaf: -torch.ones_like(leaf), make())
    mixed = reset(make(), torch.tensor([False, True, False]), start)
    assert rows_of(mixed.hidden) == [0, -1, 2]
    assert rows_of(mixed.rest[0].value) == [10, -1, 12]
    assert rows_of(mixed.rest[2].value[0]) == [20, -1, 22]
    assert mixed.rest[2].value[1].value[0, 0] == 1


@pytest.mark.parametrize(("drawn", "start_drawn"), [(True, False), (False, True), (False, False)])
def test_reset_undraws_if_either_is_undrawn(drawn: bool, start_drawn: bool) -> None:
    mixed = reset(make(drawn=drawn), torch.tensor([True, False, False]), make(drawn=start_drawn))
    assert mixed.rest[2] == Noise(None)


def test_reset_does_not_let_nan_through() -> None:
    state = (torch.full((2, 1), float("nan"), requires_grad=True),)
    (mixed,) = reset(state, torch.tensor([True, True]), (torch.zeros(2, 1),))
    mixed.sum().backward()
    assert state[0].grad is not None
    assert state[0].grad.tolist() == [[0], [0]]


def test_reset_refuses_another_structure() -> None:
    with pytest.raises(ValueError, match="differ in structure"):
        reset((torch.ones(1),), torch.tensor([True]), (torch.ones(1), None))


def test_hold_keeps_rows_and_the_new_noise() -> None:
    after = map_state(lambda leaf: leaf + 100, make())
    mixed = hold(after, torch.tensor([False, True, False]), make(drawn=False))
    assert rows_of(mixed.hidden) == [100, 1, 102]
    assert mixed.rest[2] is after.rest[2]


@pytest.mark.parametrize("drawn", [True, False])
def test_plain_state_survives_a_weights_only_load(drawn: bool) -> None:
    state = make(drawn=drawn)
    file = io.BytesIO()
    torch.save(to_plain(state), file)
    file.seek(0)
    loaded = from_plain(torch.load(file, weights_only=True), state)
    assert type(loaded) is Pair
    assert type(loaded.rest[0]) is Fixed
    assert type(loaded.rest[2]) is Noise
    assert all(a.equal(b) for a, b in zip(leaves(loaded), leaves(state), strict=True))


def test_plain_state_is_a_copy() -> None:
    state = make()
    plain = to_plain(state)
    state.hidden.add_(1)
    assert rows_of(plain[0]) == [0, 1, 2]


def test_from_plain_takes_another_batch_size_and_the_dtype_of_the_template() -> None:
    loaded = from_plain([torch.ones(7, 4)], (torch.ones(1, 4, dtype=torch.float64),))
    assert loaded[0].shape == (7, 4)
    assert loaded[0].dtype == torch.float64


def test_from_plain_names_the_place_of_a_wrong_shape() -> None:
    with pytest.raises(ValueError, match=r"state\.hidden: .*\(3, 2\).*\(1, 1\)"):
        from_plain((torch.ones(3, 2), None), Pair(torch.ones(1, 1), None))


def test_from_plain_compares_the_whole_shape_of_what_is_shared() -> None:
    with pytest.raises(ValueError, match=r"\(3, 2\).*\(2, 2\)"):
        from_plain((torch.ones(3, 2),), Shared(torch.ones(2, 2)))


@pytest.mark.parametrize(
    ("plain", "like", "message"),
    [
        ((torch.ones(1),), (torch.ones(1), None), "a tuple of 1, .* a tuple of 2"),
        (None, torch.ones(1), "nothing, .* a tensor"),
        (((torch.ones(1),),), Noise(None), "state.value: saved was a tuple of 1, .* nothing"),
        (3, None, "a int, .* nothing"),
    ],
)
def test_from_plain_refuses_another_structure(plain: object, like: State, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_plain(plain, like)


def test_rows_of_several_states_are_put_one_after_the_other() -> None:
    one = (torch.zeros(2, 3), Fixed(torch.zeros(2, 1)), Shared(torch.ones(5)), Noise(None), None)
    two = (torch.ones(1, 3), Fixed(torch.ones(1, 1)), Shared(torch.ones(5)), Noise(None), None)
    rows, fixed, shared, noise, nothing = concatenate([one, two])
    assert rows.tolist() == [[0.0] * 3, [0.0] * 3, [1.0] * 3]
    assert fixed.value.tolist() == [[0.0], [0.0], [1.0]]
    assert len(shared.value) == 5
    assert (noise, nothing) == (Noise(None), None)
    assert [len(leaf) for leaf in row_leaves(one)] == [2, 2]
