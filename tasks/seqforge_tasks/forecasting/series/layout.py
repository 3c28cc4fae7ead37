"""`Layout`: what the columns of a table of series mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import pandas as pd

from seqforge.errors import UserError, closest_match

Kind = Literal["auto", "wide", "long", "ragged", "plain"]
Duplicates = Literal["refuse", "first", "last", "mean"]
Missing = Literal["mask", "refuse"]

_CHOICES = {"kind": Kind, "duplicates": Duplicates, "missing": Missing}
_NAMES = ("target", "past", "known", "static")
_LISTS = (*_NAMES, "texts")


@dataclass(frozen=True)
class Layout:
    """How series lie in a file, a frame or arrays.

    Left alone, it is found out: a table with the columns `unique_id`, `ds`, `y` is long; one whose
    columns are called `V1`, `V2`, … is ragged; one number a line is plain; everything else is wide.

    Attributes:
        kind: "wide": a row each step, a column each series (or channel). "long": a row each step of
            each series. "ragged": a row each series, its name first, empty cells behind its end.
            "plain": one number a line. "auto": see above.
        date: Column with the dates; None: `ds`, `date` or the like, else the first column if it
            holds dates. Whole numbers in it are steps.
        id: Column with the names of series, of long tables; None: `unique_id` or the like.
        target: Columns to forecast; none: all columns of numbers that are no covariates (wide), or
            `y` (long).
        past: Columns with covariates that are known up to the present alone.
        known: Columns with covariates that are known in advance.
        static: Columns that describe a series, of long tables: numbers, or text as categories.
        multivariate: The target's columns are channels of one series (wide), or of each (long);
            False: each column of a wide table is a series of its own.
        frequency: The step, as a pandas offset alias such as "h" or "MS"; None: the most common.
        date_format: Format of the dates, as of `strptime`; None: found out.
        timezone: Zone of dates that name none, such as "Europe/Berlin"; None: they are taken as
            written, and a clock that is put forward leaves a missing hour.
        duplicates: What becomes of rows with the same date: the first, the last, their mean, or
            they are refused.
        missing: "mask": missing values are left to masks; "refuse": none may be missing.
        name: Name of the source in messages, and of a series that has no other.
        texts: Those of `static` that are categories even if all their cells are numbers.

    Raises:
        UserError: A choice is unknown, a column has two roles, or the frequency or zone is unknown.
    """

    kind: Kind = "auto"
    date: str | None = None
    id: str | None = None
    target: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    multivariate: bool = False
    frequency: str | None = None
    date_format: str | None = None
    timezone: str | None = None
    duplicates: Duplicates = "refuse"
    missing: Missing = "mask"
    name: str = "series"
    texts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for key, choice in _CHOICES.items():
            _require_choice(key, getattr(self, key), get_args(choice))
        for key in _NAMES:
            if isinstance(getattr(self, key), str):
                raise UserError(
                    f"{key} is '{getattr(self, key)}', and must be a list of columns",
                    where=f"data.{key}",
                    todo=f"write [{getattr(self, key)}]",
                )
        self._require_one_role_each()
        if self.frequency is not None:
            _require_frequency(self.frequency)
        if self.timezone is not None:
            _require_timezone(self.timezone)

    def _require_one_role_each(self) -> None:
        roles: dict[str, str] = {}
        for key in ("date", "id", *_NAMES):
            value = getattr(self, key)
            for column in value if key in _NAMES else filter(None, [value]):
                if column in roles:
                    raise UserError(
                        f"the column '{column}' is named twice",
                        where=" and ".join(dict.fromkeys([f"data.{roles[column]}", f"data.{key}"])),
                        todo="name it once: each column has one meaning",
                    )
                roles[column] = key

    def to_spec(self) -> dict[str, Any]:
        """Return the layout as plain JSON values."""
        values = asdict(self)
        if not self.texts:
            values.pop("texts")  # the training data's; `spec["categories"]` tells which they were
        return {key: list(each) if key in _LISTS else each for key, each in values.items()}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Layout:
        """Return the layout that `to_spec` wrote."""
        known = {each.name for each in fields(cls)}
        values: dict[str, Any] = {
            key: tuple(value) if key in _LISTS else value
            for key, value in spec.items()
            if key in known
        }
        return cls(**values)


def _require_choice(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UserError(
            f"{key} is '{value}'",
            where=f"data.{key}",
            accepted=choices,
            closest=closest_match(value, choices),
        )


def _require_frequency(alias: str) -> None:
    try:
        pd.tseries.frequencies.to_offset(alias)
    except ValueError as error:
        raise UserError(
            f"there is no frequency '{alias}'",
            where="data.frequency",
            todo="give a pandas offset alias: h, 30min, D, B (business days), W-SUN, MS (month "
            "starts), ME (month ends), QS, YS",
        ) from error


def _require_timezone(name: str) -> None:
    try:
        pd.Timestamp(0, tz=name)
    except (KeyError, ValueError, OSError) as error:
        raise UserError(
            f"there is no time zone '{name}'",
            where="data.timezone",
            todo="give a name of the tz database, such as Europe/Berlin, or UTC",
        ) from error
