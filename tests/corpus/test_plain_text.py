import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge.corpus import plain_text
from seqforge.corpus.plain_text import read_blocks, read_lines
from seqforge.errors import UserError

SIGNS = st.text(st.sampled_from("a\n\ré€😀\ufeff"), max_size=40)


@given(text=SIGNS, block=st.integers(1, 7))
def test_blocks_are_the_text_wherever_they_are_cut(
    tmp_path_factory: pytest.TempPathFactory, text: str, block: int
) -> None:
    file = tmp_path_factory.getbasetemp() / "blocks.txt"
    file.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_text, "BLOCK", block)
        blocks, lines = list(read_blocks(file)), list(read_lines(file))
    expected = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")

    assert "".join(blocks) == "".join(lines) == expected
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines[:-1])
    assert all(blocks)


def test_packed_files_are_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "song.txt.gz"
    file.write_bytes(gzip.compress(b"one\r\ntwo", mtime=0))

    assert list(read_blocks(file)) == ["one\ntwo"]


@pytest.mark.parametrize("block", [4, 2**20])
@pytest.mark.parametrize(("ending", "place"), [(b"\xe9\n", 9), (b"\xe2\x82", 9)])
def test_bytes_that_are_not_utf8_are_placed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, ending: bytes, place: int
) -> None:
    monkeypatch.setattr(plain_text, "BLOCK", block)
    file = tmp_path / "latin 1.txt"
    file.write_bytes(b"first\ncaf" + ending)
    with pytest.raises(UserError, match=rf"not UTF-8: byte 0x{ending[0]:x} at {place}") as caught:
        list(read_blocks(file))

    assert caught.value.where == "data.path"
    assert f"iconv -f latin1 -t utf-8 '{file}'" in caught.value.todo


@pytest.mark.parametrize(
    ("data", "todo"),
    [
        ("dé".encode("utf-16"), "iconv -f utf-16 -t utf-8"),
        (b"\xfe\xff" + "dé".encode("utf-16-be"), "iconv -f utf-16 -t utf-8"),
        (b"PK\x03\x04\x14\x00\xff", "zip file: unpack it"),
        (gzip.compress(b"text", mtime=0), "the ending .gz"),
        (b"\x7fELF\x00\x00\xff", "it is no text"),
    ],
)
def test_what_else_is_not_utf8(tmp_path: Path, data: bytes, todo: str) -> None:
    (tmp_path / "file.txt").write_bytes(data)
    with pytest.raises(UserError, match="is not UTF-8") as caught:
        list(read_blocks(tmp_path / "file.txt"))

    assert todo in caught.value.todo


def test_what_is_no_gzip_file(tmp_path: Path) -> None:
    whole = gzip.compress(b"abc" * 1000)
    packed = tmp_path / "song.txt.gz"
    for data, message in (
        (b"plain", "is no gzip file"),
        (whole[:-12], "is cut off"),
        (whole[:10] + b"\xff" * 20, "is no gzip file"),
    ):
        packed.write_bytes(data)
        with pytest.raises(UserError, match=message):
            list(read_blocks(packed))
    packed.write_bytes(gzip.compress(b"caf\xe9", mtime=0))
    with pytest.raises(UserError, match="byte 0xe9 at 3") as caught:
        list(read_blocks(packed))
    assert "zcat" in caught.value.todo


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*: No such file"):
        list(read_blocks(tmp_path / "none.txt"))
