import json
from pathlib import Path
from typing import Any

import datasets
import pytest

from seqforge.corpus import DatasetRows, open_corpus
from seqforge.errors import UserError

SONGS = ["one\r\nline", "two", "thrée"]
JOINED = "one\nline|two|thrée"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    datasets.disable_progress_bars()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "songs" / "songs.jsonl"
    file.parent.mkdir()
    rows = [{"number": number, "lyrics": song} for number, song in enumerate(SONGS)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def _text(source: DatasetRows) -> str:
    return "".join(piece.text for piece in source.pieces())


@pytest.mark.parametrize("streaming", [False, True])
def test_rows_are_joined(table: Path, tmp_path: Path, streaming: bool) -> None:
    named = DatasetRows(str(table.parent), streaming=streaming, document_end="|")
    built = DatasetRows("json", files=str(table), streaming=streaming, document_end="|")
    found = open_corpus(named, tmp_path / "cache")

    assert _text(named) == _text(built) == JOINED
    assert found.folder.name.startswith("songs-")
    vocabulary = found.vocabulary()
    assert vocabulary.decode(found.tokens(vocabulary)[:].tolist()) == JOINED
    assert found.document_starts("|")[:].tolist() == [0, 9, 13]
    again = DatasetRows(str(table.parent), streaming=streaming, document_end="|")
    assert again.key() == named.key()


def test_a_stream_is_left_at_the_limit(table: Path) -> None:
    read: list[int] = []

    class Counted(DatasetRows):
        def _texts(self) -> Any:
            for text in super()._texts():
                read.append(1)
                yield text

    source = Counted(str(table.parent), streaming=True, limit=5, document_end="|")
    assert _text(source).startswith("one\nl")
    assert len(read) == 1
    assert source.key() != DatasetRows(str(table.parent), streaming=True, document_end="|").key()


@pytest.mark.parametrize("streaming", [False, True])
def test_another_text_has_another_key(table: Path, streaming: bool) -> None:
    def key(files: str, split: str = "train") -> dict[str, Any]:
        return DatasetRows("json", split=split, files=files, streaming=streaming).key()

    before = key(str(table))
    assert key(str(table), "train[:1]" if not streaming else "test") != before
    table.write_text(json.dumps({"lyrics": "four", "number": 1}), encoding="utf-8")
    assert key(str(table)) != before
    if streaming:
        assert key(str(table.parent / "*.jsonl")) != before


def test_columns_and_rows_that_are_wrong(table: Path) -> None:
    with pytest.raises(UserError, match="no column 'lyric'") as caught:
        _text(DatasetRows(str(table.parent), column="lyric"))
    assert caught.value.closest == "lyrics"
    table.write_text('{"lyrics": "a"}\n{"lyrics": null}\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"row 1 of .*'lyrics' is null"):
        _text(DatasetRows("json", files=str(table)))


def test_a_split_that_does_not_exist(table: Path) -> None:
    with pytest.raises(UserError, match="Unknown split") as caught:
        _text(DatasetRows(str(table.parent), split="tset"))
    assert caught.value.where == "data.split"


def test_files_that_do_not_exist(table: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: Unable to find") as caught:
        DatasetRows("json", files=str(table) + "x").key()
    assert caught.value.where == "data.files"


def test_a_builder_is_not_let_loose_on_the_folder_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.json").write_text('{"text": "of another matter"}\n', encoding="utf-8")

    with pytest.raises(UserError, match="not told what to read") as caught:
        DatasetRows("json").key()

    assert caught.value.where == "data.files"


@pytest.mark.parametrize("streaming", [False, True])
def test_what_can_only_be_a_path_is_not_looked_for_on_the_hub(
    table: Path, monkeypatch: pytest.MonkeyPatch, streaming: bool
) -> None:
    monkeypatch.setattr(datasets, "load_dataset", None)
    for name in (f"{table.parent}x", "./nothing", "a/b/c", "songs/"):
        with pytest.raises(UserError, match="there is no folder or file") as caught:
            _text(DatasetRows(name, streaming=streaming))
        assert caught.value.where == "data.dataset"
    with pytest.raises(UserError) as caught:
        _text(DatasetRows(f"{table.parent}x", streaming=streaming))
    assert caught.value.closest == str(table.parent)
    with pytest.raises(UserError, match="name is empty"):
        DatasetRows(" ")


@pytest.mark.parametrize(
    ("error", "message", "todo"),
    [
        (datasets.exceptions.DatasetNotFoundError("no"), "there is no data set 'me/x'", "owner/"),
        (ConnectionError("Couldn't reach 'me/x'\nmore"), "fetched: Couldn't reach 'me/x'", "netw"),
        (datasets.exceptions.DatasetGenerationError("bad\nmore"), "cannot be read: bad", "names"),
    ],
)
def test_what_cannot_be_fetched(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str, todo: str
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(UserError, match=message) as caught:
        DatasetRows("me/x").key()

    assert caught.value.where == "data.dataset"
    assert todo in caught.value.todo
    assert len(str(caught.value).splitlines()) <= 5
