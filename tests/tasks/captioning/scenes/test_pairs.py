"""Which pairs are held out of training."""

from hypothesis import given
from hypothesis import strategies as st

from seqforge_tasks.captioning.scenes import all_pairs, held_out_pairs, validation_pairs


def test_there_are_36_pairs() -> None:
    assert len(set(all_pairs())) == 36


@given(st.integers(0, 2**32))
def test_a_tenth_is_held_out_and_every_colour_and_shape_stays_frequent(seed: int) -> None:
    held_out = held_out_pairs(seed)

    assert len(held_out) == 4
    assert set(held_out) <= set(all_pairs())
    assert len({pair.colour for pair in held_out}) == len({pair.shape for pair in held_out}) == 4
    assert held_out == held_out_pairs(seed)


@given(st.integers(0, 2**32))
def test_pairs_of_validation_are_of_the_other_colours_and_shapes(seed: int) -> None:
    held_out, new = held_out_pairs(seed), validation_pairs(seed)

    assert len(new) == 2
    assert len({pair.colour for pair in (*held_out, *new)}) == 6
    assert len({pair.shape for pair in (*held_out, *new)}) == 6


def test_another_seed_holds_out_others() -> None:
    assert len({held_out_pairs(seed) for seed in range(20)}) > 15
