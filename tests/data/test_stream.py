import gc
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import datasets
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.data import Batch, DataModule, Shards, StreamLoader
from seqforge.errors import UserError


@dataclass
class Parts:
    """Shards of given sizes; a sample is (shard, place)."""

    sizes: Sequence[int]

    @property
    def num_shards(self) -> int:
        return len(self.sizes)

    def shard(self, num_shards: int, index: int) -> Iterable[tuple[int, int]]:
        assert num_shards == len(self.sizes)
        return [(index, place) for place in range(self.sizes[index])]


def _collate(numbers: Sequence[int], samples: list[Any]) -> Batch:
    return Batch(ids=torch.tensor(numbers))


def _loader(
    shards: Shards[Any],
    batch_size: int = 4,
    epoch: int = 7,
    workers: int = 0,
    fixed: bool = False,
    rank: int = 0,
    world_size: int = 1,
    seed: int = 0,
    limit: int | None = None,
    buffer: int = 5,
) -> StreamLoader[Any]:
    return StreamLoader(
        shards,
        _collate,
        batch_size,
        epoch,
        buffer=buffer,
        readers=4,
        rank=rank,
        world_size=world_size,
        num_workers=workers,
        seed=seed,
        fixed=fixed,
        limit=limit,
    )


def _numbers(batches: Iterable[Batch]) -> list[list[int]]:
    return [batch.ids.tolist() for batch in batches]


def _real(batches: Iterable[Batch]) -> list[int]:
    return [number for batch in _numbers(batches) for number in batch if number >= 0]


def _all(sizes: Sequence[int]) -> set[int]:
    return {place * len(sizes) + shard for shard, size in enumerate(sizes) for place in range(size)}


more_workers_than_processors = pytest.mark.filterwarnings("ignore:This DataLoader will create")
some_sizes = st.lists(st.integers(0, 12), min_size=4, max_size=10).filter(any)


@settings(deadline=None, max_examples=50)
@given(sizes=some_sizes, world_size=st.integers(1, 4), rows=st.integers(1, 3))
def test_fixed_ranks_read_everything_once(sizes: list[int], world_size: int, rows: int) -> None:
    # At most every sample belongs to one of the four readers, which take turns.
    epoch = 4 * sum(sizes)
    loaders = [
        _loader(
            Parts(sizes), rows * world_size, epoch, fixed=True, rank=rank, world_size=world_size
        )
        for rank in range(world_size)
    ]
    passes = [list(loader) for loader in loaders]
    read = [number for batches in passes for number in _real(batches)]

    assert {len(batches) for batches in passes} == {epoch}
    assert Counter(read) == Counter(_all(sizes))
    assert [_numbers(loader) for loader in loaders] == [_numbers(batches) for batches in passes]


@settings(deadline=None, max_examples=50)
@given(sizes=some_sizes, world_size=st.integers(1, 4), batches=st.integers(1, 9))
def test_training_ranks_never_run_out_and_leave_nothing_out(
    sizes: list[int], world_size: int, batches: int
) -> None:
    # A pass of a reader has at most this many batches of one row.
    enough = 4 * (sum(sizes) * len(sizes) + 1) // batches + 1
    read: set[int] = set()
    for rank in range(world_size):
        loader = _loader(Parts(sizes), world_size, batches, rank=rank, world_size=world_size)
        epochs = [_numbers(loader) for _ in range(enough)]
        read.update(number for epoch in epochs for batch in epoch for number in batch)

        assert {len(epoch) for epoch in epochs} == {batches}
        assert all(len(batch) == 1 for epoch in epochs for batch in epoch)
    assert read == _all(sizes)


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_equal_shards_are_read_once_in_each_pass(world_size: int) -> None:
    sizes = [5] * 24
    passes: list[list[list[int]]] = [[], []]
    for rank in range(world_size):
        # 120 samples, so one epoch is one pass exactly.
        loader = _loader(
            Parts(sizes), world_size, 120 // world_size, rank=rank, world_size=world_size
        )
        for turn in passes:
            turn.append(_real(loader))

    for turn in passes:
        assert sorted(number for rank in turn for number in rank) == sorted(_all(sizes))
    assert passes[0] != passes[1]


def test_orders_depend_on_seed_and_epoch_only() -> None:
    parts = Parts([9] * 8)
    loader = _loader(parts, epoch=18)
    first, second = _numbers(loader), _numbers(loader)
    torch.manual_seed(3)

    assert first == _numbers(_loader(parts, epoch=18))
    assert first != second
    assert first != _numbers(_loader(parts, epoch=18, seed=1))
    # Neither the order of a shard nor that of the shards is the stored one.
    assert _real(_loader(parts, epoch=18, buffer=1)) not in (_real(_loader(parts, epoch=18)), [])


@more_workers_than_processors
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_batches_do_not_depend_on_workers(workers: int) -> None:
    parts = Parts([5, 0, 17, 3, 8])
    for fixed in (False, True):
        plain, worked = _loader(parts, fixed=fixed), _loader(parts, workers=workers, fixed=fixed)

        assert [_numbers(plain) for _ in range(3)] == [_numbers(worked) for _ in range(3)]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("taken", [1, 6, 7, 12])
def test_killed_and_restored_equals_uninterrupted(workers: int, taken: int) -> None:
    parts = Parts([5, 11, 17, 3, 8])
    plain = _loader(parts)
    whole = _numbers([*plain, *plain, *plain])
    first = _loader(parts, workers=workers)
    begun = _numbers(islice(_endless(first), taken))
    second = _loader(parts, workers=workers)
    second.restore(**first.position())
    rest = _numbers(islice(_endless(second), len(whole) - taken))

    assert begun + rest == whole
    assert second.position()["taken"] == len(whole)


