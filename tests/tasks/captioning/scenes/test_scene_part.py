"""The scenes of each part."""

from collections import Counter
from collections.abc import Iterator

import pytest

from seqforge_tasks.captioning.scenes import (
    Description,
    ScenePart,
    all_pairs,
    held_out_pairs,
    validation_pairs,
)
from seqforge_tasks.captioning.scenes.scene_part import Part
from tests.tasks.captioning.scenes.caption_reader import Thing, is_true

PARTS: tuple[Part, ...] = ("train", "validation", "test")


def _descriptions(part: Part, count: int = 1_500, seed: int = 5) -> Iterator[Description]:
    scenes = ScenePart(part, seed)
    return (scenes.description(number) for number in range(count))


def _things(part: ScenePart, number: int) -> list[Thing]:
    return [
        Thing(each.x, each.y, each.radius, each.pair.colour, each.pair.shape)
        for each in part.scene(number).objects
    ]


@pytest.mark.parametrize("name", PARTS)
def test_every_caption_is_true_of_its_scene(name: Part) -> None:
    part = ScenePart(name, 1)
    for number in range(150):
        things = _things(part, number)
        assert all(is_true(caption, things) for caption in part.description(number).captions())


def test_no_other_caption_is_true_of_a_scene() -> None:
    part = ScenePart("train", 1)
    known = {caption for number in range(150) for caption in part.description(number).captions()}
    for number in range(30):
        things = _things(part, number)
        true = {caption for caption in known if is_true(caption, things)}
        assert true == set(part.description(number).captions())


@pytest.mark.parametrize("part", ["train", "validation"])
def test_held_out_pairs_are_never_shown_before_the_test(part: Part) -> None:
    shown = {group.pair for each in _descriptions(part) for group in each.groups()}
    new = set(validation_pairs(5)) if part == "train" else set()

    assert shown == set(all_pairs()) - set(held_out_pairs(5)) - new


def test_half_of_validation_shows_pairs_that_training_does_not() -> None:
    new = set(validation_pairs(5))
    shown = [new & {g.pair for g in each.groups()} for each in _descriptions("validation")]

    assert 0.45 < sum(map(bool, shown)) / len(shown) < 0.6
    assert set().union(*shown) == new


def test_every_test_scene_shows_a_held_out_pair() -> None:
    held_out = set(held_out_pairs(5))
    shown = Counter(
        pair
        for each in _descriptions("test")
        for pair in held_out & {group.pair for group in each.groups()}
    )

    assert all(held_out & {g.pair for g in each.groups()} for each in _descriptions("test"))
    assert set(shown) == held_out
    assert min(shown.values()) > 200


def test_parts_show_different_things() -> None:
    train, validation, test = ({each.captions() for each in _descriptions(part)} for part in PARTS)

    assert not train & validation
    assert not train & test
    assert not validation & test


def test_colours_shapes_counts_sizes_and_relations_are_about_as_frequent() -> None:
    descriptions = list(_descriptions("train"))
    groups = [group for each in descriptions for group in each.groups()]
    drawn: list[tuple[list[object], int]] = [
        ([group.pair.colour for group in groups], 6),
        ([group.pair.shape for group in groups], 6),
        ([each.first.amount for each in descriptions if each.second is None], 3),
        ([group.size for group in groups], 2),
        ([each.relation for each in descriptions if each.relation], 4),
    ]
    for values, kinds in drawn:
        counts = Counter(values).values()
        assert len(counts) == kinds
        assert min(counts) > 0.65 * max(counts)
    assert all(g.amount == 1 for each in descriptions if each.second for g in each.groups())
    assert 0.35 < sum(each.second is None for each in descriptions) / len(descriptions) < 0.45


@pytest.mark.parametrize("part", PARTS)
def test_a_scene_follows_from_seed_part_and_number(part: Part) -> None:
    scenes, again, other = ScenePart(part, 2), ScenePart(part, 2), ScenePart(part, 3)
    backwards = [again.picture(number, 64).tobytes() for number in reversed(range(10))]

    assert [scenes.picture(number, 64).tobytes() for number in range(10)] == backwards[::-1]
    assert [scenes.description(number) for number in range(10)] != [
        other.description(number) for number in range(10)
    ]
    assert scenes.scene(4).description == scenes.description(4)


def test_pictures_of_a_size_are_drawn_quickly() -> None:
    # Under a millisecond on an idle core; far from it only if something is badly wrong.
    part = ScenePart("train", 0)

    assert len({part.picture(number, 64).tobytes() for number in range(200)}) == 200
