"""Which photos are trained on, which choose a checkpoint, and which are reported on."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.splits import Places, canonical, divide, places_of

KEYS = [f"key {number}" for number in range(200)]


def _kept(keys: list[str], numbers: list[int]) -> set[str]:
    return {keys[number] for number in numbers}


@pytest.mark.parametrize(
    ("present", "select", "report", "expected"),
    [
        (["train", "val", "test"], None, None, Places("test", "val")),
        (["train", "val", "test"], 500, None, Places("test", 500)),
        (["train", "val"], 500, "val", Places("val", 500)),
        (["train", "val"], None, None, Places("val", 0.1)),
        (["train", "val"], None, "dev", Places("val", 0.1)),
        (["train", "test"], 0.2, None, Places("test", 0.2)),
        (["train", "val", "holiday"], None, "holiday", Places("holiday", "val")),
        (["train"], None, None, Places(0.1, 0.1)),
        (["train"], 3, 5, Places(5, 3)),
    ],
)
def test_parts_come_from_splits_or_from_training(
    present: list[str],
    select: int | float | None,
    report: str | int | float | None,
    expected: Places,
) -> None:
    assert places_of(present, select, report) == expected


def test_what_chooses_is_never_what_is_reported() -> None:
    places = places_of(["train", "val"], None, "val")

    assert places.validation != places.test


@pytest.mark.parametrize(("report", "closest"), [("tset", "test"), ("train", ""), ("nothing", "")])
def test_a_split_that_is_not_there_cannot_be_reported(report: str, closest: str) -> None:
    with pytest.raises(UserError, match=f"there is no split '{report}' to report on") as raised:
        places_of(["train", "val", "test"], None, report)

    assert raised.value.accepted == ("test", "val")
    assert raised.value.closest == closest
    assert raised.value.where == "data.report"


def test_without_training_photos_there_is_nothing_to_learn() -> None:
    with pytest.raises(UserError, match="no training photos") as raised:
        places_of(["val", "test"], None, None)

    assert "test, val" in raised.value.todo


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("restval", "train"),
        ("dev", "val"),
        ("Validation", "val"),
        ("test", "test"),
        (None, "train"),
    ],
)
def test_splits_have_usual_names(split: str | None, expected: str) -> None:
    assert canonical(split, None, "line 1") == expected


def test_a_split_of_an_unknown_name_is_refused_unless_it_is_reported() -> None:
    with pytest.raises(
        UserError, match="line 7 is of a split that is not known: 'trian'"
    ) as raised:
        canonical("trian", None, "line 7")

    assert raised.value.closest == "train"
    assert canonical("testA", "testA", "line 7") == "testA"


@given(st.integers(1, 90), st.integers(1, 90), st.randoms(use_true_random=False))
def test_as_many_are_kept_as_asked_for_whatever_the_order(
    select: int, report: int, chance: random.Random
) -> None:
    places, given = Places(report, select), (select, report)
    usual = divide(KEYS, ["train"] * 200, places, given).parts
    order = list(KEYS)
    chance.shuffle(order)
    shuffled = divide(order, ["train"] * 200, places, given).parts

    assert [len(usual[part]) for part in ("validation", "test")] == [select, report]
    assert sorted(number for part in usual.values() for number in part) == list(range(200))
    for part in ("train", "validation", "test"):
        assert _kept(KEYS, list(usual[part])) == _kept(order, list(shuffled[part]))


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.sampled_from(["train", "train", "val", "test"])),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from([None, 1, 2, 0.3]),
)
def test_no_content_is_in_two_parts(
    photos: list[tuple[int, str]], select: int | float | None
) -> None:
    keys, splits = [str(key) for key, _ in photos], [split for _, split in photos]
    try:
        places = places_of(splits, select, None)
        division = divide(keys, splits, places, (select, None))
    except UserError:
        return  # too few photos, which the message says
    found = [_kept(keys, list(numbers)) for numbers in division.parts.values()]

    assert all(found)
    assert sum(map(len, found)) == len(set.union(*found))
    used = [key for key, split in zip(keys, splits, strict=True) if places.used(split)]
    parts = division.parts
    assert division.copies == len(used) - sum(len(numbers) for numbers in parts.values())
    if isinstance(places.test, str):
        assert all(splits[number] == places.test for number in parts["test"])


def test_copies_leave_training_for_what_is_reported() -> None:
    keys, splits = ["a", "b", "c", "a", "d", "c"], ["train"] * 3 + ["test"] * 2 + ["val"]

    division = divide(keys, splits, Places("test", "val"))

    assert division.parts == {"train": [1], "validation": [5], "test": [3, 4]}
    assert division.copies == 2


def test_a_default_share_is_no_more_than_a_thousand() -> None:
    keys = [str(number) for number in range(12_000)]
    splits = ["train"] * len(keys)

    limited = divide(keys, splits, Places(0.1, 0.1)).parts
    asked = divide(keys, splits, Places(0.1, 0.1), (0.1, 0.1)).parts

    assert [len(limited[part]) for part in ("validation", "test")] == [1000, 1000]
    assert [len(asked[part]) for part in ("validation", "test")] == [1080, 1200]


@pytest.mark.parametrize("count", [3, 10])
def test_more_cannot_be_kept_than_there_are(count: int) -> None:
    with pytest.raises(UserError, match=f"{count} photos are to be kept from 3") as raised:
        divide(KEYS[:4], ["train"] * 3 + ["test"], Places("test", count), (count, None))

    assert raised.value.where == "data.select"
    assert raised.value.todo == "keep fewer"


def test_a_single_photo_cannot_be_shared_out() -> None:
    with pytest.raises(UserError, match="1 photo is to be kept from 1 for training") as raised:
        divide(KEYS[:1], ["train"], Places(0.1, 0.1))

    assert raised.value.where == "data.report"
    assert raised.value.todo == "give more photos of different content"


def test_a_part_without_photos_is_refused() -> None:
    with pytest.raises(UserError, match="no photo is left for the train part"):
        divide(["a", "b", "a"], ["train", "val", "test"], Places("test", "val"))
