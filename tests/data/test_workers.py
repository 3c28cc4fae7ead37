import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess

import pytest

from seqforge.data.workers import watch_workers


class Batches:
    """Fails as a loader does."""

    def __init__(self, workers: list[BaseProcess], error: Exception) -> None:
        self._workers = workers
        self._error = error

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        raise self._error


@pytest.fixture
def sleeper() -> Iterator[BaseProcess]:
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    process.start()
    yield process
    process.kill()
    process.join()


@pytest.mark.parametrize("error", [ConnectionRefusedError(), FileNotFoundError(), EOFError()])
def test_a_worker_that_is_gone_is_named(sleeper: BaseProcess, error: Exception) -> None:
    sleeper.kill()
    with pytest.raises(RuntimeError) as raised:
        next(watch_workers(Batches([sleeper], error)))

    assert str(raised.value) == f"DataLoader worker (pid {sleeper.pid}) exited unexpectedly"
    assert raised.value.__cause__ is error


def test_errors_of_samples_stay_what_they_are(sleeper: BaseProcess) -> None:
    error = FileNotFoundError("a.jpg")
    with pytest.raises(FileNotFoundError) as raised:
        next(watch_workers(Batches([sleeper], error)))

    assert raised.value is error


def test_a_loader_without_workers() -> None:
    with pytest.raises(FileNotFoundError):
        list(watch_workers(_failing()))
    assert list(watch_workers(iter([1, 2]))) == [1, 2]


def _failing() -> Iterator[int]:
    yield 1
    raise FileNotFoundError
