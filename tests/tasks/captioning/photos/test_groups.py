"""What belongs together is in one group, whatever the order."""

from hypothesis import given
from hypothesis import strategies as st

from seqforge_tasks.captioning.photos.groups import groups_of

clips = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.none() | st.sampled_from("uvwxyz")), max_size=12
)


def _partition(names: list[str]) -> set[frozenset[int]]:
    return {
        frozenset(place for place, name in enumerate(names) if name == one) for one in set(names)
    }


def _by_search(found: list[tuple[str, str | None]]) -> set[frozenset[int]]:
    """Return the connected components of clips that share content or source."""
    left, parts = set(range(len(found))), set()
    while left:
        part = {left.pop()}
        while more := {
            other
            for other in left
            for one in part
            if found[other][0] == found[one][0]
            or (found[one][1] is not None and found[other][1] == found[one][1])
        }:
            part |= more
            left -= more
        parts.add(frozenset(part))
    return parts


@given(clips)
def test_groups_are_the_connected_ones(found: list[tuple[str, str | None]]) -> None:
    names = groups_of([key for key, _ in found], [source for _, source in found])
    assert _partition(names) == _by_search(found)


@given(clips, st.randoms())
def test_names_do_not_depend_on_the_order(
    found: list[tuple[str, str | None]], random: object
) -> None:
    shuffled = found.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    names = [
        dict(zip(each, groups_of([key for key, _ in each], [s for _, s in each]), strict=True))
        for each in (found, shuffled)
    ]
    assert names[0] == names[1]


def test_photos_are_known_by_their_content_alone() -> None:
    assert groups_of(["a", "b", "a"], [None, None, None]) == ["a", "b", "a"]
