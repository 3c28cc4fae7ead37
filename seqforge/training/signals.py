"""Signals only set a flag; training stops at the next place from which it can be resumed."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Any

from seqforge.errors import INTERRUPTED, RESUME_ME

EXIT_CODES = {signal.SIGTERM: RESUME_ME, signal.SIGINT: INTERRUPTED}
if sys.platform != "win32":
    EXIT_CODES[signal.SIGUSR1] = RESUME_ME


class SignalFlag:
    """Catches SIGTERM, SIGUSR1 and Ctrl-C between `install` and `remove`.

    Attributes:
        caught: The last one that came.
        seen: The names of all that came.
    """

    def __init__(self) -> None:
        self.caught: signal.Signals | None = None
        self.seen: set[str] = set()
        self._previous: dict[signal.Signals, Any] = {}

    @property
    def exit_code(self) -> int:
        """The process's exit code; when another rank caught the signal, "resume me"."""
        return RESUME_ME if self.caught is None else EXIT_CODES[self.caught]

    def install(self) -> None:
        """Take over the signals, after Lightning has installed its own handlers.

        Only a process's main thread may; in another one nothing is caught.
        """
        self.caught, self.seen = None, set()
        if self._previous or threading.current_thread() is not threading.main_thread():
            return
        for number in EXIT_CODES:
            self._previous[number] = signal.signal(number, self._handle)

    def remove(self) -> None:
        """Give the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.caught == signal.SIGINT:
            raise KeyboardInterrupt  # the second Ctrl-C ends at once
        self.caught = signal.Signals(number)
        self.seen.add(self.caught.name)
