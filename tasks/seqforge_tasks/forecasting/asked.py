"""What can be asked of a trained network: its horizons, and its intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqforge.errors import UserError
from seqforge_tasks.forecasting.forecasting_options import ForecastingOptions
from seqforge_tasks.forecasting.pictures import level_name

if TYPE_CHECKING:
    from seqforge_tasks.forecasting.task import Forecasting

# Why there are no intervals, by whether they are calibrated, and what to do.
_WITHOUT = {
    False: (
        "the network forecasts points alone",
        "leave it out, or train with model.task.conformal: true or with a head that has a spread: "
        "quantile, gaussian, student_t",
    ),
    True: (
        "those of the checkpoint were never calibrated",
        "leave it out, or train with data.calibration and a validation part",
    ),
}


def asked_horizon(task: Forecasting, options: ForecastingOptions) -> int:
    """Return the steps that are forecast.

    Args:
        task: A built task.
        options: What the user asks for.

    Raises:
        UserError: It is more than in training, and the mode cannot go on.
    """
    trained: int = task.spec["horizon"]
    asked = options.horizon or trained
    if asked > trained and not task.network.mode.any_horizon:
        raise UserError(
            f"a horizon of {asked} steps, and the network was trained to forecast {trained} at "
            f"once (mode {task.mode})",
            where="--horizon",
            todo=f"give at most {trained}, or train with data.horizon: {asked}, or in mode "
            "recursive, which can go on",
        )
    return asked


def asked_levels(task: Forecasting, options: ForecastingOptions) -> list[float]:
    """Return the levels of the intervals that are given, in percent, in increasing order.

    Without a level that is asked for, they are those of training, if the network has intervals.

    Args:
        task: A built task.
        options: What the user asks for.

    Raises:
        UserError: The network has no such intervals.
    """
    if not options.intervals:
        return []
    calibrated = task.conformal and bool(task.correction.calibrated)
    has_some = calibrated if task.conformal else task.network.head.spreads
    if not options.levels:
        return sorted(task.levels) if has_some else []
    if not has_some:
        reason, todo = _WITHOUT[task.conformal]
        raise UserError(
            f"intervals of {_names(options.levels)} %, and {reason}", where="--levels", todo=todo
        )
    absent = [level for level in options.levels if level not in task.levels]
    if task.conformal and absent:
        raise UserError(
            f"an interval of {level_name(absent[0])} %, and those of {_names(task.levels)} % were "
            "calibrated",
            where="--levels",
            accepted=[level_name(level) for level in task.levels],
            todo="give one of these, or train with it in model.task.levels",
        )
    return sorted(options.levels)


def _names(levels: list[float]) -> str:
    return " and ".join(map(level_name, levels))
