"""What belongs together: photos of equal content, clips of one video."""

from __future__ import annotations

from collections.abc import Sequence


def groups_of(keys: Sequence[str], sources: Sequence[str | None]) -> list[str]:
    """Return a name for the group of each photo or clip.

    Those of equal content are of one group, and so are those of one source; if a clip has the
    content of one group and the source of another, the two are one.

    Args:
        keys: A hash of each one's content.
        sources: What each was cut from; None: nothing.

    Returns:
        Names that depend neither on other groups nor on the order.
    """
    leader: dict[str, str] = {}

    def found(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for key, source in zip(keys, sources, strict=True):
        if source is not None:
            # The smaller name leads, whichever clip comes first.
            first, second = sorted((found(f"content {key}"), found(f"source {source}")))
            leader[second] = first
    return [
        key if source is None and f"content {key}" not in leader else found(f"content {key}")
        for key, source in zip(keys, sources, strict=True)
    ]
