"""The log of a training that is compared with others: a line of JSON for each step.

Runners of peers import this file, so it needs nothing but Python. The first line says what is
trained and with what, every other one when a step ended, what it had learnt from, and its loss.
"""

from __future__ import annotations

import json
import time
from pathlib import Path


class StepLines:
    """Writes the log, line by line, so that it can be read while training goes on.

    Args:
        log: The file; what is in it is lost.
    """

    def __init__(self, log: Path) -> None:
        self._file = log.open("w", encoding="utf-8")

    def begin(self, parameters: int, **versions: str) -> None:
        """Write the first line.

        Args:
            parameters: Numbers that are trained.
            versions: Of the libraries.
        """
        self._write({"parameters": parameters, "versions": versions})

    def step(self, items: int, loss: float) -> None:
        """Write that a step has ended just now.

        Args:
            items: Characters, words or whatever it has learnt from.
            loss: Of its batch, before it.
        """
        # The clock of CLOCK_MONOTONIC, which all processes of a machine share.
        self._write({"end": time.perf_counter(), "items": items, "loss": loss})

    def _write(self, line: dict[str, object]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
