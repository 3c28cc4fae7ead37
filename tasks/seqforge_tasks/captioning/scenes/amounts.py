"""How much is drawn at least."""

from __future__ import annotations

from seqforge.errors import UserError


def require_least(given: int, least: int, things: str, where: str) -> None:
    """Refuse too small a number.

    Args:
        given: The number.
        least: The smallest that is accepted.
        things: What it counts.
        where: The key.

    Raises:
        UserError: It is smaller.
    """
    if given < least:
        raise UserError(f"{given} {things} are too few", where=where, todo=f"give at least {least}")
