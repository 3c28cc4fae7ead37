"""What cannot be used of captioned photos: it is refused, or skipped and counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from seqforge.errors import UserError

OnError = Literal["refuse", "skip"]


@dataclass
class Skipped:
    """Counts what is skipped, by reason, with the first of each; or refuses it.

    Attributes:
        on_error: "refuse" or "skip".
    """

    on_error: OnError = "refuse"
    _counts: dict[str, int] = field(default_factory=dict)
    _first: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, name: str, error: UserError) -> None:
        """Count something that cannot be used.

        Args:
            reason: What is wrong, as the count says it: "pictures that are not there".
            name: What it is called.
            error: What is raised where nothing is skipped.

        Raises:
            UserError: The error, with `on_error: refuse`.
        """
        if self.on_error == "refuse":
            raise error
        self._counts[reason] = self._counts.get(reason, 0) + 1
        self._first.setdefault(reason, name)

    def count(self, reason: str) -> int:
        """Return how many were skipped for a reason."""
        return self._counts.get(reason, 0)

    def notes(self) -> list[str]:
        """Return a line on what was skipped; none if nothing was."""
        if not self._counts:
            return []
        reasons = ", ".join(
            f"{count:,} {reason} (first: '{self._first[reason]}')"
            for reason, count in self._counts.items()
        )
        return [f"skipped: {reasons}"]
