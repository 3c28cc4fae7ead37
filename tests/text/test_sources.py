import gzip
import io
import sys
from pathlib import Path

import pytest

from seqforge.errors import UserError
from seqforge.text import STDIN, read_sources


def test_inline_texts_and_files_come_in_order(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_bytes("\ufeffone\r\n\r\nthrée\n".encode())

    assert list(read_sources(["a\nb", file, "z"])) == ["a\nb", "one", "", "thrée", "z"]


def test_a_file_may_be_one_text(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("one\n\ntwo\n", encoding="utf-8")

    assert list(read_sources([file], whole=True)) == ["one\n\ntwo"]


def test_only_line_feeds_end_lines(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("a\u2028b\x85c\x0cd\n\ne", encoding="utf-8")

    assert list(read_sources([file])) == ["a\u2028b\x85c\x0cd", "", "e"]


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    for name in ("lines.txt.gz", "LINES.GZ"):
        file = tmp_path / name
        file.write_bytes(gzip.compress("eins\nzwölf\n".encode()))
        assert list(read_sources([file])) == ["eins", "zwölf"]


PACKED = gzip.compress(b"eins\nzwei\n" * 9, mtime=0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not packed", "Not a gzipped file"),
        (PACKED[:-9], "ended before"),
        (PACKED[:10] + b"\xff" * 9, "invalid block type"),
        (PACKED[:-8] + b"\0" * 8, "CRC check failed"),
    ],
    ids=("plain", "cut off", "no stream", "other text"),
)
def test_a_damaged_packed_file_is_told_of(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "lines.txt.gz"
    file.write_bytes(data)
    with pytest.raises(UserError, match=message):
        list(read_sources([file]))


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n")))

    assert list(read_sources([STDIN])) == ["one", "two"]


def test_sources_are_read_when_they_are_wanted(tmp_path: Path) -> None:
    texts = read_sources(["first", tmp_path / "missing.txt"])

    assert next(texts) == "first"
    with pytest.raises(UserError, match="cannot read"):
        next(texts)


def test_a_missing_file_names_the_closest(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        list(read_sources([tmp_path / "line.txt"]))

    assert caught.value.closest == str(tmp_path / "lines.txt")


def test_bytes_that_are_not_utf8_are_placed(tmp_path: Path) -> None:
    file = tmp_path / "latin.txt"
    file.write_bytes(b"first\ncaf\xe9\n")
    with pytest.raises(UserError, match="byte 0xe9 at 9, line 2"):
        list(read_sources([file]))
