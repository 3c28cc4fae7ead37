"""Long work that one process of a run does, while the others wait for it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from typing import NamedTuple

from torch import distributed

from seqforge.errors import UserError

PULSE = 5.0
"""Seconds after which those that wait hear of the work, lest they take it for dead."""


class _Message(NamedTuple):
    result: str | None = None
    error: UserError | None = None


def rank() -> int:
    """Return this process's number in its run; 0 for a process by itself."""
    return distributed.get_rank() if _are_several() else 0


def done_by_first(work: Generator[None, None, str]) -> str:
    """Do work on the first process of a run; on all of them, return what came of it.

    Args:
        work: Yields now and then, at least once in a few minutes, and returns a text. Only the
            first process runs it.

    Raises:
        UserError: The first process failed; it raises what the work raised itself.
    """
    return _do(work) if rank() == 0 else _wait()


def agreed(problem: UserError | None) -> None:
    """Raise the first problem that any process of the run has, on all of them.

    Raises:
        UserError: There is one.
    """
    problems = [problem]
    if _are_several():
        problems = [None] * distributed.get_world_size()
        distributed.all_gather_object(problems, problem)
    for each in problems:
        if each is not None:
            raise each


def _are_several() -> bool:
    return distributed.is_available() and distributed.is_initialized()


def _do(work: Generator[None, None, str]) -> str:
    told = time.monotonic()
    try:
        while True:
            next(work)
            if time.monotonic() - told > PULSE:
                told = time.monotonic()
                _send(_Message())
    except StopIteration as end:
        result = str(end.value)
    except BaseException as error:
        known = error if isinstance(error, UserError) else None
        with contextlib.suppress(RuntimeError):  # what went wrong matters more than who hears
            _send(_Message(error=known or UserError(f"the first process failed: {error!r}")))
        raise
    _send(_Message(result))
    return result


def _send(message: _Message) -> None:
    if _are_several():
        distributed.broadcast_object_list([message], src=0)


def _wait() -> str:
    while True:
        heard = [_Message()]
        distributed.broadcast_object_list(heard, src=0)
        if heard[0].error is not None:
            raise heard[0].error
        if heard[0].result is not None:
            return heard[0].result
