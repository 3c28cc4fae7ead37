import csv
import gzip
import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge.corpus import tables
from seqforge.corpus.tables import read_column
from seqforge.errors import UserError

CELLS = st.lists(st.text(st.sampled_from('a,"\n\té; '), min_size=1, max_size=9), min_size=1)


@given(texts=CELLS, ending=st.sampled_from([".csv", ".tsv", ".jsonl"]))
def test_a_column_is_what_other_libraries_wrote(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], ending: str
) -> None:
    file = tmp_path_factory.getbasetemp() / f"rows{ending}"
    frame = pd.DataFrame({"number": range(len(texts)), "lyrics": texts})
    if ending == ".jsonl":
        frame.to_json(file, orient="records", lines=True)
    else:
        frame.to_csv(file, index=False, sep="\t" if ending == ".tsv" else ",")

    assert list(read_column(file, "lyrics")) == texts


def _write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    data = text.encode()
    file.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return file


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("id,lyrics", "1,la", "la"),
        ("title,text", "A,la", "la"),
        ("lyrics", "7", None),
        ("text", "7", "7"),
        ("title,lyrics", "A,la", None),
        ("a,b", "1,2.5", None),
    ],
)
def test_which_column_has_the_text(
    tmp_path: Path, header: str, row: str, expected: str | None
) -> None:
    file = _write(tmp_path, "songs.csv", f"{header}\n{row}\n")
    if expected is not None:
        assert list(read_column(file, None)) == [expected]
        return
    with pytest.raises(UserError, match="columns with text") as caught:
        list(read_column(file, None))
    assert caught.value.accepted == tuple(sorted(header.split(",")))
    assert caught.value.where == "data.column"


def test_a_column_that_does_not_exist(tmp_path: Path) -> None:
    file = _write(tmp_path, "songs.csv.gz", "title,lyrics\nA,la\n")
    with pytest.raises(UserError, match="no column 'lyric'") as caught:
        list(read_column(file, "lyric"))

    assert caught.value.closest == "lyrics"
    assert caught.value.accepted == ("lyrics", "title")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", 'id,text\n1,"x\ny"\n2\n', "no column 'text' at line 4"),
        ("a.csv", "id,text\n1\n2,x\n", "no column 'text' at line 2"),
        ("a.csv", 'text\n"x\ny"\nHello, world! It is a text.\n', "line 4: 2 cells under .* of 1"),
        ("a.tsv", "text\nHello\tworld\n", "line 2: 2 cells under .* of 1"),
        ("a.csv", "text,id,text\nx,1,y\n", "more than one column 'text'"),
        ("a.csv", "text\rone\rtwo\r", "line 1: a carriage return without a line feed"),
        ("a.csv", 'text\n"x" y\n', "line 2: .*expected after"),
        ("a.csv", 'text\n"x\n', "line 2: unexpected end"),
        ("a.jsonl", '{"text": "x"}\n\n{"text": \n', "line 3, is no JSON"),
        ("a.jsonl", f'{{"text": "x"}}\n{{"n": {"1" * 5_000}}}\n', "line 2.*too many digits"),
        ("a.jsonl", f'{{"n": {"[" * 200_000}\n', "line 1.*nested too deeply"),
        ("a.jsonl", '{"text": "x"}\n[1]\n', "line 2, is a list"),
        ("a.jsonl", '{"text": "x"}\n{"title": "y"}\n', "no column 'text' at line 2"),
        ("a.jsonl", '{"text": "x"}\n{"text": null}\n', "line 2: 'text' is null"),
        ("a.jsonl", '{"text": 5}\n', "line 1: 'text' is a int"),
    ],
)
def test_rows_that_are_wrong_are_named_by_their_line(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        list(read_column(_write(tmp_path, name, text), None))
    assert caught.value.todo


def test_what_to_do_about_cells_and_line_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "LARGEST_FIELD", 99)
    for text, todo in (
        ("text\na, b\n", "quote fields that hold a comma"),
        ("text\ra\r", "tr '\\r' '\\n' <"),
        ("text\n" + "b" * 200 + "\n", "cut longer texts into several rows"),
    ):
        with pytest.raises(UserError) as caught:
            list(read_column(_write(tmp_path, "a.csv", text), None))
        assert todo in caught.value.todo
    assert caught.value.given.endswith("line 2: a field has more than 99 characters")


def test_a_name_that_is_there_twice_and_not_wanted(tmp_path: Path) -> None:
    file = _write(tmp_path, "a.csv", "id,text,id\n1,x,2\n")

    assert list(read_column(file, "text")) == list(read_column(file, None)) == ["x"]


def test_a_short_first_row_decides_nothing(tmp_path: Path) -> None:
    file = _write(tmp_path, "a.csv", "title,lyrics\nA\nB,la\n")
    with pytest.raises(UserError, match="2 columns with text"):
        list(read_column(file, None))
    assert list(read_column(file, "title")) == ["A", "B"]


def test_line_ends_and_halves_of_characters(tmp_path: Path) -> None:
    rows = [{"text": "a\r\nb"}, {"text": "\ud83d\ude00"}, {"text": "x\ud83dy"}]
    file = _write(tmp_path, "a.jsonl", "".join(json.dumps(row) + "\r\n" for row in rows))

    assert list(read_column(file, None)) == ["a\nb", "😀", "x\ufffdy"]


def test_a_field_may_be_longer_than_pythons_own_limit(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    file = _write(tmp_path, "a.csv", "text\n" + "b" * 200_000 + "\n")

    assert [len(text) for text in read_column(file, None)] == [200_000]
    assert csv.field_size_limit() == before
