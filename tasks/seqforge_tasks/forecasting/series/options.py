"""What a user can set of series, and which values are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args

from seqforge.errors import UserError, closest_match

SplitKind = Literal["fractions", "steps", "horizons", "dates", "series"]
Scaling = Literal["standard", "mean_abs", "none"]
Amount = int | float | str | None
"""How much a part takes, see `SeriesOptions.split`."""


@dataclass(frozen=True)
class SeriesOptions:
    """How series are split, scaled and cut into windows.

    Attributes:
        context: Steps that a window knows, `L`; short series have shorter contexts.
        horizon: Steps that it forecasts, `H`.
        lead: Steps from the end of the context to the first of the horizon.
        stride: Steps from one training window to the next.
        eval_stride: Steps from one cut-off to the next in validation and test.
        split: What the three parts are given in, from a series' beginning on. "fractions" of its
            steps; "steps"; "horizons": validation and test are the last so many horizons, training
            is the rest; "dates": the first day of validation and of test; "series": training,
            validation and test have series of their own, in fractions or numbers of them.
        train: Training part; not given for horizons and dates.
        validation: Validation part; None or 0: there is none.
        test: Test part; None or 0: there is none.
        calibration: Share of the validation windows, the latest, that calibrates intervals and is
            not scored.
        scaling: "standard": each series minus the mean of its training part, over its standard
            deviation; "mean_abs": over the mean absolute value; "none". Series that are split by
            "series" share one scale.
        season: Steps of a season, for the seasonal naive forecast; None: a usual one of the
            frequency, such as 24 of hours; without dates 1.
        calendar: Features of the date, known in advance: "auto" for those usual at the frequency,
            "none", or names such as "hour" and "day_of_week".
        carried: Training reads each series in consecutive chunks of `context` steps, with the state
            carried on; validation and test read each as one window.
        naive2: Whether M4's Naive2 forecast goes with each window of validation and test, for OWA.

    Raises:
        UserError: A value is out of range, or two do not go together.
    """

    context: int = 96
    horizon: int = 24
    lead: int = 1
    stride: int = 1
    eval_stride: int = 1
    split: SplitKind = "fractions"
    train: Amount = 0.7
    validation: Amount = 0.1
    test: Amount = 0.2
    calibration: float = 0.0
    scaling: Scaling = "standard"
    season: int | None = None
    calendar: str | tuple[str, ...] = "none"
    carried: bool = False
    naive2: bool = False

    def __post_init__(self) -> None:
        _require_choice("split", self.split, get_args(SplitKind))
        _require_choice("scaling", self.scaling, get_args(Scaling))
        for name, right, todo in self._ranges():
            if not right:
                raise UserError(
                    f"{name} is {getattr(self, name)!r}", where=f"data.{name}", todo=todo
                )
        if self.carried and self.calibration:
            raise UserError(
                "calibration takes some of the validation windows, but carried makes each series "
                "one window",
                where="data.calibration",
                todo="leave out one of the two",
            )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return the options that some values hold; those of other names are left alone.

        Args:
            values: Options by name; `calendar` may be a list of names.

        Raises:
            UserError: As of the class.
        """
        chosen = {each.name: values[each.name] for each in fields(cls) if each.name in values}
        if not isinstance(chosen.get("calendar", ""), str):
            chosen["calendar"] = tuple(chosen["calendar"])
        return cls(**chosen)

    def _ranges(self) -> Iterator[tuple[str, bool, str]]:
        """Yield each option with a range, whether it is in it, and what to do otherwise."""
        yield "context", self.context >= 1, "give at least 1 step"
        yield "horizon", self.horizon >= 1, "give at least 1 step"
        yield "lead", self.lead >= 1, "give at least 1: the step behind the context"
        yield "stride", self.stride >= 1, "give at least 1 step"
        yield "eval_stride", self.eval_stride >= 1, "give at least 1 step"
        yield "calibration", 0 <= self.calibration < 1, "give a share, from 0 to less than 1"
        yield "season", self.season is None or self.season >= 1, "give at least 1 step, or null"


def _require_choice(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UserError(
            f"{key} is '{value}'",
            where=f"data.{key}",
            accepted=choices,
            closest=closest_match(value, choices),
        )
