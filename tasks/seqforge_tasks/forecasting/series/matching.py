"""Whether series have the columns that an encoding was learnt from."""

from __future__ import annotations

from collections.abc import Sequence

from seqforge.errors import UserError, closest_match


def require_columns(role: str, names: Sequence[str], given: Sequence[str]) -> None:
    """Refuse columns that are not those of training, or in another order.

    Args:
        role: What they are, such as "past".
        names: Those of training.
        given: Those of the series.

    Raises:
        UserError: They are not the same.
    """
    require_all(role, names, given)
    if tuple(names) != tuple(given):
        raise UserError(
            f"the {role} columns are {', '.join(given)}; training had {', '.join(names) or 'none'}",
            where="the series",
            todo="give the same columns, in the same order",
        )


def require_all(role: str, names: Sequence[str], given: Sequence[str]) -> None:
    """Refuse columns among which one of training is missing.

    Args:
        role: What they are, such as "static".
        names: Those of training.
        given: Those of the series.

    Raises:
        UserError: One is missing.
    """
    for name in names:
        if name not in given:
            raise UserError(
                f"the series have no {role} column '{name}', which training had",
                where="the series",
                accepted=given,
                closest=closest_match(name, given),
                todo="give the columns that training had",
            )
