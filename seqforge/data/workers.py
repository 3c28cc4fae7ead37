"""What a loader says of worker processes that died."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing import connection
from typing import TypeVar

Item = TypeVar("Item")


def watch_workers(batches: Iterator[Item]) -> Iterator[Item]:
    """Yield what an iterator of a `DataLoader` yields, and say plainly that a worker has died.

    Raises:
        RuntimeError: A worker was killed. PyTorch says the same, unless the worker had announced a
            batch already: then opening what is gone fails, with an error that names no worker.
    """
    try:
        yield from batches
    except (OSError, EOFError) as error:
        workers = {worker.sentinel: worker for worker in getattr(batches, "_workers", [])}
        # A process may be seen to live for a moment after all that it had opened is closed.
        ended = [workers[end] for end in connection.wait(workers, timeout=1.0)] if workers else []
        for worker in ended:
            worker.join()
        dead = [worker for worker in ended if worker.exitcode]
        if not dead:
            raise
        raise RuntimeError(f"DataLoader worker (pid {dead[0].pid}) exited unexpectedly") from error
