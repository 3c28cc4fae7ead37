import csv
import gzip
import json
from pathlib import Path

import pytest

from seqforge.corpus import TextFiles
from seqforge.errors import UserError


def _text(source: TextFiles) -> str:
    return "".join(piece.text for piece in source.pieces())


def _documents(source: TextFiles) -> list[str]:
    documents: list[str] = []
    for piece in source.pieces():
        if piece.begins:
            documents.append("")
        documents[-1] += piece.text
    return documents


def test_rows_are_joined_to_the_text_that_was_split(data_root: Path, tmp_path: Path) -> None:
    text = (data_root / "ballads_songs" / "songs.txt").read_text(encoding="utf-8")
    songs = text.split("\n\n")
    with (tmp_path / "songs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["title", "lyrics"], *(["-", song] for song in songs)])
    lines = "".join(json.dumps({"lyrics": song, "n": 1}) + "\n" for song in songs)
    (tmp_path / "songs.jsonl.gz").write_bytes(gzip.compress(lines.encode()))

    assert _text(TextFiles(str(tmp_path / "songs.csv"), "lyrics")) == text
    assert _text(TextFiles(str(tmp_path / "songs.jsonl.gz"))) == text


def test_files_are_documents_with_one_end_mark_between_them(tmp_path: Path) -> None:
    for name, text in {"a": "one\n", "b": "two", "c": "", "d": "three\n\n", "e": "four\n"}.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    source = TextFiles(str(tmp_path))

    assert _documents(source) == ["one\n\n", "two\n\n", "three\n\n", "four\n"]
    assert source.marked
    assert _text(TextFiles(str(tmp_path), document_end="-")) == "one\n-two-three\n\n-four\n"


def test_tables_of_several_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\none\ntwo\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"text": "three"}\n', encoding="utf-8")
    source = TextFiles(str(tmp_path), document_end="|")

    assert _documents(source) == ["one|", "two|", "three"]
    assert not source.marked


def test_what_may_change_the_text_changes_the_key(tmp_path: Path) -> None:
    file, table = tmp_path / "a.txt", tmp_path / "a.csv"
    file.write_text("one", encoding="utf-8")
    table.write_text("text,b\none,c\n", encoding="utf-8")
    key = TextFiles(str(file)).key()

    assert TextFiles(str(file), document_end="|").key() == key  # nothing is joined
    assert TextFiles([str(file), str(file)]).key() != key
    tables = [TextFiles(str(table), *more).key() for more in ((), ("b",), (None, "|"))]
    assert all(tables.count(each) == 1 for each in tables)
    file.write_text("two", encoding="utf-8")
    assert TextFiles(str(file)).key() != key


def test_what_does_not_go_together(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    (tmp_path / "b.csv").touch()
    with pytest.raises(UserError, match="is a table and") as caught:
        TextFiles(str(tmp_path))
    assert "*.csv" in caught.value.todo
    with pytest.raises(UserError, match="has no column 'lyrics'"):
        TextFiles(str(tmp_path / "a.txt"), "lyrics")
