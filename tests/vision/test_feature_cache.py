"""Features are computed once, never stale, and whole or not there."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from seqforge.errors import UserError
from seqforge.vision import FeatureCache, ImageTransform, SmallCNN, feature_cache, frozen_features

SIZE, CPU = 16, torch.device("cpu")
SCRIPT = Path(__file__).with_name("cache_ranks.py")


class Noise:
    """Pictures that count how often they are read.

    Args:
        count: How many.
        bad: One that cannot be read; -1: none.
    """

    def __init__(self, count: int, bad: int = -1, first: int = 0) -> None:
        self.keys: Sequence[str] = [f"key {number + first}" for number in range(count)]
        self.read: list[int] = []
        self._bad = bad

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, number: int) -> Tensor:
        self.read.append(number)
        if number == self._bad:
            raise UserError(f"the picture 'bad-{number}.jpg' is damaged")
        chance = torch.Generator().manual_seed(number)
        return torch.randint(0, 256, (3, SIZE, SIZE), generator=chance, dtype=torch.uint8)


def _encoder(seed: int = 0, channels: tuple[int, ...] = (4, 6)) -> SmallCNN:
    torch.manual_seed(seed)
    encoder = SmallCNN(channels)
    encoder.build(SIZE)
    return encoder


def _features(folder: Path, pictures: Noise, **changes: Any) -> Any:
    arguments = {"encoder": _encoder(), "transform": ImageTransform(SIZE), "device": CPU}
    return FeatureCache(folder).features(pictures=pictures, **{**arguments, **changes})


@pytest.mark.parametrize("count", [0, 1, 5, 8, 9])
def test_features_are_those_of_the_network(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_cache, "BATCH", 4)
    pictures = Noise(count)

    found = _features(tmp_path / "made", pictures)

    assert found.shape == (count, 16, 8)
    assert found.dtype == np.float16
    assert sorted(pictures.read) == list(range(count))
    for number in range(count):
        expected = frozen_features(_encoder(), pictures[number][None])[0]
        assert np.allclose(found[number], expected.numpy(), atol=2e-3)


def test_they_are_computed_by_what_the_encoder_folds_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, folded, pictures = _encoder(), _encoder(seed=1), Noise(2)
    monkeypatch.setattr(encoder, "folded", lambda: folded)

    found = _features(tmp_path, pictures, encoder=encoder)

    expected = frozen_features(folded, torch.stack([pictures[0], pictures[1]]))
    assert np.allclose(found, expected.numpy(), atol=2e-3)


def test_they_are_computed_once(tmp_path: Path) -> None:
    first = _features(tmp_path, Noise(5))
    again = Noise(5)
    second = _features(tmp_path, again)

    assert again.read == []
    assert np.array_equal(first, second)
    assert isinstance(second, np.memmap)
    assert not second.flags.writeable
    assert [file.suffix for file in tmp_path.iterdir()] == [".npy"]


CHANGES: dict[str, Callable[[], dict[str, Any]]] = {
    "weights": lambda: {"encoder": _encoder(seed=1)},
    "arguments": lambda: {"encoder": _encoder(channels=(4, 5))},
    "fit": lambda: {"transform": ImageTransform(SIZE, "pad")},
    "size": lambda: {"transform": ImageTransform(SIZE + 1)},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_they_depend_on_is_in_the_key(
    change: Callable[[], dict[str, Any]], tmp_path: Path
) -> None:
    _features(tmp_path, Noise(5))
    again = Noise(5)
    if "transform" in change() and change()["transform"].size != SIZE:
        encoder = SmallCNN((4, 6))
        encoder.build(SIZE + 1)
        again.__class__ = Larger
        _features(tmp_path, again, encoder=encoder, **change())
    else:
        _features(tmp_path, again, **change())

    assert sorted(again.read) == list(range(5))


class Larger(Noise):
    def __getitem__(self, number: int) -> Tensor:
        return torch.nn.functional.pad(super().__getitem__(number), (0, 1, 0, 1))


def test_one_weight_of_the_last_layer_counts(tmp_path: Path) -> None:
    _features(tmp_path, Noise(3))
    changed = _encoder()
    with torch.no_grad():
        list(changed.parameters())[-1][-1] += 1e-6
    again = Noise(3)

    _features(tmp_path, again, encoder=changed)

    assert again.read != []


def test_other_pictures_and_another_order_count(tmp_path: Path) -> None:
    _features(tmp_path, Noise(3))
    other, turned, more = Noise(3, first=1), Noise(3), Noise(4)
    turned.keys = list(turned.keys)[::-1]

    for pictures in (other, turned, more):
        _features(tmp_path, pictures)
        assert sorted(pictures.read) == list(range(len(pictures)))


def test_a_network_whose_code_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = np.array(_features(tmp_path, Noise(3)))
    forward = SmallCNN.forward
    monkeypatch.setattr(SmallCNN, "forward", lambda self, pictures: 2 * forward(self, pictures))
    again = Noise(3)

    new = _features(tmp_path, again)

    assert again.read != []
    assert np.allclose(new, 2 * old, atol=1e-2)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_file_that_was_cut_short_is_made_anew(share: float, tmp_path: Path) -> None:
    first = np.array(_features(tmp_path, Noise(5)))
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    again = Noise(5)

    assert np.array_equal(_features(tmp_path, again), first)
    assert again.read != []


def test_a_picture_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"bad-3\.jpg"):
        _features(tmp_path, Noise(5, bad=3))

    assert list(tmp_path.iterdir()) == []
    assert not [each for each in threading.enumerate() if each.name.startswith("pictures")]


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    fresh, old = tmp_path / ".features-a.1.part", tmp_path / ".features-b.2.part"
    for part in (fresh, old):
        part.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * feature_cache.ABANDONED,) * 2)

    _features(tmp_path, Noise(2))

    assert fresh.exists()
    assert not old.exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot write the features") as caught:
        _features(tmp_path / "file" / "cache", Noise(2))

    assert caught.value.where == "data.cache"
    assert "--data.cache FOLDER" in caught.value.todo


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        _features(tmp_path, Noise(2))

    assert list(tmp_path.iterdir()) == []


def test_long_computations_are_talked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_cache, "BATCH", 2)
    monkeypatch.setattr(feature_cache, "QUIET", 0.0)
    monkeypatch.setattr(feature_cache, "INTERVAL", 0.0)
    lines: list[str] = []
    cache = FeatureCache(tmp_path, lines.append)

    cache.features(_encoder(), ImageTransform(SIZE), Noise(6), CPU)

    assert [line.split(", ")[1] for line in lines] == ["once: 2 done", "once: 4 done"]
    assert lines[0].startswith("features of 6 pictures by SmallCNN, once: 2 done, ")


def test_short_ones_are_not(tmp_path: Path) -> None:
    lines: list[str] = []
    FeatureCache(tmp_path, lines.append).features(_encoder(), ImageTransform(SIZE), Noise(6), CPU)

    assert lines == []


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which two processes have done all that the script does, short of its end."""
    folder = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, str(SCRIPT), str(folder)]
    processes = [subprocess.Popen([*command, str(rank)]) for rank in (0, 1)]
    try:
        assert processes[1].wait(timeout=120) == 0
        until = time.monotonic() + 60
        while not list((folder / "slow").glob(".features-*.part")):
            assert time.monotonic() < until
            time.sleep(0.01)
        processes[0].kill()
        yield folder
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _reports(folder: Path, what: str) -> list[dict[str, Any]]:
    files = [folder / f"{what}-{rank}.json" for rank in (0, 1)]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


@pytest.mark.distributed
def test_one_rank_computes_and_all_have_it(ranks: Path, tmp_path: Path) -> None:
    first, second = _reports(ranks, "whole")

    assert first["read"] == list(range(6))
    assert second["read"] == []
    assert first["sum"] == second["sum"]
    assert np.isclose(first["sum"], float(_features(tmp_path, Noise(6)).astype(float).sum()))


@pytest.mark.distributed
@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("bad", "the picture 'bad-3.jpg' is damaged"),
        ("unseen", "a process does not see the features that the first one wrote"),
        ("broken", "the first process failed: ZeroDivisionError('by zero')"),
    ],
)
def test_a_failure_is_told_to_all_ranks(what: str, message: str, ranks: Path) -> None:
    first, second = _reports(ranks, what)

    assert message in second["error"]
    assert first["error"] == (second["error"] if what != "broken" else "by zero")


@pytest.mark.distributed
def test_a_killed_computation_leaves_nothing_wrong(ranks: Path) -> None:
    assert not list((ranks / "slow").glob("features-*"))
    pictures = Noise(6)

    assert _features(ranks / "slow", pictures).shape == (6, 16, 8)
    assert sorted(pictures.read) == list(range(6))
