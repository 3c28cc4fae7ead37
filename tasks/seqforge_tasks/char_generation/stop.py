"""Ending a text at a string that may come in parts."""

from __future__ import annotations


class StopFilter:
    """Lets a text through, piece by piece, up to a stop string.

    What may turn out to be the string's beginning is held back until it is clear.

    Args:
        stop: The string; empty: everything is let through.

    Attributes:
        found: Whether the string has come; all that follows is dropped.
    """

    def __init__(self, stop: str) -> None:
        self.found = False
        self._stop = stop
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return what is certain to stand before the stop string after this piece."""
        if self.found or not self._stop:
            return "" if self.found else piece
        text = self._held + piece
        before, stop, _ = text.partition(self._stop)
        self.found = bool(stop)
        self._held = "" if self.found else self._beginning(text)
        return before if self.found else text.removesuffix(self._held)

    def close(self) -> str:
        """Return what was held back: the text has ended without the stop string."""
        held, self._held = self._held, ""
        return held

    def _beginning(self, text: str) -> str:
        """Return the longest end of a text with which the stop string may begin."""
        lengths = range(min(len(text), len(self._stop) - 1), 0, -1)
        return next((text[-n:] for n in lengths if self._stop.startswith(text[-n:])), "")
