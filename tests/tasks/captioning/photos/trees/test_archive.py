"""Files read in place from zip archives."""

import io
import pickle
import zipfile
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.trees.archive import Archive

CONTENT = {f"folder/{number}.bin": bytes([number % 256]) * (number * 7) for number in range(120)}


def _write(file: Path, content: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(file, "w", method) as opened:
        for name, data in content.items():
            opened.writestr(name, data)
    return file


@pytest.fixture(params=[zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return _write(tmp_path / "all.zip", CONTENT, request.param)


def _wrong(archive: Archive) -> list[str]:
    return [name for _ in range(5) for name in CONTENT if archive.read(name) != CONTENT[name]]


def test_files_are_read_as_they_were_written(file: Path) -> None:
    archive = Archive(file)

    assert list(archive.names()) == list(CONTENT)
    assert _wrong(archive) == []
    assert archive.label("folder/1.bin") == f"{file}/folder/1.bin"
    assert archive.path("folder/1.bin").read_bytes() == CONTENT["folder/1.bin"]


def test_threads_do_not_disturb_each_other(file: Path) -> None:
    archive = Archive(file)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(_wrong, [archive] * 8)) == [[]] * 8


def test_processes_do_not_disturb_each_other(file: Path) -> None:
    archive = Archive(file)
    assert _wrong(archive) == []  # so that the fork finds it open
    with get_context("fork").Pool(2) as pool:
        results = pool.map_async(_wrong, [archive] * 4)
        assert _wrong(archive) == []
        assert results.get(60) == [[]] * 4


def test_it_can_be_sent_to_a_process(file: Path) -> None:
    archive = Archive(file)
    archive.read("folder/1.bin")

    assert _wrong(pickle.loads(pickle.dumps(archive))) == []


@given(
    st.dictionaries(
        st.text("ab/é", min_size=1, max_size=4).filter(
            lambda name: not name.startswith("/") and "//" not in name and name[-1] != "/"
        ),
        st.binary(max_size=50),
        max_size=4,
    ),
    st.binary(max_size=9),
)
def test_any_content_is_read_behind_any_beginning(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, bytes], before: bytes
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in content.items():
            opened.writestr(name, data)
    file = tmp_path_factory.mktemp("archives") / "a.zip"
    file.write_bytes(before + packed.getvalue())  # as archives that unpack themselves begin

    archive = Archive(file)

    assert {name: archive.read(name) for name in archive.names()} == content


def test_stamps_change_with_the_content(tmp_path: Path) -> None:
    one = Archive(_write(tmp_path / "1.zip", {"a": b"x", "b": b"y"}))
    other = Archive(_write(tmp_path / "2.zip", {"a": b"x", "b": b"z"}))

    assert one.stamp("a") == other.stamp("a")
    assert one.stamp("b") != other.stamp("b")


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    content = {"__MACOSX/._a.jpg": b"", ".DS_Store": b"", "a.jpg": b"1", "b/.c/d": b""}

    assert list(Archive(_write(tmp_path / "1.zip", content)).names()) == ["a.jpg"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damage_is_found(tmp_path: Path, method: int) -> None:
    file = _write(tmp_path / "1.zip", {"a.jpg": bytes(range(256)) * 4}, method)
    data = bytearray(file.read_bytes())
    data[60:70] = b"0123456789"
    file.write_bytes(data)

    with pytest.raises(UserError, match=r"1\.zip/a\.jpg' is damaged"):
        Archive(file).read("a.jpg")


def test_unusual_methods_are_refused(tmp_path: Path) -> None:
    archive = Archive(_write(tmp_path / "1.zip", {"a.jpg": b"1" * 99}, zipfile.ZIP_LZMA))

    with pytest.raises(UserError, match="packed by a method that cannot be read"):
        archive.read("a.jpg")
