"""Where objects lie."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge_tasks.captioning.scenes import Description, Group, Pair
from seqforge_tasks.captioning.scenes.description import RELATIONS, SIZES
from seqforge_tasks.captioning.scenes.layout import lay_out

RED, BLUE = st.just(Pair("red", "circle")), st.just(Pair("blue", "cross"))
alike = st.builds(Group, st.integers(1, 3), st.sampled_from(SIZES), RED)
one = st.builds(Group, st.just(1), st.sampled_from(SIZES), RED)
other = st.builds(Group, st.just(1), st.sampled_from(SIZES), BLUE)
descriptions = st.one_of(
    st.builds(Description, alike, st.just(""), st.none()),
    st.builds(Description, one, st.sampled_from(list(RELATIONS)), other),
)


@given(descriptions, st.integers(0, 10_000))
def test_objects_are_all_there_inside_the_picture_and_apart(
    description: Description, seed: int
) -> None:
    objects = lay_out(description, np.random.default_rng(seed))

    assert [each.pair for each in objects] == [
        group.pair for group in description.groups() for _ in range(group.amount)
    ]
    for each in objects:
        assert each.radius < each.x < 1 - each.radius
        assert each.radius < each.y < 1 - each.radius
    for one, other in combinations(objects, 2):
        assert np.hypot(one.x - other.x, one.y - other.y) > one.radius + other.radius


@given(descriptions, st.integers(0, 10_000))
def test_groups_are_parted_along_their_relation_and_in_no_other_way(
    description: Description, seed: int
) -> None:
    objects = lay_out(description, np.random.default_rng(seed))
    first = [each for each in objects if each.pair == description.first.pair]
    second = [each for each in objects if each.pair != description.first.pair]
    if not second:
        return
    if description.relation in ("right of", "below"):
        first, second = second, first
    along, across = ("x", "y") if description.relation.endswith("of") else ("y", "x")

    def edges(group: list, axis: str) -> tuple[float, float]:  # type: ignore[type-arg]
        spans = [(getattr(e, axis) - e.radius, getattr(e, axis) + e.radius) for e in group]
        return min(low for low, _ in spans), max(high for _, high in spans)

    assert edges(first, along)[1] < edges(second, along)[0]
    assert edges(first, across)[0] < edges(second, across)[1]
    assert edges(second, across)[0] < edges(first, across)[1]


@pytest.mark.parametrize(("size", "other"), list(product(SIZES, SIZES)))
def test_one_beside_another_always_finds_room(size: str, other: str) -> None:
    generator = np.random.default_rng(0)
    first, second = Group(1, size, Pair("red", "star")), Group(1, other, Pair("blue", "star"))
    for relation in RELATIONS:
        assert len(lay_out(Description(first, relation, second), generator)) == 2


@pytest.mark.parametrize("size", SIZES)
def test_three_alike_always_find_room(size: str) -> None:
    scene = Description(Group(3, size, Pair("red", "star")))
    for seed in range(50):
        assert len(lay_out(scene, np.random.default_rng(seed))) == 3
