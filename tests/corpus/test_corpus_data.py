"""What data modules of one text share: the split, the loaders, the memory that they take."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from seqforge.corpus import CorpusData, TextSource
from seqforge.data import Batch, TokenBatch
from seqforge.errors import UserError
from tests.corpus.test_corpus import Texts

TEXT = "the quick brown fox\njumps over the lazy dog\n\n" * 60


class Given(CorpusData):
    """A text given in memory."""

    texts = (TEXT,)

    def source(self) -> TextSource:
        return Texts(list(self.texts), "\n\n")


def _data(folder: Path, **options: Any) -> Given:
    data = Given(**{"seq_len": 10, "batch_size": 4, "cache": str(folder), **options})
    data.prepare_data()
    data.setup("fit")
    return data


def _batches(loader: Iterable[Batch]) -> list[TokenBatch]:
    return [batch for batch in loader if isinstance(batch, TokenBatch)]


# -- both loaders against a plain loop ------------------------------------------------------------


@pytest.mark.parametrize("seq_len", [7, 64])
@pytest.mark.parametrize("cold", [16, 50])
def test_nats_over_characters_are_those_of_a_plain_loop(
    tmp_path: Path, seq_len: int, cold: int
) -> None:
    torch.manual_seed(0)
    data = _data(tmp_path, seq_len=seq_len, cold_window=cold, validation=0.4, validation_lanes=1)
    cut = len(TEXT) * 6 // 10
    numbers = {sign: place + 1 for place, sign in enumerate(sorted(set(TEXT[:cut])))}
    text = [numbers[sign] for sign in TEXT[cut:]]
    cell = torch.nn.GRUCell(4, 8).double()
    table, head = torch.randn(40, 4).double(), torch.randn(40, 8).double()

    def step(token: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        state = cell(table[token], state)
        return (state @ head.T).log_softmax(-1), state

    def plain(window: int) -> float:
        nats, state = 0.0, torch.zeros(1, 8).double()
        for place in range(len(text) - 1):
            if place % window == 0:
                state = torch.zeros(1, 8).double()
            scores, state = step(torch.tensor([text[place]]), state)
            nats -= float(scores[0, text[place + 1]])
        return nats / (len(text) - 1)

    def loaded(name: str) -> float:
        nats, count, state = 0.0, 0, torch.zeros(0, 8).double()
        for batch in _batches(data.val_dataloader()[name]):
            rows = len(batch.ids)
            assert batch.starts is not None
            if len(state) != rows:
                assert batch.starts.all()
                state = torch.zeros(rows, 8).double()
            state = state * ~batch.starts[:, None]
            for place in range(batch.inputs.shape[1]):
                scores, state = step(batch.inputs[:, place], state)
                found = scores[torch.arange(rows), batch.targets[:, place]]
                nats -= float(found[batch.lengths > place].sum())
            count += int(batch.lengths.sum())
        assert count == len(text) - 1
        return nats / count

    with torch.no_grad():
        assert loaded("stateful") == pytest.approx(plain(len(text)), abs=1e-12)
        assert loaded("cold") == pytest.approx(plain(cold), abs=1e-12)


def test_which_loaders_there_are(tmp_path: Path) -> None:
    assert list(_data(tmp_path).val_dataloader()) == ["stateful", "cold"]
    assert list(_data(tmp_path, cold_window=0).val_dataloader()) == ["stateful"]
    assert list(_data(tmp_path, documents="reset").val_dataloader()) == ["stateful"]
    assert _data(tmp_path, validation=0.0).val_dataloader() == {}


@pytest.mark.parametrize(("given", "lanes"), [(64, 2), (1, 1)])
def test_lanes_of_validation(tmp_path: Path, given: int, lanes: int) -> None:
    data = _data(tmp_path, validation=0.9, seq_len=5, validation_lanes=given)
    assert {len(batch.ids) for batch in _batches(data.val_dataloader()["stateful"])} == {lanes}


# -- what is read --------------------------------------------------------------------------------


def test_the_limit_the_unit_and_the_alphabet(tmp_path: Path) -> None:
    assert "text: 500 characters, 28 distinct" in _data(tmp_path, limit=500).notes()[0]
    assert (
        f"text: {len(TEXT):,} bytes   train"
        in _data(tmp_path, unit="bytes", limit=10**9).notes()[0]
    )
    assert _data(tmp_path, unit="bytes").spec() == {"vocabulary": {"kind": "bytes"}}
    given = _data(tmp_path, alphabet="eht \n", validation=0.0, batch_size=1)
    assert given.spec()["vocabulary"]["characters"] == "eht \n"
    first = _batches(given.train_dataloader())[0]
    assert first.inputs[0].tolist() == [3, 2, 1, 4, 0, 0, 0, 0, 0, 4]  # "the quick "
    assert len(list(tmp_path.iterdir())) == 2  # one of characters, one of bytes


def test_a_checkpoints_vocabulary_brings_its_unit(tmp_path: Path) -> None:
    other = Given(seq_len=10, batch_size=4, cache=str(tmp_path), alphabet="abc")
    other.adopt({"vocabulary": {"kind": "bytes"}})
    other.setup("test")

    assert other.spec() == {"vocabulary": {"kind": "bytes"}}
    assert "bytes" in other.notes()[0]


def test_documents_start_afresh_in_both_parts(tmp_path: Path) -> None:
    data = _data(tmp_path, documents="reset", validation=0.3, seq_len=100, batch_size=1)
    for loader in (data.train_dataloader(), data.val_dataloader()["stateful"]):
        for batch in _batches(loader):
            assert batch.starts is not None
            assert batch.starts.all()
            assert batch.lengths.max() <= len("the quick brown fox\njumps over the lazy dog\n\n")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="cannot see open files")
def test_no_file_stays_open(tmp_path: Path) -> None:
    def opened() -> list[str]:
        links = Path("/proc/self/fd").iterdir()
        return [str(each.readlink()) for each in links if each.exists()]

    data = _data(tmp_path, documents="reset", validation=0.3)
    loaders = [data.train_dataloader(), *data.val_dataloader().values()]
    assert all(_batches(loader) for loader in loaders)
    assert any(str(tmp_path) in each for each in opened())
    data.teardown("fit")
    assert not any(str(tmp_path) in each for each in opened())
    assert _batches(loaders[0])  # it may be read on


def test_what_is_said_at_the_start(tmp_path: Path) -> None:
    assert Given().notes() == ()
    (note,) = _data(tmp_path, validation=0.1).notes()
    assert "train: 2,430   validation: 270   cache: " + str(tmp_path) in note


def test_characters_that_will_not_be_learnt_are_counted(tmp_path: Path) -> None:
    (note,) = _data(tmp_path, validation=0.1, alphabet="thequickbrownfx").notes()
    strange = [
        sum(sign not in "thequickbrownfx" for sign in part) for part in (TEXT[:2430], TEXT[2430:])
    ]
    assert (
        f"train: 2,430 (unknown: {strange[0]:,})   validation: 270 (unknown: {strange[1]})   "
        in note
    )


def test_documents_that_are_too_few_for_the_lanes(tmp_path: Path) -> None:
    options = {"documents": "reset", "validation": 0.0, "limit": 450, "seq_len": 50}
    with pytest.raises(UserError, match=r"450 characters has 10 chunks .* for 64 lanes") as caught:
        _data(tmp_path, batch_size=64, **options)
    assert caught.value.todo.endswith("a smaller seq_len, or a batch_size of at most 10")
    assert len(_batches(_data(tmp_path, batch_size=10, **options).train_dataloader())) == 1
    assert len(_data(tmp_path, batch_size=10, **{**options, "seq_len": 9_999}).notes()) == 1
    assert len(_data(tmp_path, batch_size=64, **{**options, "seq_len": 7}).notes()) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 0}, "limit is 0"),
        ({"validation_lanes": 0}, "validation_lanes is 0"),
        ({"cold_window": -1}, "cold_window is -1"),
        ({"num_workers": -1}, "num_workers is -1"),
        ({"alphabet": "abcb"}, "alphabet repeats 'b'"),
        ({"alphabet": ""}, "alphabet is empty"),
        ({"alphabet": "a\ufffd"}, "stands for unknown characters"),
        ({"alphabet": "ab", "unit": "bytes"}, "unit is bytes"),
    ],
)
def test_arguments_that_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        Given(**options)

    assert caught.value.where == f"data.{next(iter(options))}"
    assert caught.value.todo


@pytest.mark.parametrize(
    ("documents", "limit", "length"),
    [("join", 1, 0), ("join", 2, 1), ("join", 50, 25), ("reset", 1, 0), ("reset", 2, 1)],
)
def test_texts_that_are_too_short(tmp_path: Path, documents: str, limit: int, length: int) -> None:
    with pytest.raises(UserError, match=f"training text of {length} characters") as caught:
        _data(tmp_path, limit=limit, validation=0.5, documents=documents)
    assert caught.value.todo.startswith("give a longer text")


def test_a_mistake_is_met_where_every_process_meets_it(tmp_path: Path) -> None:
    class Broken(Given):
        def source(self) -> TextSource:
            raise UserError("there is no such text")

    data = Broken(cache=str(tmp_path))
    data.prepare_data()  # runs on one process only, for which the others wait
    with pytest.raises(UserError, match="no such text"):
        data.setup("fit")


def test_what_took_long_to_fail_is_not_done_again(tmp_path: Path) -> None:
    class Slow(Given):
        asked = 0

        def source(self) -> TextSource:
            self.asked += 1
            if self.asked == 1:
                raise UserError("the network is down")
            return super().source()

    data = Slow(seq_len=10, batch_size=4, cache=str(tmp_path))
    data.prepare_data()
    with pytest.raises(UserError, match="network is down"):
        data.setup("fit")
    assert data.asked == 1
    data.prepare_data()
    data.setup("fit")
    assert "train" in data.notes()[0]


def test_the_cache_lies_beside_the_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = Given(seq_len=10, batch_size=4)
    data.setup("fit")
    assert "cache: runs/cache/texts-" in data.notes()[0]
    for folder, expected in (("some/runs/one", "some/runs/cache"), ("plain", "plain/cache")):
        Path(folder).mkdir(parents=True)
        if folder != "plain":
            (Path(folder) / "config.yaml").touch()
        data = Given(seq_len=10, batch_size=4)
        data.trainer = pl.Trainer(
            accelerator="cpu", default_root_dir=folder, logger=False, enable_checkpointing=False
        )
        data.setup("fit")
        assert list(Path(expected).iterdir())


# -- memory --------------------------------------------------------------------------------------

MEASURE = """
    import json
    import sys
    import threading
    from pathlib import Path
    from seqforge.corpus import plain_text
    from seqforge_tasks.char_generation import TextFile

    plain_text.BLOCK = int(sys.argv[1])

    def anonymous():
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024

    def watch():
        global peak
        while not done.wait(0.01):
            peak = max(peak, anonymous())

    def step(path, documents):
        data = TextFile(path, validation=0.1, documents=documents, cache="cache")
        data.prepare_data()
        data.setup("fit")
        for number, batch in enumerate(data.train_dataloader()):
            if number == 20:
                break
        for loader in data.val_dataloader().values():
            next(iter(loader))

    small = TextFile(limit=10_000, cache="cache")
    small.setup("fit")
    next(iter(small.train_dataloader()))
    before = peak = anonymous()
    done = threading.Event()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for path in sys.argv[2:]:
            step(path, "join")
            step(path, "reset")
            print(peak - before)
    finally:
        done.set()
        watcher.join()
