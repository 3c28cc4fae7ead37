"""Which photos are trained on, which choose a checkpoint, and which are reported on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from seqforge.errors import UserError, closest_match
from seqforge_tasks.captioning.photos.photos import Part

SPLITS: Final[Mapping[str, str]] = {
    "train": "train",
    "training": "train",
    "restval": "train",  # photos of COCO's val that Karpathy's splits add to the training ones
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
"""The usual splits, by the names that files give them."""

SHARE: Final = 0.1
"""Of the training photos, where nothing is said about how many are kept from them."""

MOST: Final = 1000
"""How many are kept at most then."""

NOT_LISTED: Final = "not listed"
"""The split of photos that no list of a split names, where there are lists: they are not used."""


class Places(NamedTuple):
    """What each part is taken from.

    Attributes:
        test: A split, or how many photos are kept from the training ones.
        validation: Likewise.
    """

    test: str | int | float
    validation: str | int | float

    def used(self, split: str) -> bool:
        """Return whether photos of a split are used at all."""
        return split in ("train", self.test, self.validation)


def canonical(split: str | None, reported: object, place: str) -> str:
    """Return a split by its usual name; "train" if there is none.

    Args:
        split: As the file names it.
        reported: The split that is reported on, which may have any name.
        place: Where it is named, for messages.

    Raises:
        UserError: It has no usual name and is not the one reported.
    """
    if split is None:
        return "train"
    name = split.strip()
    usual = SPLITS.get(name.lower())
    if usual is not None:
        return usual
    if name in (reported, NOT_LISTED):
        return name
    raise UserError(
        f"{place} is of a split that is not known: '{split}'",
        where="data.path",
        accepted=SPLITS,
        closest=closest_match(name, SPLITS),
        todo="name the usual splits there; one of another name can be reported: --data.report NAME",
    )


def places_of(
    present: Iterable[str], select: int | float | None, report: str | int | float | None
) -> Places:
    """Return what the parts are taken from, for files with these splits.

    The reported photos are those of `test`, or of `val` if there is no such split, or else kept
    from the training ones. The photos that choose a checkpoint are those of `val` if these are not
    reported, or else kept from the training ones. None are both.

    Args:
        present: The splits there are, by their usual names.
        select: How many photos of training choose the checkpoint, or their share.
        report: The split that is reported on, or how many photos of training, or their share.

    Raises:
        UserError: There is no training split, or not the one to report on.
    """
    splits = sorted(set(present))
    if "train" not in splits:
        raise UserError(
            "the captions name no training photos",
            where="data.path",
            accepted=["train", "restval"],
            todo=f"there are {', '.join(splits) or 'none'}: name those to train on `train`",
        )
    reported = report
    if isinstance(report, str):
        reported = SPLITS.get(report.lower(), report)
        if reported not in splits or reported == "train":
            others = [split for split in splits if split != "train"]
            raise UserError(
                f"there is no split '{report}' to report on",
                where="data.report",
                accepted=others,
                closest=closest_match(report, others),
                todo="name one of these" if others else "give a share of the photos, such as 0.1",
            )
    if reported is None:
        named = [split for split in ("test", "val") if split in splits]
        reported = named[0] if named else SHARE
    if select is not None:
        return Places(reported, select)
    return Places(reported, "val" if "val" in splits and reported != "val" else SHARE)


@dataclass(frozen=True)
class Division:
    """Photos by part.

    Attributes:
        parts: The numbers of each part's photos, ascending.
        copies: Photos that left a part since another one has a picture of the same content.
    """

    parts: Mapping[Part, Sequence[int]]
    copies: int


def divide(
    keys: Sequence[str],
    splits: Sequence[str],
    places: Places,
    given: tuple[int | float | None, str | int | float | None] = (None, None),
) -> Division:
    """Divide photos into parts; pictures of equal content are in one part only.

    Photos that are reported on leave the others, and those that choose a checkpoint leave the
    training ones. What is kept from training is chosen by a hash of the content: it depends
    neither on names nor on the order of the files.

    Args:
        keys: A hash of each photo's content.
        splits: Each photo's split, by its usual name.
        places: What the parts are taken from.
        given: What the user said of `select` and `report`: None is at most 1,000 photos.

    Raises:
        UserError: No photo is left for training, or more are to be kept than there are.
    """
    train = [number for number, split in enumerate(splits) if split == "train"]
    select, report = given
    test, train = _taken("report", places.test, report is None, keys, splits, train)
    validation, train = _taken(
        "select", places.validation, select is None, keys, splits, train, test
    )
    tested, chosen = {keys[each] for each in test}, {keys[each] for each in validation}
    kept_validation = [each for each in validation if keys[each] not in tested]
    measured = tested | chosen
    kept_train = [each for each in train if keys[each] not in measured]
    parts: dict[Part, Sequence[int]] = {
        "train": kept_train,
        "validation": kept_validation,
        "test": test,
    }
    for part, numbers in parts.items():
        if not numbers:
            raise UserError(
                f"no photo is left for the {part} part",
                where="data.select, data.report",
                todo="give more photos, or keep others from training",
            )
    left = len(validation) - len(kept_validation) + len(train) - len(kept_train)
    return Division(parts, left)


def _taken(
    option: str,
    place: str | int | float,
    limited: bool,
    keys: Sequence[str],
    splits: Sequence[str],
    train: list[int],
    tested: Sequence[int] = (),
) -> tuple[list[int], list[int]]:
    """Return the photos of a part, and the training ones without those kept for it."""
    if isinstance(place, str):
        return [number for number, split in enumerate(splits) if split == place], train
    taboo = {keys[each] for each in tested}
    free = [each for each in train if keys[each] not in taboo]
    count = place if isinstance(place, int) else max(1, round(place * len(free)))
    if limited:
        count = min(count, MOST)
    if count >= len(free):
        wanted = f"{count:,} {'photo is' if count == 1 else 'photos are'} to be kept"
        raise UserError(
            f"{wanted} from {len(free):,} for training: none would be left",
            where=f"data.{option}",
            todo="give more photos of different content" if limited else "keep fewer",
        )
    kept = _kept(option, count, [keys[each] for each in free])
    return (
        [each for each in train if keys[each] in kept],
        [each for each in train if keys[each] not in kept],
    )


def _kept(option: str, count: int, keys: Sequence[str]) -> set[str]:
    """Return the contents that are kept, of `count` photos in all, or fewer by copies."""
    copies: dict[str, int] = {}
    for key in keys:
        copies[key] = copies.get(key, 0) + 1
    kept: set[str] = set()
    left = count
    for key in sorted(
        copies, key=lambda each: hashlib.sha256(f"{option} {each}".encode()).digest()
    ):
        if left == 0:
            break
        if copies[key] <= left:
            kept.add(key)
            left -= copies[key]
    return kept
