"""Pairs from files, and what is said of files that hold none."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqforge.errors import UserError
from seqforge_tasks.translation.parallel.aligned import AlignedFiles, parting_line
from seqforge_tasks.translation.parallel.finding import find_pairs
from seqforge_tasks.translation.parallel.json_pairs import JsonPairs
from seqforge_tasks.translation.parallel.pair import Pair
from seqforge_tasks.translation.parallel.tabbed import TabbedPairs
from tests.tasks.translation.corpora import pairs, write

ROWS = [("A cat.", "Un chat."), ('He said "no".', "Il a dit « non »."), ("Two", "Deux")]


def _read(folder: Path) -> list[Pair]:
    return list(find_pairs(folder, "train", "en", "fr", "data.train").pairs())


def _numbered(lines: list[int]) -> list[Pair]:
    return [Pair(*row, line) for row, line in zip(ROWS, lines, strict=True)]


@pytest.mark.parametrize("packed", [False, True])
def test_the_kind_of_file_is_found(tmp_path: Path, packed: bool) -> None:
    def table(name: str, lines: list[str]) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        data = "".join(line + "\n" for line in lines).encode()
        file = folder / f"train.{name.partition('-')[2]}{'.gz' if packed else ''}"
        file.write_bytes(gzip.compress(data, mtime=0) if packed else data)
        return folder

    plain = [{"en": source, "fr": target} for source, target in ROWS]
    swapped = [f"{target}\t0.5\t{source}" for source, target in ROWS]

    assert _read(write(tmp_path / "aligned", "train", ROWS, packed)) == _numbered([1, 2, 3])
    assert _read(table("a-tsv", ["\t".join(row) for row in ROWS])) == _numbered([1, 2, 3])
    assert _read(table("b-tsv", ["fr\tscore\ten", *swapped])) == _numbered([2, 3, 4])
    assert _read(table("c-jsonl", [*map(json.dumps, plain), ""])) == _numbered([1, 2, 3])
    nested = [json.dumps({"id": 1, "translation": row}) for row in plain]
    assert _read(table("d-jsonl", ["", *nested])) == _numbered([2, 3, 4])


def test_lines_end_at_line_feeds_alone(tmp_path: Path) -> None:
    rows = [("a\u2028b\x0bc", "d\x85e\x0cf"), ("g", "h")]

    assert _read(write(tmp_path, "train", rows)) == [Pair(*rows[0], 1), Pair(*rows[1], 2)]


def test_files_of_different_length(tmp_path: Path) -> None:
    rows = pairs(200)
    write(tmp_path, "train", rows)
    french = [target for _, target in rows]
    (tmp_path / "train.fr").write_text("\n".join(french[:120] + french[121:]), encoding="utf-8")
    with pytest.raises(UserError, match=r"'train.en' has 200 lines, 'train.fr' 199") as caught:
        _read(tmp_path)

    near = int(caught.value.todo.partition("line ")[2].partition(",")[0])
    assert abs(near - 121) <= 10
    assert len(str(caught.value).splitlines()) <= 5


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 200), min_size=1, max_size=40, unique=True),
    st.data(),
)
def test_where_a_copy_parts_is_found(lengths: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(lengths)))
    longer = [*lengths[:place], 1000, *lengths[place:]]

    assert parting_line(lengths, longer) == parting_line(longer, lengths) == place + 1


def test_bad_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, "train", ROWS)
    (tmp_path / "train.fr").write_bytes(b"un\nd\xe9ux\ntrois\n")
    with pytest.raises(UserError, match=r"train.fr' is not UTF-8: byte 0xe9 at 4, line 2"):
        _read(tmp_path)


def test_a_language_that_is_missing(tmp_path: Path) -> None:
    write(tmp_path, "train", ROWS)
    (tmp_path / "train.fr").rename(tmp_path / "train.fra")
    with pytest.raises(UserError, match=r"no file 'train.fr'") as caught:
        _read(tmp_path)

    assert caught.value.where == "data.target"
    assert caught.value.closest == "train.fra"
    assert caught.value.accepted == ("train.en", "train.fra")
    assert len(str(caught.value).splitlines()) <= 5


def test_the_file_of_the_other_language_is_not_proposed(tmp_path: Path) -> None:
    write(tmp_path, "train", ROWS)
    with pytest.raises(UserError, match=r"no file 'train\.de'") as caught:
        find_pairs(tmp_path, "train", "en", "de", "data.train")

    assert caught.value.closest != "train.en"


def test_a_part_or_a_folder_that_is_missing(tmp_path: Path) -> None:
    write(tmp_path / "texts", "train", ROWS)
    with pytest.raises(UserError, match=r"no file 'trian\.en'") as caught:
        find_pairs(tmp_path / "texts", "trian", "en", "fr", "data.train")
    assert caught.value.where == "data.train"
    assert caught.value.closest == "train.en"
    with pytest.raises(UserError, match="no folder") as caught:
        find_pairs(tmp_path / "text", "train", "en", "fr", "data.train")
    assert caught.value.closest == str(tmp_path / "texts")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\nc\n", "line 2, has no tab, not 1"),
        ("en\tfr\na\tb\tc\n", "line 2, has 2 tabs, not 1"),
        ("a\n", "line 1, has no tab, not 1"),
        ("a\tb\tc\n", "no column 'en'"),
        ("en\tde\na\tb\n", "no column 'fr'"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "train.tsv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message) as caught:
        list(TabbedPairs(file, "en", "fr").pairs())

    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"en": "a", "fra": "b"}', "line 2, has no 'fr'"),
        ('{"translation": {"en": "a"}}', "line 2, has no 'fr'"),
        ('{"en": 3, "fr": "b"}', "line 2, holds under 'en' a value of type int, not text"),
        ('{"en": "a", "fr": null}', "line 2, holds under 'fr' null"),
        ("[]", "line 2, is a list"),
        ("{", "line 2, is no JSON"),
    ],
)
def test_objects_that_cannot_be_read(tmp_path: Path, row: str, message: str) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text('{"en": "a", "fr": "b"}\n' + row + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=message) as caught:
        list(JsonPairs(file, "en", "fr").pairs())

    assert len(str(caught.value).splitlines()) <= 5


def test_aligned_files_have_a_name(tmp_path: Path) -> None:
    files = AlignedFiles(tmp_path / "a.en", tmp_path / "a.fr")

    assert files.name == f"{tmp_path / 'a.en'}, a.fr"