"""


def _anonymous_growth(folder: Path, *names: str, timeout: float, block: int = 2**20) -> list[float]:
    """Return by how many MB anonymous memory has grown at its highest, after each of some texts."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE), str(block), *names],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [float(line) for line in done.stdout.splitlines()[-len(names) :]]


def _write_text(file: Path, size: int) -> None:
    chance = np.random.default_rng(0)
    block = "".join(
        chance.choice(list("the quick brown fox jumps over a lazy dog\n"), 2**20)
    ).encode()
    with file.open("wb") as opened:
        for _ in range(-(-size // len(block))):
            opened.write(block)


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the system does not tell a process's memory"
)


@needs_proc
def test_a_text_is_never_held_in_memory(tmp_path: Path) -> None:
    _write_text(tmp_path / "text.txt", 100 * 2**20)
    assert _anonymous_growth(tmp_path, "text.txt", timeout=120)[0] < 60


@needs_proc
def test_nor_is_where_its_documents_begin(tmp_path: Path) -> None:
    for name, rows in (("few", 100_000), ("many", 1_200_000)):  # 10 MB of positions
        text = "text\n" + "ab\ncd\nef\ngh\n" * (rows // 4)
        (tmp_path / f"{name}.csv").write_text(text, encoding="ascii")
    few, many = _anonymous_growth(tmp_path, "few.csv", "many.csv", timeout=120, block=2**16)
    assert many - few < 5


@needs_proc
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_gigabytes_take_less_than_500_megabytes(tmp_path: Path) -> None:
    _write_text(tmp_path / "text.txt", 2 * 10**9)
    assert _anonymous_growth(tmp_path, "text.txt", timeout=800)[0] < 500