def test_workers_end_at_once_with_the_loader() -> None:
    loader = _loader(Parts([9] * 4), workers=2)
    list(islice(loader, 3))
    processes = multiprocessing.active_children()
    begun = time.monotonic()
    del loader
    gc.collect()

    assert len(processes) >= 2
    assert not any(process.is_alive() for process in processes)
    assert time.monotonic() - begun < 4


def _endless(loader: StreamLoader[Any]) -> Iterator[Batch]:
    while True:
        yield from loader


def test_position_counts_what_was_delivered() -> None:
    loader = _loader(Parts([9] * 4), workers=2)
    iterator = iter(loader)
    for taken in range(4):
        assert loader.position() == {
            "epoch": 0,
            "delivered": taken,
            "taken": taken,
            "world_size": 1,
        }
        next(iterator)
    list(iterator)

    assert loader.position() == {"epoch": 1, "delivered": 0, "taken": 7, "world_size": 1}


def test_shorter_epochs_leave_nothing_out() -> None:
    parts = Parts([9, 4, 6, 11])
    plain, short = _loader(parts, epoch=6), _loader(parts, epoch=6, limit=3)

    assert _numbers([*short, *short]) == _numbers(plain)
    # Nor does a pass that is left early.
    list(islice(short, 2))
    assert short.position() == {"epoch": 2, "delivered": 2, "taken": 8, "world_size": 1}
    assert len(list(short)) == 3
    assert short.position()["epoch"] == 4


def test_two_ranks_with_two_workers_share_a_generated_stream() -> None:
    stream = datasets.IterableDataset.from_generator(
        _generated, gen_kwargs={"shards": [f"file {name}" for name in range(9)]}
    )
    ranks = [_values(stream, rank, 2) for rank in range(2)]

    assert [len(rank) for rank in ranks] == [30, 30]
    values = [value for rank in ranks for batch in rank for value in batch]
    assert Counter(values) == Counter(range(9 * 7))


def test_two_ranks_with_two_workers_share_a_stored_data_set() -> None:
    table = datasets.Dataset.from_dict({"value": list(range(50))})
    stream = table.to_iterable_dataset(num_shards=5).map(_marked)
    ranks = [_values(stream, rank, 2) for rank in range(2)]

    values = [value for rank in ranks for batch in rank for value in batch]
    assert Counter(values) == Counter(range(50))


@more_workers_than_processors
def test_training_on_a_generated_stream_is_exact_with_workers() -> None:
    stream = datasets.IterableDataset.from_generator(_generated, gen_kwargs={"shards": [*"abcde"]})
    plain, worked = (_loader(stream, workers=workers) for workers in (0, 3))

    assert [_numbers(plain) for _ in range(3)] == [_numbers(worked) for _ in range(3)]


def _generated(shards: list[str]) -> Iterator[dict[str, int]]:
    for shard in shards:
        number = int(shard[-1], 16) if shard[-1].isalpha() else int(shard[-1])
        for place in range(7):
            yield {"value": number * 7 + place}


def _marked(row: dict[str, int]) -> dict[str, int]:
    return {"value": row["value"], "twice": 2 * row["value"]}


@dataclass(kw_only=True)
class Values(Batch):
    values: torch.Tensor


def _collate_values(numbers: Sequence[int], rows: list[dict[str, int]]) -> Values:
    return Values(ids=torch.tensor(numbers), values=torch.tensor([row["value"] for row in rows]))


def _values(stream: datasets.IterableDataset, rank: int, workers: int) -> list[list[int]]:
    loader = StreamLoader(
        stream, _collate_values, 4, 30, rank=rank, world_size=2, num_workers=workers, fixed=True
    )
    batches = [batch for batch in loader if isinstance(batch, Values)]
    return [batch.values[batch.ids >= 0].tolist() for batch in batches]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_without_samples_is_refused(workers: int) -> None:
    with pytest.raises(UserError, match="no sample"):
        next(iter(_loader(Parts([0] * 4), workers=workers)))


def test_too_few_shards_are_refused_with_numbers() -> None:
    with pytest.raises(
        UserError, match=r"3 shards .* 2 processes with 2 workers each, 4"
    ) as raised:
        _loader(Parts([5] * 3), workers=2, world_size=2)
    assert "4 shards or more" in raised.value.todo


def test_what_cannot_be_shared_out_is_refused() -> None:
    with pytest.raises(UserError, match="type list offers no shards"):
        StreamLoader([1, 2], _collate, 1, 1)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="5 workers have only 4 shards"):
        _loader(Parts([5] * 9), workers=5)
    with pytest.raises(UserError, match="batch_size of 1 "):
        _loader(Parts([5] * 9), batch_size=1, world_size=2)
    with pytest.raises(ValueError, match="at least 1"):
        _loader(Parts([5]), epoch=0)


def test_another_number_of_processes_cannot_go_on() -> None:
    position = _loader(Parts([5] * 4), world_size=2).position()
    with pytest.raises(UserError, match="by 2 processes so far, now 1"):
        _loader(Parts([5] * 4)).restore(**position)


def test_a_data_module_saves_the_position() -> None:
    data = DataModule(batch_size=4)
    loader = data.stream_loader(Parts([9] * 8), _collate, 7, buffer=5)
    begun = _numbers(islice(loader, 4))
    resumed = DataModule(batch_size=4)
    resumed.load_state_dict(data.state_dict())
    rest = _numbers(resumed.stream_loader(Parts([9] * 8), _collate, 7, buffer=5))
    resumed.stream_loader(Parts([9]), _collate, 3, fixed=True)

    assert begun + rest == _numbers(
        DataModule(batch_size=4).stream_loader(Parts([9] * 8), _collate, 7, buffer=5)
    )
    assert resumed.state_dict()["taken"] == 7
