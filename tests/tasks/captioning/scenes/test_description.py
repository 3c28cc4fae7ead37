"""The grammar of captions."""

import pytest

from seqforge_tasks.captioning.scenes import Description, Group, Pair

CIRCLE = Group(1, "small", Pair("red", "circle"))
CROSSES = Group(3, "large", Pair("blue", "cross"))


@pytest.mark.parametrize(
    ("group", "phrase"),
    [
        (CIRCLE, "a small red circle"),
        (CROSSES, "three large blue crosses"),
        (Group(2, "small", Pair("black", "star")), "two small black stars"),
    ],
)
def test_a_group_is_a_noun_phrase(group: Group, phrase: str) -> None:
    assert group.phrase() == phrase


def test_one_group_has_one_caption() -> None:
    assert Description(CROSSES).captions() == ("three large blue crosses",)


def test_two_groups_have_two_captions_one_from_either_side() -> None:
    assert Description(CIRCLE, "above", CROSSES).captions() == (
        "a small red circle above three large blue crosses",
        "three large blue crosses below a small red circle",
    )


@pytest.mark.parametrize(
    ("relation", "inverse"), [("left of", "right of"), ("above", "below"), ("below", "above")]
)
def test_captions_do_not_say_which_group_was_first(relation: str, inverse: str) -> None:
    one = Description(CIRCLE, relation, CROSSES)
    other = Description(CROSSES, inverse, CIRCLE)

    assert one.captions() == other.captions()
